import type { Store } from '../engine/store.ts';
import { accessOn } from '../engines.ts';
import type { Route } from '../http/route.ts';
import { servedRoutes } from '../served.ts';
import { type AppOptions, createApp } from '../server/app.ts';
import { createCallers } from '../server/callers.ts';
import { healthRoutes } from '../server/health.ts';
import { logAnswered } from '../server/log.ts';
import { refuseForeign } from '../server/loopback.ts';
import { createRateLimit } from '../server/rate-limit.ts';
import type { TrafficOptions } from '../server/traffic.ts';
import { type BesideOptions, createBeside } from './beside.ts';
import type { ServeOptions } from './options.ts';

/** What is served, wherever that is. */
export interface Service extends TrafficOptions {
  /** All its endpoints, whoever asks. */
  readonly routes: readonly Pick<Route, 'method' | 'path' | 'scope'>[];
  /** Begins what is done beside the requests. */
  start(): void;
  /** From now on it is not ready. */
  beginStop(): void;
  /** Ends what is done beside the requests. */
  stop(): Promise<void>;
}

export interface ServiceOptions extends Pick<ServeOptions, 'rate' | 'capacity'>, BesideOptions {
  readonly store: Store;
  /** Whether callers are told apart from the first one on. */
  readonly isGuarded: boolean;
}

/** Puts together all that answers requests, and all that is done beside them. */
export function createService(options: ServiceOptions): Service {
  const { store, rate, capacity, isGuarded, log } = options;
  let isStopping = false;
  const elapsed = () => performance.now();
  const access = createCallers({ access: accessOn(store), elapsed, isGuarded });
  const check = () => store.check();
  const health = healthRoutes({ check, isStopping: () => isStopping });
  const beside = createBeside(store, options);
  const served = servedRoutes(store, capacity, beside.around);
  const routesFor: AppOptions['routesFor'] = (bearer) => [
    ...health,
    ...beside.routesFor(bearer),
    ...served(bearer),
  ];
  const app = createApp({
    routesFor,
    access,
    ...(rate > 0 ? { limit: createRateLimit(rate, elapsed) } : {}),
  });
  return {
    routes: routesFor(undefined),
    beginStop: () => {
      isStopping = true;
      beside.beginStop();
    },
    start: () => beside.start(),
    stop: () => beside.stop(),
    answer: async (request, notes) => {
      const refusal = await refuseForeign(request, access);
      if (!refusal) return app.fetch(request, { notes });
      const { status, headers, body } = refusal;
      return new Response(body, { status, headers });
    },
    onAnswered: (answered) => {
      logAnswered(log, answered);
      beside.answered(answered);
    },
    onCrowded: () => log.warn('connections are refused: there are too many'),
  };
}
