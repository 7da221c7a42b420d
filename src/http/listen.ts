import { noAnswer } from './connection-failure.ts';
import {
  carrierOf,
  type FetchedAnswer,
  type KyTransportOptions,
  toAnswer,
} from './ky-transport.ts';
import { headersOf, urlOf } from './request.ts';
import type { HttpAnswer, HttpRequest } from './transport.ts';

/** What events come as. */
export const EVENT_STREAM = 'text/event-stream';

/**
 * Asks for events, in one attempt.
 *
 * @param most milliseconds until they begin to come
 * @param until ends them
 * @throws Failure as `Transport`, also while they come
 */
export async function listen(
  request: HttpRequest,
  options: KyTransportOptions,
  most: number,
  until: AbortSignal,
): Promise<HttpAnswer> {
  const { trace, service, baseUrl } = options;
  const carry = await carrierOf(options);
  const { method, body } = request;
  const url = urlOf(baseUrl, request);
  const headers = { ...headersOf(request, options), accept: EVENT_STREAM };
  const ended = trace?.({ method, url, headers, body });
  const begun = performance.now();
  const took = () => performance.now() - begun;
  const { signal, answered } = within(most, until);
  try {
    const init = { method, headers, body: body || null, redirect: 'manual', signal } as const;
    const response = await carry(url, init);
    const isStream = response.status === 200 && hasEvents(response);
    const answer = isStream ? withoutBody(response) : await toAnswer(response, service);
    ended?.(answer);
    if (!isStream) return answer;
    return {
      ...answer,
      stream: textOf(response.body, (error) => noAnswer(error, options, took())),
    };
  } catch (error) {
    ended?.(error instanceof Error ? error : new Error(String(error)));
    throw noAnswer(error, options, took());
  } finally {
    answered();
  }
}

/** A signal that comes with another one, and when there was no answer in time. */
function within(most: number, until: AbortSignal) {
  const ending = new AbortController();
  const end = () => ending.abort(until.reason);
  const timer = setTimeout(
    () => ending.abort(new DOMException('no answer in time', 'TimeoutError')),
    most,
  );
  if (until.aborted) end();
  until.addEventListener('abort', end, { once: true });
  return { signal: ending.signal, answered: () => clearTimeout(timer) };
}

function hasEvents({ headers }: FetchedAnswer): boolean {
  const [, type = ''] = [...headers].find(([name]) => name === 'content-type') ?? [];
  return type.split(';')[0]?.trim().toLowerCase() === EVENT_STREAM;
}

function withoutBody({ status, headers }: FetchedAnswer): HttpAnswer {
  return { status, headers: Object.fromEntries(headers), body: '' };
}

/** @param failureOf what it means that the connection broke off */
async function* textOf(
  body: FetchedAnswer['body'],
  failureOf: (error: unknown) => unknown,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body ?? []) yield decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw failureOf(error);
  }
}
