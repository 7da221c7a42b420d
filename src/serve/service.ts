import type { Store } from '../engine/store.ts';
import { accessOn } from '../engines.ts';
import type { Route } from '../http/route.ts';
import { servedRoutes } from '../served.ts';
import { createApp } from '../server/app.ts';
import { createCallers } from '../server/callers.ts';
import { createFindDirect } from '../server/direct.ts';
import { createEndpoints, type EndpointsOptions, headersOf } from '../server/endpoints.ts';
import { healthRoutes } from '../server/health.ts';
import { logAnswered } from '../server/log.ts';
import { originOf, refuseForeign } from '../server/loopback.ts';
import { pause } from '../server/pause.ts';
import { createRateLimit } from '../server/rate-limit.ts';
import { Streams } from '../server/streams.ts';
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

export interface ServiceOptions
  extends Pick<ServeOptions, 'rate' | 'capacity'>,
    Omit<BesideOptions, 'streams'> {
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
  const streams = new Streams({ pause });
  const beside = createBeside(store, { ...options, streams });
  const served = servedRoutes(store, capacity, beside.around);
  const routesFor: EndpointsOptions['routesFor'] = (bearer) => [
    ...health,
    ...beside.routesFor(bearer),
    ...served(bearer),
  ];
  const limit = rate > 0 ? { limit: createRateLimit(rate, elapsed) } : {};
  const endpoints = createEndpoints({ routesFor, access, ...limit });
  const app = createApp({ routesFor, streams }, endpoints);
  const findDirect = createFindDirect(endpoints);
  return {
    routes: endpoints.routes,
    beginStop: () => {
      isStopping = true;
      streams.stop();
      beside.beginStop();
    },
    start: () => beside.start(),
    stop: () => beside.stop(),
    answer: async (request, notes) => {
      const refusal = await refuseForeign(originOf(request), access);
      if (!refusal) return app.fetch(request, { notes });
      const { status, body } = refusal;
      return new Response(body, { status, headers: headersOf(refusal) });
    },
    direct: (incoming) => {
      const found = findDirect(incoming);
      return (
        found &&
        (async (notes) => (await refuseForeign(found.origin, access)) ?? found.answer(notes))
      );
    },
    onAnswered: (answered) => {
      logAnswered(log, answered);
      beside.answered(answered);
    },
    onCrowded: () => log.warn('connections are refused: there are too many'),
  };
}
