import { PatternRouter } from 'hono/router/pattern-router';
import type { Route } from '../http/route.ts';
import type { Transport } from '../http/transport.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';

export interface InProcessOptions {
  /** Stands before the paths of requests. */
  readonly basePath: string;
  /** Who asks. */
  readonly caller: string;
}

/**
 * Carries requests to routes in this very process. A failure of the store reaches the caller as it
 * is, with its hint, instead of as a status.
 */
export function createInProcessTransport(
  routes: readonly Route[],
  { basePath, caller }: InProcessOptions,
): Transport {
  const router = new PatternRouter<Route>();
  for (const route of routes) router.add(route.method, route.path, route);
  return async (request) => {
    const isHead = request.method === 'HEAD';
    const path = basePath + request.path;
    const [[match]] = router.match(isHead ? 'GET' : request.method, path);
    if (!match) return NO_SUCH_ENDPOINT;
    const [route, found] = match;
    const params = Object.entries(found).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, decoded(value)] as const] : [],
    );
    const answer = await route.handle({
      params: Object.fromEntries(params),
      query: request.query,
      header: (name) => request.headers[name],
      body: request.body,
      caller,
    });
    return isHead ? { ...answer, body: '' } : answer;
  };
}

/** As it came where it is no URL encoding of a text. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
