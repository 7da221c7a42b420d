import { adminRoutes } from './admin-routes.ts';
import type { Engine } from './engine/engine.ts';
import { DEFAULT_NAMESPACE, type Store } from './engine/store.ts';
import { accessOn, engineOn } from './engines.ts';
import type { Route } from './http/route.ts';
import type { AppOptions } from './server/app.ts';
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
): AppOptions['routesFor'] {
  const tokenRoute = retaiaTokenRoute(accessOn(store));
  return (bearer) => {
    const { name = null, namespace = DEFAULT_NAMESPACE } = bearer ?? {};
    const own = engineOn(store.within(namespace), name, capacity);
    const engine = around.engine(own, namespace);
    const dialects = [
      ...onceOnlyRoutes(engine),
      ...retaiaRoutes(engine),
      tokenRoute,
      ...askUiRoutes(engine),
    ];
    // Whoever looks after it meets neither faults nor counters.
    const access = accessOn(store, namespace);
    const administration = adminRoutes({ engine: own, access, mostAdded: MOST_ADDED }, Date.now);
    return [...around.routes(dialects), ...administration];
  };
}
