import { RETENTION } from '../engine/lease.ts';
import type { Store, SweepOptions, Swept } from '../engine/store.ts';
import type { Pause } from './pause.ts';

export interface SweeperOptions {
  readonly store: Pick<Store, 'sweep'>;
  readonly pause: Pause;
  /** Milliseconds of a clock that is never set. */
  readonly elapsed: () => number;
  /** Told what each part of the housekeeping did. */
  readonly onSwept: (swept: Swept) => void;
  /** Told why a part failed; the next one is tried after the interval. */
  readonly onFailure: (error: unknown) => void;
}

export interface Sweeper {
  /** Begins no other part. @returns when the one that is at work has ended */
  stop(): Promise<void>;
}

/**
 * How long things are kept, and how much is done at a time: few enough rows that a request which has
 * to wait for them does not notice.
 */
export const SWEEPING: SweepOptions = {
  retention: RETENTION,
  history: 30 * 24 * 3_600_000,
  interval: 60_000,
  limit: 200,
};

/** Milliseconds, at least, between two parts. */
const SHORTEST_PAUSE = 20;
/** It rests so many times as long as it worked, or waited for its turn. */
const REST = 4;

/** Does the housekeeping of a database, all the time, in small parts. */
export function startSweeper(
  { store, pause, elapsed, onSwept, onFailure }: SweeperOptions,
  options = SWEEPING,
): Sweeper {
  const stopping = new AbortController();
  /** @returns milliseconds until the next part */
  const part = async () => {
    const start = elapsed();
    try {
      const swept = await store.sweep(options);
      if (!swept) return options.interval;
      onSwept(swept);
      return swept.isDone ? options.interval : Math.max(SHORTEST_PAUSE, REST * (elapsed() - start));
    } catch (error) {
      onFailure(error);
      return options.interval;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) await pause(await part(), stopping.signal);
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
