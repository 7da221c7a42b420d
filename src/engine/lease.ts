import type { JsonObject } from '../domain/json.ts';

/** A moment by the database's clock: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

/** What a lease can be on. Each kind is its own world: ids of one never meet ids of another. */
export const KIND_NAMES = ['key', 'job', 'runner_job'] as const;
export type Kind = (typeof KIND_NAMES)[number];

interface KindRules {
  /** Whether its ids come into being by being added, or by being acquired. */
  readonly isAdded: boolean;
  /** Whether its acquisitions count for the monthly limit. */
  readonly isMetered: boolean;
}

export const KINDS: Readonly<Record<Kind, KindRules>> = {
  key: { isAdded: false, isMetered: true },
  job: { isAdded: true, isMetered: false },
  runner_job: { isAdded: true, isMetered: false },
};

/** How a holder ended its lease. */
export const FINISH_WAYS = ['complete', 'fail', 'cancel'] as const;
export type FinishWay = (typeof FINISH_WAYS)[number];

export interface Finish {
  readonly way: FinishWay;
  readonly at: Instant;
  readonly result: JsonObject | null;
  readonly resultHash: string | null;
  readonly errorCode: string | null;
  readonly errorHash: string | null;
}

/** What the acquisition in force was given and answered, so that its repetition answers the same. */
export interface Acquisition {
  readonly idempotencyKey: string | null;
  /** Digest of the request that carried the idempotency key. */
  readonly requestHash: string | null;
  readonly at: Instant;
  readonly version: number;
  /** Milliseconds. */
  readonly ttl: number;
  /** Acquisitions counted in the month of this one, itself included. */
  readonly usage: number;
}

/** Work that was added to wait for somebody who fits. */
export interface Work {
  /** Only who asks for this pool is offered it. */
  readonly pool: string;
  readonly workspace: string | null;
  /** What a candidate must have, all of them. */
  readonly tags: readonly string[];
  /** Who may have it; everybody if nobody is named. */
  readonly runners: readonly string[];
  /** Acquisitions after which it is not offered again; null for any number. */
  readonly maxTries: number | null;
  /** What it is, in the words of its dialect. */
  readonly data: JsonObject;
}

/** Somebody who looks for work. */
export interface Candidate {
  readonly pool: string;
  /** Null for any. */
  readonly workspace: string | null;
  readonly tags: readonly string[];
  readonly runner: string;
}

/**
 * Everything known about one lease: the state that `transition` maps to the next.
 *
 * Work that waits, because nobody had it yet or because it was given back, is a lease that has run
 * out: at `changedAt`, whereas one that a holder let run out did so later.
 */
export interface Lease {
  readonly kind: Kind;
  readonly id: string;
  /** Secret of the holder: who shows it may change the lease. */
  readonly handle: string;
  /**
   * Acquisitions so far: grows by one with each, and never falls while the store remembers the id.
   */
  readonly fencingToken: number;
  /** Grows by one with every accepted change, from 1 at the first acquisition. */
  readonly version: number;
  /** Time to live in force, in milliseconds. */
  readonly ttl: number;
  readonly firstSeenAt: Instant;
  readonly changedAt: Instant;
  readonly expiresAt: Instant;
  readonly acquisition: Acquisition;
  readonly metadata: JsonObject | null;
  /** Null for what was never added. */
  readonly work: Work | null;
  /** Whether the holder is to stop, and nobody to begin. */
  readonly isCancelRequested: boolean;
  /** Set once, never changed. */
  readonly finish: Finish | null;
}

export type Phase = 'held' | 'expired' | 'completed' | 'failed';

/** `waiting` is work that nobody has: it was added or given back. `expired` is without it. */
export type LeaseState = Phase | 'waiting';

export function stateOf(lease: Lease, now: Instant): LeaseState {
  const phase = phaseOf(lease, now);
  const isWaiting =
    phase === 'expired' && lease.work !== null && lease.expiresAt <= lease.changedAt;
  return isWaiting ? 'waiting' : phase;
}

/** How long a finished lease is remembered, in milliseconds: seven days. */
export const RETENTION = 7 * 24 * 3_600_000;

/** What of a lease decides in which phase it is. */
export interface Dated extends Pick<Lease, 'changedAt' | 'expiresAt'> {
  readonly finish: Pick<Finish, 'way' | 'at'> | null;
}

/**
 * The moment a lease is judged at: never before its last change, so that a clock that was set back
 * cannot revive or rewrite anything.
 */
export function judgedAt(lease: Pick<Lease, 'changedAt'>, now: Instant): Instant {
  return Math.max(now, lease.changedAt);
}

export function phaseOf(lease: Dated, now: Instant): Phase {
  if (lease.finish !== null) return lease.finish.way === 'complete' ? 'completed' : 'failed';
  return judgedAt(lease, now) < lease.expiresAt ? 'held' : 'expired';
}

/** Whether nobody may acquire it any more, once its holder has lost it. */
export function isClosed(lease: Lease): boolean {
  return lease.isCancelRequested || isTriedOut(lease);
}

export function isTriedOut({ work, fencingToken }: Lease): boolean {
  return work?.maxTries != null && fencingToken >= work.maxTries;
}

/** The lease, unless it was finished so long ago that it counts as never seen. */
export function remembered<T extends Dated>(lease: T | undefined, now: Instant): T | undefined {
  if (lease?.finish && judgedAt(lease, now) >= lease.finish.at + RETENTION) return undefined;
  return lease;
}
