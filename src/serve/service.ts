import type { Store } from '../engine/store.ts';
import { accessOn } from '../engines.ts';
import { servedRoutes } from '../served.ts';
import { createApp } from '../server/app.ts';
import { healthRoutes } from '../server/health.ts';
import { type Log, logAnswered } from '../server/log.ts';
import { closingOnce, refuseWhileOpen } from '../server/openness.ts';
import { createRateLimit } from '../server/rate-limit.ts';
import type { TrafficOptions } from '../server/traffic.ts';
import type { ServeOptions } from './options.ts';

/** What is served, wherever that is. */
export interface Service extends TrafficOptions {
  /** Whether callers are not told apart, because there is no token yet. */
  isOpen(): Promise<boolean>;
  /** From now on it is not ready. */
  beginStop(): void;
  /** Ends what is done beside the requests. */
  stop(): Promise<void>;
}

/** Puts together all that answers requests, and all that is done beside them. */
export function createService(
  store: Store,
  { rate, capacity }: Pick<ServeOptions, 'rate' | 'capacity'>,
  log: Log,
): Service {
  let isStopping = false;
  const access = closingOnce(accessOn(store));
  const check = () => store.check();
  const health = healthRoutes({ check, isStopping: () => isStopping });
  const served = servedRoutes(store, capacity);
  const app = createApp({
    routesFor: (bearer) => [...health, ...served(bearer)],
    access,
    ...(rate > 0 ? { limit: createRateLimit(rate, () => performance.now()) } : {}),
  });
  return {
    isOpen: () => access.isOpen(),
    beginStop: () => {
      isStopping = true;
    },
    stop: async () => undefined,
    answer: async (request, notes) => {
      const refusal = await refuseWhileOpen(request, access);
      if (!refusal) return app.fetch(request, { notes });
      const { status, headers, body } = refusal;
      return new Response(body, { status, headers });
    },
    onAnswered: (answered) => logAnswered(log, answered),
    onCrowded: () => log.warn('connections are refused: there are too many'),
  };
}
