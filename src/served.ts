import { adminRoutes } from './admin-routes.ts';
import type { Engine } from './engine/engine.ts';
import { createFeed, type Feed } from './engine/feed.ts';
import { DEFAULT_NAMESPACE, type Store } from './engine/store.ts';
import { accessOn, engineOn } from './engines.ts';
import type { Route } from './http/route.ts';
import type { EndpointsOptions } from './server/endpoints.ts';
import { pause } from './server/pause.ts';
import { askUiRoutes } from './services/askui/routes.ts';
import { onceOnlyRoutes } from './services/onceonly/routes.ts';
import { retaiaRoutes } from './services/retaia/routes.ts';
import { retaiaTokenRoute } from './services/retaia/token-route.ts';

/** What stands between the service and those who ask. */
export interface Around {
  /** Sees what is asked of a namespace's leases. */
  readonly engine: (engine: Engine, namespace: string) => Engine;
  /** Sees what is asked of the endpoints. */
  readonly routes: (routes: readonly Route[]) => readonly Route[];
}

const NOTHING: Around = { engine: (engine) => engine, routes: (routes) => routes };

/** Jobs that one request may add: adding them takes SQLite, and who waits for it, a moment. */
const MOST_ADDED = 5_000;

/**
 * All that the embedded service offers where it is served: every dialect, on what the caller's
 * namespace has.
 *
 * @param capacity leases that each namespace may store
 */
export function servedRoutes(
  store: Store,
  capacity?: number,
  around = NOTHING,
): EndpointsOptions['routesFor'] {
  const tokenRoute = retaiaTokenRoute(accessOn(store));
  const feeds = new Map<string, Feed>();
  /** One for all who listen to a namespace. */
  const feedOf = (namespace: string, { tail }: Engine) => {
    const feed = feeds.get(namespace) ?? createFeed({ tail, pause });
    feeds.set(namespace, feed);
    return feed;
  };
  return (bearer) => {
    const { namespace = DEFAULT_NAMESPACE } = bearer ?? {};
    const own = engineOn(store.within(namespace), capacity);
    const engine = around.engine(own, namespace);
    const dialects = [
      ...onceOnlyRoutes(engine),
      ...retaiaRoutes(engine),
      tokenRoute,
      ...askUiRoutes(engine),
    ];
    // Whoever looks after it meets neither faults nor counters.
    const access = accessOn(store, namespace);
    const feed = feedOf(namespace, own);
    const administered = { engine: own, access, feed, mostAdded: MOST_ADDED };
    const administration = adminRoutes(administered, Date.now);
    return [...around.routes(dialects), ...administration];
  };
}
