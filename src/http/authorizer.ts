import type { Transport } from './transport.ts';

/** Knows the value of the Authorization header for a service. */
export interface Authorizer {
  /**
   * The value to send now.
   *
   * @param timeout milliseconds that the call has which it is for. Default: what a command has
   * @throws Failure when none can be got; no request was sent to the service then
   */
  header(timeout?: number): Promise<string>;
  /**
   * Another value, after the service refused this one with 401.
   *
   * @throws Failure as `header`
   */
  renew(refused: string, timeout?: number): Promise<string>;
}

/**
 * Sends each request with the authorizer's header; after a 401 once more with a renewed one. What
 * comes then is the answer, also another 401. A 401 says that the service did not take the request,
 * so this holds for requests too that are not `repeatable`.
 */
export function withAuthorizer(transport: Transport, authorizer: Authorizer): Transport {
  return async (request, options) => {
    const send = (authorization: string) =>
      transport({ ...request, headers: { ...request.headers, authorization } }, options);
    const authorization = await authorizer.header(options.timeout);
    const answer = await send(authorization);
    if (answer.status !== 401) return answer;
    return send(await authorizer.renew(authorization, options.timeout));
  };
}
