import type * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import { type ErrorDialect, type ExchangeOptions, exchange } from './exchange.ts';
import type { HttpRequest, Transport } from './transport.ts';

export interface CallRequest extends Pick<HttpRequest, 'method' | 'path'> {
  readonly query?: URLSearchParams;
  /** Names in lower case. */
  readonly headers?: HttpRequest['headers'];
  /** Sent as JSON. */
  readonly body?: object;
}

/** Calls an endpoint, as `exchange` does. */
export type Call = <T>(
  schema: z.ZodMiniType<T>,
  request: CallRequest,
  options: Omit<ExchangeOptions, 'clean'>,
) => Promise<T>;

export function createCall(
  transport: Transport,
  dialect: ErrorDialect,
  clean: ExchangeOptions['clean'],
): Call {
  return (schema, { query = new URLSearchParams(), headers = {}, body, ...rest }, options) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = { ...rest, query, headers, body: text };
    return exchange(transport, request, { ...options, clean }, schema, dialect);
  };
}

/** How much of its time a call takes that leaves some to look at what became of it. */
export const CHANGING = { share: 2 / 3 };
export const LOOKING_AFTER = { repeatable: false, share: 1 / 3 };

/**
 * A failure after which it is not known whether a request did what it asks for, with what can be
 * said of that: nothing is assumed. Other errors pass unchanged.
 */
export async function withWhatIsKnown(
  error: unknown,
  tell: (failure: Failure) => Promise<{ readonly words: string; readonly hint: string }>,
): Promise<unknown> {
  if (!(error instanceof Failure) || !error.outcomeUnknown) return error;
  const { words, hint } = await tell(error);
  return new Failure(error.code, `${error.message} ${words}`, {
    hint,
    service: error.service,
    status: error.status,
    outcomeUnknown: true,
    cause: error,
  });
}

/**
 * Makes an acquisition, and finds it again when its answer was lost, if the service can do that.
 *
 * @param send sends the request; `repeatable` says whether it may be sent more than once
 * @param isKnown whether the service would know it again, as far as its answers have told
 * @param tell looks at what can be known; the service's answer may tell that, too
 */
export async function acquire<T>(
  send: (options: Pick<ExchangeOptions, 'repeatable' | 'share'>) => Promise<T>,
  isKnown: () => boolean,
  tell: (failure: Failure) => Promise<{ readonly words: string; readonly hint: string }>,
): Promise<T> {
  const wasKnown = isKnown();
  try {
    return await send({ ...CHANGING, repeatable: wasKnown });
  } catch (error) {
    const explained = await withWhatIsKnown(error, tell);
    if (explained === error || wasKnown || !isKnown()) throw explained;
    return send({ repeatable: true, share: 1 / 3 });
  }
}

/** The failure of an answer that is about something else than was asked for. */
export function otherSubject({ service }: ErrorDialect, asked: string, kind: string): Failure {
  const message = `${service}: asked for ${asked}, it answered for another ${kind}.`;
  return new Failure('bad_response', message, {
    hint: "Check the profile's URL: is this the service, or something that caches in between?",
    service,
    outcomeUnknown: true,
  });
}
