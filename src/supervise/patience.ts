import type { Failure } from '../domain/failure.ts';
import { type Clocks, later, left, type Moment, sleepUntil } from './moment.ts';

/** What one look brought: what was waited for, or why it is not to be had yet. */
export type Look<T> =
  | { readonly found: T }
  | {
      readonly failure: Failure;
      /** Milliseconds after which the service wants to be asked again; undefined if it says nothing. */
      readonly retryAfter: number | undefined;
    };

export interface WaitOptions<T> {
  readonly look: () => Promise<Look<T>>;
  readonly clocks: Clocks;
  /** When to give up; undefined for never. */
  readonly until: Moment | undefined;
  /** Milliseconds between looks where the service says nothing; undefined for growing ones. */
  readonly interval: number | undefined;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Ends a wait at once. */
  readonly signal: AbortSignal;
  /** @param pause milliseconds until the next look */
  readonly onWait: (failure: Failure, pause: number) => void;
}

/** The first wait, and the longest one, where the service says nothing, in milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/**
 * Looks until what is waited for is there.
 *
 * @returns undefined when the signal was aborted
 * @throws the failure of the last look, when the time is over
 */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T | undefined> {
  const { look, clocks, until, interval, random, signal, onWait } = options;
  let usual = interval ?? FIRST_PAUSE;
  for (;;) {
    const seen = await look();
    if ('found' in seen) return seen.found;
    const { failure, retryAfter } = seen;
    const rest = until ? left(until, clocks.now()) : Number.POSITIVE_INFINITY;
    if (rest <= 0) throw failure;
    // Later rather than sooner, and not all at once.
    const pause = Math.min(rest, (retryAfter ?? usual) * (1 + random() / 4));
    if (!interval) usual = Math.min(LONGEST_PAUSE, usual * 1.5);
    onWait(failure, pause);
    await sleepUntil(later(clocks.now(), pause), clocks, signal);
    if (signal.aborted) return undefined;
  }
}
