import type { KyInstance, Options, RetryOptions } from 'ky';
import { Failure } from '../domain/failure.ts';
import { isPrivate } from '../domain/private-url.ts';
import { readBounded } from './bounded-body.ts';
import { retryAfter } from './retry-after.ts';
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts';

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
}

/** Which part of the call's time one attempt may take when there may be others. */
const ATTEMPT_SHARE = 1 / 3;
const MAX_RETRIES = 5;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5_000;

/** The connection was never there, so nothing was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** Retrying would not help: the name, or the certificate, is wrong. */
const HOPELESS = /^(ENOTFOUND|CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

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
  try {
    const response = await ky(urlOf(options.baseUrl, request), {
      method: request.method,
      headers: headersOf(request, options),
      ...(request.body ? { body: request.body } : {}),
      redirect: 'manual',
      ...limits,
      // The body belongs to the attempt: one that breaks off is retried like a lost answer.
      fetch: async (input, init) => {
        const answer = await fetch(input, init);
        const body = await readBounded(answer, options.service);
        return new Response(isNullBodyStatus(answer.status) ? null : body, {
          status: answer.status,
          headers: answer.headers,
        });
      },
    });
    return await toAnswer(response);
  } catch (error) {
    if (isHTTPError(error)) return await toAnswer(error.response);
    throw error;
  }
}

async function toAnswer(response: Response): Promise<HttpAnswer> {
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

/** The Fetch standard forbids a body with these. */
function isNullBodyStatus(status: number): boolean {
  return [101, 103, 204, 205, 304].includes(status);
}

/** The headers that a request has on its way. */
export function headersOf(
  { headers, body }: Pick<HttpRequest, 'headers' | 'body'>,
  { userAgent, authorization }: Pick<KyTransportOptions, 'userAgent' | 'authorization'>,
): HttpRequest['headers'] {
  return {
    accept: 'application/json',
    'user-agent': userAgent,
    ...(authorization ? { authorization } : {}),
    ...(body ? { 'content-type': 'application/json' } : {}),
    ...headers,
  };
}

/** Where a request goes: below the base URL, whatever its path is. */
export function urlOf(baseUrl: URL, request: Pick<HttpRequest, 'path' | 'query'>): URL {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/$/, '') + request.path;
  url.search = request.query.toString();
  return url;
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
    const code = systemCode(error) ?? '';
    if (error instanceof Failure || HOPELESS.test(code)) return false;
    return repeatable || NEVER_SENT.has(code);
  }
}

/** The answer that an error of ky's stands for. */
function responseOf(error: Error): Response | undefined {
  return 'response' in error && error.response instanceof Response ? error.response : undefined;
}

function noAnswer(error: unknown, { service, baseUrl }: KyTransportOptions, took: number): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  const code = systemCode(error);
  const timedOut = error.name === 'TimeoutError' || error.name === 'AbortError';
  // Fetch throws nothing else when the network fails: the rest is a bug, and has to look like one.
  if (!timedOut && !(error instanceof TypeError)) return error;
  const isOut = NEVER_SENT.has(code ?? '') || HOPELESS.test(code ?? '');
  const what = timedOut
    ? `no answer from ${baseUrl.origin} within ${(took / 1000).toFixed(1)} s`
    : `${isOut ? 'no' : 'lost the'} connection to ${baseUrl.origin} (${code ?? error.message})`;
  return new Failure('unavailable', `${service}: ${what}.`, {
    hint:
      code === undefined || !HOPELESS.test(code)
        ? 'Check the network and try again; --timeout allows more time.'
        : "Check the profile's URL and its certificate.",
    service,
    outcomeUnknown: !isOut,
    cause: error,
  });
}

/** The system's code, which fetch hides in the cause of a `TypeError`, or in an error list there. */
function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  return systemCode(inner);
}

/** @throws Failure `usage` rather than let a token or a handle travel where anybody may read it */
export function assertPrivacy({
  baseUrl,
  service,
}: Pick<KyTransportOptions, 'baseUrl' | 'service'>): void {
  if (isPrivate(baseUrl)) return;
  throw new Failure(
    'usage',
    `${service}: a token is never sent to ${baseUrl.origin} unencrypted.`,
    {
      hint: 'Use an https:// URL; plain http is for loopback addresses only.',
    },
  );
}
