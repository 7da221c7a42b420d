import { setTimeout as delay } from 'node:timers/promises';

/**
 * A moment by both clocks, in milliseconds. The steady clock cannot be set, but stands still while
 * the machine sleeps; the wall clock goes on, but can be set. What has elapsed since a moment is the
 * larger of what the two say.
 */
export interface Moment {
  /** Since 1970. */
  readonly wall: number;
  /** Since some moment that is the same for all processes of the machine. */
  readonly steady: number;
}

export interface Clocks {
  now(): Moment;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** How late a jump of the wall clock, or the end of a suspension, may be noticed, in milliseconds. */
const TICK = 250;

export const systemClocks: Clocks = {
  now: () => ({ wall: Date.now(), steady: Number(process.hrtime.bigint()) / 1e6 }),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

export function later({ wall, steady }: Moment, milliseconds: number): Moment {
  return { wall: wall + milliseconds, steady: steady + milliseconds };
}

/** Milliseconds that are left until a moment; negative when it is past. */
export function left(until: Moment, now: Moment): number {
  return Math.min(until.wall - now.wall, until.steady - now.steady);
}

export function isPast(moment: Moment, now: Moment): boolean {
  return left(moment, now) <= 0;
}

/** The one that comes first, as things stand now. */
export function earlier(one: Moment, other: Moment, now: Moment): Moment {
  return left(one, now) < left(other, now) ? one : other;
}

/** Sleeps until a moment is past by either clock, or the signal is aborted. */
export async function sleepUntil(
  moment: Moment,
  clocks: Clocks,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const rest = left(moment, clocks.now());
    if (rest <= 0 || signal.aborted) return;
    await clocks.sleep(Math.min(rest, TICK), signal);
  }
}
