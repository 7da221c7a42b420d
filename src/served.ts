import { adminRoutes } from './admin-routes.ts';
import { DEFAULT_NAMESPACE, type Store } from './engine/store.ts';
import { accessOn, engineOn } from './engines.ts';
import type { AppOptions } from './server/app.ts';
import { askUiRoutes } from './services/askui/routes.ts';
import { onceOnlyRoutes } from './services/onceonly/routes.ts';
import { retaiaRoutes } from './services/retaia/routes.ts';
import { retaiaTokenRoute } from './services/retaia/token-route.ts';

/** Jobs that one request may add: adding them takes SQLite, and who waits for it, a moment. */
const MOST_ADDED = 5_000;

/**
 * All that the embedded service offers where it is served: every dialect, on what the caller's
 * namespace has.
 *
 * @param capacity leases that each namespace may store
 */
export function servedRoutes(store: Store, capacity?: number): AppOptions['routesFor'] {
  const tokenRoute = retaiaTokenRoute(accessOn(store));
  return (bearer) => {
    const namespace = bearer?.namespace ?? DEFAULT_NAMESPACE;
    const engine = engineOn(store.within(namespace), bearer?.name ?? null, capacity);
    return [
      ...onceOnlyRoutes(engine),
      ...retaiaRoutes(engine),
      tokenRoute,
      ...askUiRoutes(engine),
      ...adminRoutes(
        { engine, access: accessOn(store, namespace), mostAdded: MOST_ADDED },
        Date.now,
      ),
    ];
  };
}
