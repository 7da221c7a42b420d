import type { Instant } from '../engine/lease.ts';

/*
 * What is noted of the last housekeeping lies in the future where the clock was ahead by then and was
 * set right. That must not put off the next one until the time has caught up.
 */

/** Whether the last housekeeping was less than `interval` ago. */
export function isEarly(sweptAt: Instant, now: Instant, interval: number): boolean {
  return sweptAt <= now && now < sweptAt + interval;
}

/**
 * From which end of leases on the housekeeping looks for those that ran out.
 *
 * @param back how much there can be, in milliseconds, of which the last one knew nothing
 */
export function begin(expiredUntil: Instant, now: Instant, back: number): Instant {
  return expiredUntil > now ? now - back : expiredUntil;
}

/** How often each namespace is named. */
export function countsOf(namespaces: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const namespace of namespaces) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  return counts;
}
