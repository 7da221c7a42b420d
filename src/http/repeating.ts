import ky, { isHTTPError } from 'ky';
import { answerOf, type Outcome } from './ky-transport.ts';
import type { HttpAnswer } from './transport.ts';

export interface RepeatOptions {
  readonly url: URL;
  readonly method: string;
  /** Ends all of it. */
  readonly signal: AbortSignal;
  /** What an attempt may take, in milliseconds. */
  readonly timeout: number;
  readonly attempt: (signal: AbortSignal | null) => Promise<HttpAnswer>;
  /** Milliseconds until the next attempt, if there is to be one. */
  readonly waitAfter: (outcome: Outcome, attempts: number) => number | undefined;
}

const MAX_RETRIES = 5;

/**
 * Makes further attempts, until one of them is not to be followed by another one.
 *
 * @param first how the first attempt ended
 * @param firstWait milliseconds until the next one
 * @throws Error how the last one ended, without an answer
 */
export async function repeat(
  first: Outcome,
  firstWait: number,
  { url, method, attempt, waitAfter, ...limits }: RepeatOptions,
): Promise<HttpAnswer> {
  let wait = firstWait;
  let last: Outcome | undefined;
  const fetch = async (input: unknown) => {
    const signal = input instanceof Request ? input.signal : null;
    last = last === undefined ? first : await attempt(signal);
    const { status, headers } = answerOf(last);
    // All that is asked of it is whether there should be another one.
    return new Response(null, { status, headers });
  };
  const shouldRetry = ({ error, retryCount }: { error: Error; retryCount: number }) => {
    if (retryCount === 1) return true;
    const outcome = isHTTPError(error) && last !== undefined ? last : error;
    const next = waitAfter(outcome, retryCount);
    wait = next ?? wait;
    return next !== undefined;
  };
  const retry = {
    limit: MAX_RETRIES,
    methods: ['get', 'head', 'post', 'put', 'patch', 'delete'] as const,
    delay: () => wait,
    shouldRetry,
  };
  await ky(url, {
    method,
    ...limits,
    fetch,
    retry: { ...retry, methods: [...retry.methods] },
  }).catch((error) => {
    if (!isHTTPError(error)) throw error;
  });
  if (last === undefined) throw new Error('a request ended without an answer');
  return answerOf(last);
}
