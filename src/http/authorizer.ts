import { monotonic } from '../domain/clock.ts';
import type { Transport } from './transport.ts';

/** Knows the value of the Authorization header for a service. */
export interface Authorizer {
  /**
   * The value to send now.
   *
   * @param timeout milliseconds that the call has which it is for; some of them are left to that
   * @throws Failure when none can be got; no request was sent to the service then
   */
  header(timeout: number): Promise<string>;
  /**
   * Another value, after the service refused this one with 401; the same where there is no other.
   *
   * @throws Failure as `header`
   */
  renew(refused: string, timeout: number): Promise<string>;
}

/**
 * Sends each request with the authorizer's header; after a 401 once more with a renewed one, if there
 * is one. What comes then is the answer, also another 401. A 401 says that the service did not take the request,
 * so this holds for requests too that are not `repeatable`. All of it takes no longer than the
 * request alone might.
 *
 * @param usual what a call may take that does not say so, in milliseconds
 */
export function withAuthorizer(
  transport: Transport,
  authorizer: Authorizer,
  usual: number,
): Transport {
  return async (request, { share = 1, timeout = usual, ...options }) => {
    const end = monotonic() + timeout * share;
    const left = () => Math.max(1, end - monotonic());
    const send = (authorization: string) => {
      const headers = { ...request.headers, authorization };
      return transport({ ...request, headers }, { ...options, timeout: left() });
    };
    const authorization = await authorizer.header(left());
    const answer = await send(authorization);
    if (answer.status !== 401) return answer;
    const renewed = await authorizer.renew(authorization, left());
    return renewed === authorization ? answer : send(renewed);
  };
}

/**
 * Sends what was read once, until the service refuses it.
 *
 * @param read gives what is to be sent from then on, in so many milliseconds; undefined where that is
 *   what was refused
 */
export function createRereader(
  first: string,
  read: (timeout: number) => Promise<string | undefined>,
): Authorizer {
  let current = first;
  return {
    header: async () => current,
    renew: async (refused, timeout) => {
      // Another request may have had it read meanwhile.
      if (refused === current) current = (await read(timeout)) ?? current;
      return current;
    },
  };
}
