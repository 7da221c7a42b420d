import type { KyInstance, Options, RetryOptions } from 'ky';
import { Failure } from '../domain/failure.ts';
import { readBounded } from './bounded-body.ts';
import { isHopeless, isNeverSent, noAnswer } from './connection-failure.ts';
import { assertPrivacy, headersOf, urlOf } from './request.ts';
import { retryAfter } from './retry-after.ts';
import type { HttpAnswer, HttpRequest, Trace, Transport } from './transport.ts';

export interface KyTransportOptions {
  /** Name of the service, for messages. */
  readonly service: string;
  readonly baseUrl: URL;
  /** Value of the Authorization header. */
  readonly authorization?: string | undefined;
  readonly userAgent: string;
  /** For everything that one call does unless it says so, retries and waits included, in milliseconds. */
  readonly timeout: number;
  /** The first wait before a retry, in milliseconds; each next one is twice as long. Default 200. */
  readonly firstDelay?: number;
  /** Told of every attempt. */
  readonly trace?: Trace | undefined;
  /** Carries an attempt where Node's own `fetch`, the default, does not know the way. */
  readonly fetch?: Fetch | undefined;
}

/** As much of the standard's `fetch` as is used here. */
export type Fetch = (
  url: URL,
  init: Pick<HttpRequest, 'method' | 'headers'> & {
    readonly body: string | null;
    readonly redirect: 'manual';
    readonly signal: AbortSignal | null;
  },
) => Promise<FetchedAnswer>;

export interface FetchedAnswer {
  readonly status: number;
  readonly headers: Iterable<[string, string]>;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Which part of the call's time one attempt may take when there may be others. */
const ATTEMPT_SHARE = 1 / 3;
const MAX_RETRIES = 5;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5_000;

/**
 * Speaks to a service over the network. Redirects are not followed: they could carry the token, or
 * the handle in the body, to another origin.
 */
export function createKyTransport(options: KyTransportOptions): Transport {
  assertPrivacy(options);
  return async (request, { repeatable, share = 1, timeout = options.timeout }) => {
    const { default: ky } = await import('ky');
    const begun = performance.now();
    const whole = Math.ceil(timeout * share);
    try {
      return await send(ky, request, options, {
        signal: AbortSignal.timeout(whole),
        timeout: repeatable ? whole * ATTEMPT_SHARE : whole,
        retry: retryPolicy(repeatable, begun + whole, options.firstDelay),
      });
    } catch (error) {
      throw noAnswer(error, options, performance.now() - begun);
    }
  };
}

async function send(
  ky: KyInstance,
  request: HttpRequest,
  options: KyTransportOptions,
  limits: Pick<Options, 'signal' | 'timeout' | 'retry'>,
): Promise<HttpAnswer> {
  const { isHTTPError } = await import('ky');
  const attempt = attemptsOf(request, options);
  let last: HttpAnswer | undefined;
  const fetch = async (input: unknown) => {
    last = await attempt(input instanceof Request ? input.signal : null);
    // All that is asked of it is whether there should be another one.
    return new Response(null, { status: last.status, headers: last.headers });
  };
  const { method } = request;
  await ky(urlOf(options.baseUrl, request), { method, ...limits, fetch }).catch((error) => {
    if (!isHTTPError(error)) throw error;
  });
  if (last === undefined) throw new Error('a request ended without an answer');
  return last;
}

/** The body belongs to the attempt: one that breaks off is retried like a lost answer. */
function attemptsOf(
  request: HttpRequest,
  options: KyTransportOptions,
): (signal: AbortSignal | null) => Promise<HttpAnswer> {
  const { fetch: carry = fetch, trace, service, baseUrl } = options;
  const { method, body } = request;
  const url = urlOf(baseUrl, request);
  const headers = headersOf(request, options);
  let attempt = 0;
  return async (signal) => {
    attempt += 1;
    const ended = trace?.({ method, url, headers, body, attempt });
    try {
      const init = { method, headers, body: body || null, redirect: 'manual', signal } as const;
      const answer = await toAnswer(await carry(url, init), service);
      ended?.(answer);
      return answer;
    } catch (error) {
      ended?.(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
}

async function toAnswer(response: FetchedAnswer, service: string): Promise<HttpAnswer> {
  const { status, headers } = response;
  if (status < 200 || status > 599) {
    throw new Failure('bad_response', `${service}: the answer has a status of ${status}.`, {
      hint: "Check the profile's URL: HTTP has no such status.",
      service,
      status,
      outcomeUnknown: true,
    });
  }
  const body = await readBounded(response, service);
  return { status, headers: Object.fromEntries(headers), body };
}

/**
 * Whether, and after how long, an attempt is followed by another one: after what `Retry-After` asks
 * for, and never at once, so that no service is hammered.
 *
 * @param deadline when the call has to be over, by the monotonic clock
 */
function retryPolicy(
  repeatable: boolean,
  deadline: number,
  firstDelay = FIRST_DELAY,
): RetryOptions {
  let wait = 0;
  return {
    limit: MAX_RETRIES,
    methods: ['get', 'head', 'post', 'put', 'patch', 'delete'],
    delay: () => wait,
    shouldRetry: ({ error, retryCount }) => {
      const backoff = Math.min(LONGEST_DELAY, firstDelay * 2 ** (retryCount - 1));
      // Varied, so that clients do not come back all at once.
      wait = backoff * (0.5 + Math.random());
      const response = responseOf(error);
      if (response) {
        wait = Math.max(wait, retryAfter(Object.fromEntries(response.headers), Date.now()) ?? 0);
      }
      // A wait that is cut short would hide what went wrong.
      const isInTime = performance.now() + wait < deadline;
      return isInTime && (response ? mayAskAgain(response.status) : mayRepeat(error));
    },
  };

  function mayAskAgain(status: number): boolean {
    // 429 says that the request was not taken: safe to send again, whatever it was.
    return status === 429 || (repeatable && (status === 408 || status >= 500));
  }

  function mayRepeat(error: Error): boolean {
    if (error instanceof Failure || isHopeless(error)) return false;
    return repeatable || isNeverSent(error);
  }
}

/** The answer that an error of ky's stands for. */
function responseOf(error: Error): Response | undefined {
  return 'response' in error && error.response instanceof Response ? error.response : undefined;
}
