import type { Origin } from '../domain/origin.ts';

export type LeaseKind = 'key' | 'job' | 'runner_job';

/**
 * What a lease was found to be. `waiting` is work that nobody has; `never_seen` what the service does
 * not know; `untold` what it has no words for.
 */
export type SeenState =
  | 'held'
  | 'waiting'
  | 'expired'
  | 'completed'
  | 'failed'
  | 'never_seen'
  | 'untold';

/**
 * What a service told of a lease at one look. Undefined is what it did not tell. Times are
 * milliseconds since 1970 by the service's clock, durations milliseconds.
 */
export interface Sighting {
  readonly kind: LeaseKind;
  readonly id: string;
  readonly state: SeenState;
  /** When it was looked at. */
  readonly at: number;
  /** When it ends unless it is renewed, or ended by itself. */
  readonly endsAt?: number | undefined;
  /** Of the last renewal. */
  readonly ttl?: number | undefined;
  readonly firstSeenAt?: number | undefined;
  readonly acquiredAt?: number | undefined;
  readonly changedAt?: number | undefined;
  readonly finishedAt?: number | undefined;
  /** Grows with every change. */
  readonly version?: number | undefined;
  /** Which acquisition this is, counted from 1. */
  readonly fencingToken?: number | undefined;
  /** Acquisitions after which it is not offered again. */
  readonly maxTries?: number | undefined;
  /** Who has, or last had it, as the service names him. */
  readonly holder?: string | undefined;
  readonly origin?: Origin | undefined;
  readonly errorCode?: string | undefined;
  /** Whether the holder is to stop. */
  readonly isCancelRequested?: boolean | undefined;
  /** Whether nobody may acquire it any more, once its holder has lost it. */
  readonly isClosed?: boolean | undefined;
  /** How long the service wants to be left alone until the next look. */
  readonly retryAfter?: number | undefined;
}
