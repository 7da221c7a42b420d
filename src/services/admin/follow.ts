import { Failure } from '../../domain/failure.ts';
import { isTooDeep, parseJson } from '../../domain/json.ts';
import { EVENT_TYPES } from '../../engine/history.ts';
import { refusal, withSource } from '../../http/exchange.ts';
import { retryAfter } from '../../http/retry-after.ts';
import { fits } from '../../http/schema.ts';
import { readEvents, type SentEvent } from '../../http/server-sent-events.ts';
import type { HttpAnswer, Transport } from '../../http/transport.ts';
import { adminErrors } from './errors.ts';
import { type Backoff, createBackoff, openConnection } from './reconnecting.ts';
import { BASE_PATH, EventInfo, type EventsQuery, POSITION } from './wire.ts';

/** What is to be told. */
export interface FollowQuery extends EventsQuery {
  /** What follows this place, which a service told; without it, what happens from now on. */
  readonly after?: string | undefined;
}

/** What becomes of the connection meanwhile. */
export interface FollowHooks {
  /** Told each time that events begin to come: nothing that happens from now on is passed over. */
  readonly onConnected?: () => void;
  /** Told that they do not come for now, and why. They are asked for again, from that place on. */
  readonly onLost?: (failure: Failure) => void;
  /** How long there may be no connection at first, in milliseconds. Default: one attempt. */
  readonly patience?: number;
}

export interface FollowOptions {
  readonly transport: Transport;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
  /** Milliseconds before the first attempt to connect again, and at most before any. */
  readonly delays?: readonly [first: number, longest: number];
  /** Milliseconds in which something has to come, be it a sign of life. */
  readonly silence?: number;
}

const { service } = adminErrors;
const DELAYS = [250, 10_000] as const;
/** Three signs of life that did not come. */
const LONGEST_SILENCE = 45_000;

/**
 * Tells what happens, as it happens and once, over as many connections as it takes, until the signal.
 *
 * @throws Failure as `exchange`; `unavailable` only before the first connection
 */
export async function* follow(
  query: FollowQuery,
  signal: AbortSignal,
  { onConnected, onLost, patience = 0 }: FollowHooks,
  options: FollowOptions,
): AsyncGenerator<EventInfo, void> {
  const begun = performance.now();
  const place = new Place(query.after);
  const backoff = createBackoff(options.delays ?? DELAYS);
  let isConnected = false;
  let wasConnected = false;
  while (!signal.aborted) {
    let lost = new Failure('unavailable', `${service}: the stream of events ended.`, { service });
    try {
      for await (const events of received(query, place, signal, backoff, options)) {
        if (!isConnected && events.length > 0) {
          isConnected = true;
          wasConnected = true;
          onConnected?.();
        }
        for (const event of events) {
          const info = place.pass(event);
          if (info) yield info;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Failure) || error.code !== 'unavailable') throw error;
      lost = error;
    }
    if (signal.aborted) return;
    if (!wasConnected && performance.now() - begun + backoff.next > patience) throw lost;
    if (isConnected) onLost?.(lost);
    isConnected = false;
    await backoff.wait(signal);
  }
}

/** What comes over one connection. */
async function* received(
  { kind, id, type }: FollowQuery,
  { reached }: Place,
  signal: AbortSignal,
  backoff: Backoff,
  { transport, clean, silence = LONGEST_SILENCE }: FollowOptions,
): AsyncGenerator<readonly SentEvent[], void> {
  const given = Object.entries({ kind, id, type }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const request = {
    ...{
      method: 'GET',
      path: `${BASE_PATH}/events`,
      query: new URLSearchParams(Object.fromEntries(given)),
      body: '',
    },
    headers: reached === undefined ? {} : { 'last-event-id': reached },
  };
  const connection = openConnection(signal, silence);
  try {
    const answer = await transport(request, { repeatable: true, until: connection.signal });
    if (!answer.stream) {
      backoff.atLeast(retryAfter(answer.headers, Date.now()) ?? 0);
      throw noStream(answer, clean);
    }
    yield* readEvents(connection.heard(answer.stream), service);
  } finally {
    connection.end();
  }
}

function noStream(answer: HttpAnswer, clean: FollowOptions['clean']): Failure {
  const { status } = answer;
  if (status >= 300 && status !== 404) {
    return refusal(answer, { repeatable: true, clean }, adminErrors);
  }
  return new Failure('bad_response', `${service}: there is no stream of events (${status}).`, {
    hint: "Check the profile's URL; an older version of leasectl serve has none: look with admin history.",
    service,
    status,
  });
}

/** Events without a place of their own that are remembered. */
const MOST_REMEMBERED = 10_000;

/** How far was told. */
class Place {
  reached: string | undefined;
  /** Told, though no place behind them is known yet. */
  readonly #told = new Set<number>();

  constructor(after: string | undefined) {
    this.reached = after;
  }

  /** @returns what is to be told of an event */
  pass({ type, data, id }: SentEvent): EventInfo | undefined {
    const info = type === POSITION ? undefined : infoIn(type, data);
    const isTold = info !== undefined && this.#told.has(info.sequence);
    if (id !== undefined || this.#told.size > MOST_REMEMBERED) this.#told.clear();
    if (id !== undefined) this.reached = id;
    else if (info) this.#told.add(info.sequence);
    return isTold ? undefined : info;
  }
}

/** @throws Failure `bad_response` for what breaks the contract; what later services tell is left out */
function infoIn(type: string, data: string): EventInfo | undefined {
  const info = isTooDeep(data) ? undefined : parseJson(data);
  // On one line, as its strings have none.
  if (fits(EventInfo, info)) return withSource(info, data.replaceAll('\n', ' '));
  if (!EVENT_TYPES.some((known) => known === type)) return undefined;
  throw new Failure('bad_response', `${service}: an event of type ${type} breaks the contract.`, {
    hint: "Check the profile's URL: is this the service, or a proxy in between?",
    service,
  });
}
