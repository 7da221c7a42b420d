import type { Bearer } from '../engine/access.ts';
import { DEFAULT_NAMESPACE, type Store } from '../engine/store.ts';
import type { Route } from '../http/route.ts';
import type { Around } from '../served.ts';
import { createFaultInjector } from '../server/fault-injector.ts';
import { describeFaults, type Faults } from '../server/faults.ts';
import type { Log } from '../server/log.ts';
import { createMetrics } from '../server/metrics.ts';
import { metricsRoute, openApiRoute } from '../server/own-routes.ts';
import { pause } from '../server/pause.ts';
import type { Answered } from '../server/request-notes.ts';
import type { Streams } from '../server/streams.ts';
import { type Sweeper, startSweeper } from '../server/sweeper.ts';

export interface BesideOptions {
  /** Faults that are made on purpose. */
  readonly faults: Faults | undefined;
  /** Gives the description of the service, as JSON. */
  readonly openApi: () => Promise<string>;
  readonly log: Log;
  readonly streams: Pick<Streams, 'count'>;
}

/** What a service does beside answering: counting, housekeeping, and faults on purpose. */
export interface Beside {
  readonly around: Around;
  routesFor(bearer: Bearer | undefined): readonly Route[];
  answered(answered: Answered): void;
  /** Begins the housekeeping. */
  start(): void;
  /** Makes nobody wait any more. */
  beginStop(): void;
  stop(): Promise<void>;
}

export function createBeside(store: Store, options: BesideOptions): Beside {
  const { faults, openApi, log, streams } = options;
  const metrics = createMetrics();
  const described = openApiRoute(openApi);
  const injector =
    faults &&
    createFaultInjector(faults, {
      pause,
      // Each request is late: the log would have nothing else.
      onFault: (fault, where) =>
        log[fault === 'latency' ? 'debug' : 'info']({ fault, where }, 'a fault was made'),
      onFailure: (error) => log.error({ err: error }, 'a lease could not be lost'),
    });
  let sweeper: Sweeper | undefined;
  return {
    around: {
      engine: (engine, namespace) => {
        const observed = metrics.observed(engine, namespace);
        return injector?.engine(observed) ?? observed;
      },
      routes: (routes) => injector?.routes(routes) ?? routes,
    },
    routesFor(bearer) {
      const namespace = bearer?.namespace ?? DEFAULT_NAMESPACE;
      const census = () => store.within(namespace).read((view) => view.census());
      const text = () => metrics.text(namespace, census, streams.count(namespace));
      return [described, metricsRoute(metrics.contentType, text)];
    },
    answered({ notes, method, status, milliseconds }) {
      const { route, bearer, isDropped } = notes;
      const dropped = isDropped ? 'dropped' : 'none';
      metrics.answered({
        namespace: bearer?.namespace,
        method: method ?? 'none',
        route,
        status: status === undefined ? dropped : String(status),
        milliseconds,
      });
    },
    start() {
      if (faults) log.warn({ faults: describeFaults(faults) }, 'faults are made on purpose');
      sweeper = startSweeper({
        store,
        pause,
        elapsed: () => performance.now(),
        onSwept: ({ expired, dropped }) => {
          metrics.ranOut(expired);
          const ranOut = [...expired.values()].reduce((sum, count) => sum + count, 0);
          if (ranOut + dropped > 0) log.debug({ ran_out: ranOut, dropped }, 'housekeeping');
        },
        onFailure: (error) => log.error({ err: error }, 'the housekeeping failed'),
      });
    },
    beginStop: () => injector?.close(),
    stop: async () => sweeper?.stop(),
  };
}
