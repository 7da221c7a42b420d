import { timeUntil } from './http/exchange.ts';
import type { Style } from './output/style.ts';
import { timeLeft } from './output/time.ts';

/** What a lease on a job lasts where the service does not say, in milliseconds. */
export const USUAL_LEASE = 120_000;

/** When a lease ends that a service told the end of. */
export interface LeaseEnd {
  /** By this machine's clock, rather too early than too late. */
  readonly expiresAt: number;
  /** For people: the service's own time, and what is left. */
  readonly shown: (style: Style) => string;
}

/**
 * @param answer the service's answer that tells the end
 * @param end by the service's clock, in milliseconds since 1970; undefined or NaN when it tells none
 * @param sentAt when the request left
 * @param now when its answer had come
 */
export function leaseEnd(
  answer: unknown,
  end: number | undefined,
  sentAt: number,
  now: number,
): LeaseEnd | undefined {
  if (end === undefined || Number.isNaN(end)) return undefined;
  const expiresAt = Math.round(sentAt + timeUntil(answer, end, now));
  return { expiresAt, shown: (style) => timeLeft(end, end - (expiresAt - now), style) };
}
