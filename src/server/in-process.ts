import type { Router } from 'hono/router';
import type { Route } from '../http/route.ts';
import type { Transport } from '../http/transport.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';

export interface InProcessOptions {
  /** Stands before the paths of requests. */
  readonly basePath: string;
  /** Says who asks: what is only looked at is never noted with it. */
  readonly caller: () => string;
}

/**
 * Carries requests to routes in this very process. A failure of the store reaches the caller as it
 * is, with its hint, instead of as a status.
 */
export function createInProcessTransport(
  routes: readonly Route[],
  { basePath, caller }: InProcessOptions,
): Transport {
  const find = finderIn(routes);
  const by = {
    get caller() {
      return caller();
    },
    requestId: null,
  };
  return async (request, { until }) => {
    const isHead = request.method === 'HEAD';
    const path = basePath + request.path;
    const found = await find(isHead ? 'GET' : request.method, path);
    if (!found) return NO_SUCH_ENDPOINT;
    const { pieces, ...answer } = await found.route.handle({
      params: found.params,
      query: request.query,
      header: (name) => request.headers[name],
      body: request.body,
      by,
    });
    if (pieces && until) return { ...answer, stream: pieces(until) };
    return isHead ? { ...answer, body: '' } : answer;
  };
}

interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

type Find = (method: string, path: string) => Promise<Found | undefined>;

function finderIn(routes: readonly Route[]): Find {
  let router: Promise<Router<Route>> | undefined;
  return async (method, path) => {
    const own = routes.find((route) => route.method === method && route.path === path);
    // Most endpoints have no parameters: to load a router would take longer than all the rest.
    if (own && !path.includes(':')) return { route: own, params: {} };
    // The router would pass over it, and what is served does not.
    if (path.endsWith('/')) return undefined;
    router ??= routerOf(routes);
    const [[match]] = (await router).match(method, path);
    if (!match) return undefined;
    const [route, found] = match;
    const params = Object.entries(found).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, decoded(value)] as const] : [],
    );
    return { route, params: Object.fromEntries(params) };
  };
}

async function routerOf(routes: readonly Route[]): Promise<Router<Route>> {
  const { PatternRouter } = await import('hono/router/pattern-router');
  const router = new PatternRouter<Route>();
  for (const route of routes) router.add(route.method, route.path, route);
  return router;
}

/** As it came where it is no URL encoding of a text. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
