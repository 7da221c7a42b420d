import { monotonic } from '../domain/clock.ts';
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
  /** Carries an attempt where the usual way, the default, does not lead there. */
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
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5_000;
/** Milliseconds that the last attempt has, and the share of the call's time where that is less. */
const LAST_TIME = 100;
const LAST_SHARE = 1 / 10;

/** How an attempt ended. */
export type Outcome = HttpAnswer | Error;

/**
 * Speaks to a service over the network. Redirects are not followed: they could carry the token, or
 * the handle in the body, to another origin.
 */
export function createKyTransport(options: KyTransportOptions): Transport {
  assertPrivacy(options);
  return async (request, { repeatable, share = 1, timeout = options.timeout, until }) => {
    if (until) {
      const { listen } = await import('./listen.ts');
      return listen(request, options, timeout * share, until);
    }
    const begun = monotonic();
    const whole = Math.ceil(timeout * share);
    const each = repeatable ? Math.ceil(whole * ATTEMPT_SHARE) : whole;
    const attempt = attemptsOf(request, options, await carrierOf(options));
    const latest = begun + whole - Math.min(LAST_TIME, whole * LAST_SHARE);
    const waitAfter = patienceOf(repeatable, latest, options.firstDelay);
    const outcome = await attempt(AbortSignal.timeout(each)).catch(asError);
    const wait = waitAfter(outcome, 1);
    try {
      if (wait === undefined) return answerOf(outcome);
      // Most calls need one attempt, and nothing of what repeats them.
      const { repeat } = await import('./repeating.ts');
      return await repeat(outcome, wait, {
        url: urlOf(options.baseUrl, request),
        method: request.method,
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(begun + whole - monotonic()))),
        timeout: each,
        attempt,
        waitAfter,
      });
    } catch (error) {
      throw noAnswer(error, options, monotonic() - begun);
    }
  };
}

/** What carries attempts: loaded with the first of them. */
export async function carrierOf({ fetch }: Pick<KyTransportOptions, 'fetch'>): Promise<Fetch> {
  return fetch ?? (await import('./node-carrier.ts')).carry;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** @throws Error when there is none */
export function answerOf(outcome: Outcome): HttpAnswer {
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

/** The body belongs to the attempt: one that breaks off is retried like a lost answer. */
function attemptsOf(
  request: HttpRequest,
  options: KyTransportOptions,
  carry: Fetch,
): (signal: AbortSignal | null) => Promise<HttpAnswer> {
  const { trace, service, baseUrl } = options;
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
      ended?.(asError(error));
      throw error;
    }
  };
}

/** @throws Failure `bad_response` for what is no answer of HTTP, or too long */
export async function toAnswer(response: FetchedAnswer, service: string): Promise<HttpAnswer> {
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
 * Tells after how long an attempt is followed by another one: after what `Retry-After` asks for, and
 * never at once, so that no service is hammered. Undefined when there is no other one.
 *
 * @param latest when the last one may begin, by the monotonic clock
 */
function patienceOf(
  repeatable: boolean,
  latest: number,
  firstDelay = FIRST_DELAY,
): (outcome: Outcome, attempts: number) => number | undefined {
  return (outcome, attempts) => {
    const isError = outcome instanceof Error;
    if (isError ? !mayRepeat(outcome) : !mayAskAgain(outcome.status)) return undefined;
    const backoff = Math.min(LONGEST_DELAY, firstDelay * 2 ** (attempts - 1));
    // Varied, so that clients do not come back all at once.
    const varied = backoff * (0.5 + Math.random());
    const asked = isError ? undefined : retryAfter(outcome.headers, Date.now());
    const wait = Math.max(varied, asked ?? 0);
    // What is cut short would hide what went wrong, and even that nothing was done.
    return monotonic() + wait < latest ? wait : undefined;
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
