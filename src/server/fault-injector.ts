import { NOBODY } from '../domain/requester.ts';
import type { AcquireDecision, Engine } from '../engine/engine.ts';
import type { Lease } from '../engine/lease.ts';
import type { Route } from '../http/route.ts';
import type { Faults, Span } from './faults.ts';
import type { Pause } from './pause.ts';
import { createRandom, type Random } from './random.ts';

/** Which of the faults was made. */
export type Fault = 'lose' | 'rate-limit' | 'latency' | 'drop-answer';

export interface FaultInjectorOptions {
  readonly pause: Pause;
  /** Told of every fault that is made, with the path of the route, or the kind of the lease. */
  readonly onFault: (fault: Fault, where: string) => void;
  /** Told when a lease could not be broken. */
  readonly onFailure: (error: unknown) => void;
}

export interface FaultInjector {
  /** The same routes, with faults. */
  routes(routes: readonly Route[]): Route[];
  /** The same engine, whose leases are lost. */
  engine(engine: Engine): Engine;
  /** Waits for nothing any more: neither for what is late, nor for leases to be lost. */
  close(): void;
}

/** Thrown instead of answering: what was asked for is done, and the connection is to be cut. */
export class AnswerDropped extends Error {
  override readonly name = 'AnswerDropped';
}

/** What is to become of a request. */
interface Fate {
  readonly isLimited: boolean;
  /** Milliseconds. */
  readonly latency: number;
  readonly isDropped: boolean;
}

/** Makes the faults that somebody asked for. */
export function createFaultInjector(
  faults: Faults,
  { pause, onFault, onFailure }: FaultInjectorOptions,
): FaultInjector {
  const closing = new AbortController();
  const fateOf = fates(faults);
  const lifetime = times(faults.lose, faults.seed + 3);
  const lose = async (engine: Engine, { kind, id, fencingToken }: Lease) => {
    await pause(lifetime(), closing.signal);
    if (closing.signal.aborted) return;
    const detail = { reason: 'fault' };
    const command = { type: 'break', fencingToken, detail } as const;
    const { outcome } = await engine.change(kind, id, command, NOBODY);
    if (outcome.type === 'broken') onFault('lose', kind);
  };
  const losing = <T extends AcquireDecision | undefined>(engine: Engine, decision: T): T => {
    const outcome = decision?.outcome;
    if (faults.lose && outcome?.type === 'acquired' && !outcome.replayed) {
      lose(engine, outcome.lease).catch(onFailure);
    }
    return decision;
  };
  return {
    engine: (engine) => ({
      ...engine,
      acquire: async (request, by) => losing(engine, await engine.acquire(request, by)),
      acquireNext: async (request, by) => losing(engine, await engine.acquireNext(request, by)),
    }),

    routes: (routes) =>
      routes.map((route) => ({
        ...route,
        handle: async (request) => {
          const { isLimited, latency, isDropped } = fateOf();
          const told = (fault: Fault) => onFault(fault, route.path);
          if (latency > 0) {
            told('latency');
            await pause(latency, closing.signal);
          }
          if (isLimited) {
            told('rate-limit');
            const { headers, ...answer } = route.refuse('rate_limited');
            return { ...answer, headers: { 'retry-after': '1', ...headers } };
          }
          const answer = await route.handle(request);
          if (!isDropped) return answer;
          told('drop-answer');
          throw new AnswerDropped();
        },
      })),

    close: () => closing.abort(),
  };
}

/**
 * Each fault is chosen by its own random numbers, one for each request: so whether another one is
 * made, or how long it takes, changes nothing of it.
 */
function fates({ rateLimit, latency, dropAnswer, seed }: Faults): () => Fate {
  const isLimited = createRandom(seed);
  const wait = times(latency, seed + 1);
  const isDropped = createRandom(seed + 2);
  return () => ({
    isLimited: isLimited() * 100 < rateLimit,
    latency: wait(),
    isDropped: isDropped() * 100 < dropAnswer,
  });
}

/** Times of a span, all of them equally likely; 0 without one. */
function times(span: Span | undefined, seed: number): () => number {
  const random: Random = createRandom(seed);
  if (!span) return () => 0;
  return () => span.low + Math.floor(random() * (span.high - span.low + 1));
}
