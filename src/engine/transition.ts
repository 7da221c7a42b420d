import type { JsonObject } from '../domain/json.ts';
import {
  type Finish,
  type Instant,
  judgedAt,
  type Kind,
  type Lease,
  phaseOf,
  remembered,
} from './lease.ts';

/*
 * The life of a lease
 *
 *                 acquire                    finish (complete, fail, cancel)
 *   never seen ─────────────▶ held ───────────────────────────────────────▶ finished
 *       ▲                    ▲    │ extend: held again, with a new end           │
 *       │            acquire │    │ time passes its end                          │
 *       │                    │    ▼                                              │
 *       │                   expired                                              │
 *       └────────────────────────────────────────────────────────────────────────┘
 *                              the retention is over
 *
 * held: the handle's bearer, and nobody else, may extend and finish. Everybody else learns who
 *   holds it. expired: the old handle is refused even if nobody else came; the next `acquire` wins.
 * finished: nothing changes any more. The same finish by the same handle is answered as the first
 *   time, so that a lost answer can be asked for again; any other is refused.
 *
 * No event moves a lease from held to expired: the clock does, whenever somebody looks.
 */

export interface Acquire {
  readonly type: 'acquire';
  readonly kind: Kind;
  readonly id: string;
  /** Milliseconds. */
  readonly ttl: number;
  /** The handle to give if the lease is acquired: fresh and unguessable. */
  readonly handle: string;
  readonly metadata: JsonObject | null;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  /** The month's count if this acquisition is granted. */
  readonly usage: number;
}

export interface Extend {
  readonly type: 'extend';
  readonly handle: string;
  /** Milliseconds from now; null for the time to live that the lease was acquired with. */
  readonly ttl: number | null;
}

export interface FinishCommand extends Omit<Finish, 'at'> {
  readonly type: 'finish';
  readonly handle: string;
}

export type Command = Acquire | Extend | FinishCommand;

export type Rejection =
  | 'unknown'
  | 'wrong_handle'
  | 'expired'
  | 'already_finished'
  | 'idempotency_conflict'
  | 'limit_exceeded';

export type Outcome =
  /** The caller holds the lease; `replayed` when this repeats an earlier acquisition. */
  | { readonly type: 'acquired'; readonly lease: Lease; readonly replayed: boolean }
  /** Somebody else holds it. */
  | { readonly type: 'held'; readonly lease: Lease }
  | { readonly type: 'extended'; readonly lease: Lease }
  /** It is finished: by this command, by an earlier one like it, or before an acquisition came. */
  | { readonly type: 'finished'; readonly lease: Lease }
  | { readonly type: 'rejected'; readonly reason: Rejection };

export interface Transition {
  /** The lease afterwards; the very same object when nothing changed. */
  readonly lease: Lease | undefined;
  readonly outcome: Outcome;
}

/**
 * What a command does to a lease at a moment. Pure: same arguments, same answer, no effects.
 *
 * @param lease the lease as stored, undefined when its id was never seen
 * @param now by the one clock that decides, the database's
 */
export function transition(lease: Lease | undefined, command: Command, now: Instant): Transition {
  switch (command.type) {
    case 'acquire':
      return acquire(lease, command, now);
    case 'extend':
      return extend(lease, command, now);
    case 'finish':
      return finish(lease, command, now);
  }
}

function acquire(stored: Lease | undefined, command: Acquire, now: Instant): Transition {
  const lease = remembered(stored, now);
  if (lease?.finish) return { lease: stored, outcome: { type: 'finished', lease } };
  if (lease && phaseOf(lease, now) === 'held') {
    return { lease: stored, outcome: acquireHeld(lease, command) };
  }
  const at = stored ? judgedAt(stored, now) : now;
  const version = (lease?.version ?? 0) + 1;
  const { idempotencyKey, requestHash, ttl, usage } = command;
  const next: Lease = {
    kind: command.kind,
    id: command.id,
    handle: command.handle,
    fencingToken: (stored?.fencingToken ?? 0) + 1,
    version,
    ttl,
    firstSeenAt: lease?.firstSeenAt ?? at,
    changedAt: at,
    expiresAt: at + ttl,
    acquisition: { idempotencyKey, requestHash, version, ttl, usage },
    metadata: command.metadata,
    finish: null,
  };
  return { lease: next, outcome: { type: 'acquired', lease: next, replayed: false } };
}

function acquireHeld(lease: Lease, command: Acquire): Outcome {
  const { idempotencyKey, requestHash } = lease.acquisition;
  if (command.idempotencyKey === null || command.idempotencyKey !== idempotencyKey) {
    return { type: 'held', lease };
  }
  return command.requestHash === requestHash
    ? { type: 'acquired', lease, replayed: true }
    : { type: 'rejected', reason: 'idempotency_conflict' };
}

function extend(stored: Lease | undefined, command: Extend, now: Instant): Transition {
  const found = heldBy(stored, command.handle, now);
  if ('reason' in found) return rejected(stored, found.reason);
  const { lease } = found;
  if (lease.finish) return rejected(stored, 'already_finished');
  const at = judgedAt(lease, now);
  const ttl = command.ttl ?? lease.acquisition.ttl;
  const next: Lease = {
    ...lease,
    ttl,
    version: lease.version + 1,
    changedAt: at,
    expiresAt: at + ttl,
  };
  return { lease: next, outcome: { type: 'extended', lease: next } };
}

function finish(stored: Lease | undefined, command: FinishCommand, now: Instant): Transition {
  const found = heldBy(stored, command.handle, now);
  if ('reason' in found) return rejected(stored, found.reason);
  const { lease } = found;
  const { type: _, handle: __, ...what } = command;
  if (lease.finish) {
    // A repetition is known by its way and its handle: what it carries was stored the first time.
    return lease.finish.way === what.way
      ? { lease: stored, outcome: { type: 'finished', lease } }
      : rejected(stored, 'already_finished');
  }
  const at = judgedAt(lease, now);
  const next: Lease = {
    ...lease,
    version: lease.version + 1,
    changedAt: at,
    finish: { ...what, at },
  };
  return { lease: next, outcome: { type: 'finished', lease: next } };
}

/** The lease if this handle is, or was when it finished, its holder's; else why it is not. */
function heldBy(
  stored: Lease | undefined,
  handle: string,
  now: Instant,
): { lease: Lease } | { reason: Rejection } {
  const lease = remembered(stored, now);
  if (!lease) return { reason: 'unknown' };
  if (lease.handle !== handle) return { reason: 'wrong_handle' };
  if (phaseOf(lease, now) === 'expired') return { reason: 'expired' };
  return { lease };
}

function rejected(lease: Lease | undefined, reason: Rejection): Transition {
  return { lease, outcome: { type: 'rejected', reason } };
}
