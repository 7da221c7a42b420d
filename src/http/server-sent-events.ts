import { createParser } from 'eventsource-parser';
import { Failure } from '../domain/failure.ts';

/** An event as it came. */
export interface SentEvent {
  readonly type: string;
  readonly data: string;
  /** The place behind it, where that is told. */
  readonly id: string | undefined;
}

/** Characters of one event, at most. */
const LONGEST_EVENT = 1024 * 1024;

/**
 * Reads the text of an event stream, as the HTML standard defines it. Each piece gives the events that
 * it completes; none for what only shows that somebody is there.
 *
 * @throws Failure `bad_response` when an event does not end; what the stream throws
 */
export async function* readEvents(
  stream: AsyncIterable<string>,
  service: string,
): AsyncGenerator<readonly SentEvent[]> {
  let complete: SentEvent[] = [];
  let isTooLong = false;
  const parser = createParser({
    maxBufferSize: LONGEST_EVENT,
    onEvent: ({ event: type = 'message', data, id }) => complete.push({ type, data, id }),
    onError: ({ type }) => {
      isTooLong ||= type === 'max-buffer-size-exceeded';
    },
  });
  for await (const piece of stream) {
    complete = [];
    parser.feed(piece);
    yield complete;
    if (isTooLong) throw endless(service);
  }
}

function endless(service: string): Failure {
  return new Failure('bad_response', `${service}: an event has more than 1 MiB.`, {
    hint: "Check the profile's URL: is this the service, or a proxy in between?",
    service,
  });
}
