import { PatternRouter } from 'hono/router/pattern-router';
import type { Route } from '../http/route.ts';
import type { Transport } from '../http/transport.ts';

/**
 * Carries requests to routes in this very process. A failure of the store reaches the caller as it
 * is, with its hint, instead of as a status.
 */
export function createInProcessTransport(routes: readonly Route[]): Transport {
  const router = new PatternRouter<Route>();
  for (const route of routes) router.add(route.method, route.path, route);
  return async (request) => {
    const [[match]] = router.match(request.method, request.path);
    if (!match) throw new Error(`the embedded service has no ${request.method} ${request.path}`);
    const [route, params] = match;
    return route.handle({
      params: Object.fromEntries(
        Object.entries(params).filter(
          (entry): entry is [string, string] => typeof entry[1] === 'string',
        ),
      ),
      query: request.query,
      header: (name) => request.headers[name],
      body: request.body,
    });
  };
}
