import type {
  Acquire,
  Add,
  Break,
  Command,
  Extend,
  FinishCommand,
  Outcome,
  Proof,
  Rejection,
  Release,
} from './command.ts';
import {
  type Finish,
  type Instant,
  isClosed,
  isTriedOut,
  judgedAt,
  KINDS,
  type Lease,
  phaseOf,
  remembered,
} from './lease.ts';

/*
 * The life of a lease
 *
 *                 acquire                    finish (complete, fail, cancel)
 *   never seen ─────────────▶ held ───────────────────────────────────────▶ finished
 *     │ ▲                    ▲    │ extend: held again, with a new end        ▲  │
 *     │ │            acquire │    │ time passes its end; release; break       │  │
 *     │ │                    │    ▼                          request_cancel   │  │
 * add │ │                   expired ──────────────────────────────────────────┘  │
 *     └─┼────────────────────▶                                                   │
 *       └────────────────────────────────────────────────────────────────────────┘
 *                              the retention is over
 *
 * Keys come into being by being acquired. Jobs are added, and wait as what has run out: whoever
 * acquires next, gets them.
 * held: the handle's bearer, and nobody else, may extend and finish. Everybody else learns who
 *   holds it. expired: the old handle is refused even if nobody else came; the next `acquire` wins.
 * closed: work whose tries are used up, or that is to be canceled. Its holder, if there is one, goes on
 *   until the lease ends; nobody acquires it any more.
 * finished: nothing changes any more. The same finish by the same handle is answered as the first
 *   time, so that a lost answer can be asked for again; any other is refused.
 *
 * No event moves a lease from held to expired: the clock does, whenever somebody looks.
 */

export type { Command, Outcome } from './command.ts';

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
    case 'add':
      return add(lease, command, now);
    case 'acquire':
      return acquire(lease, command, now);
    case 'extend':
      return extend(lease, command, now);
    case 'finish':
      return finish(lease, command, now);
    case 'release':
      return release(lease, command, now);
    case 'request_cancel':
      return requestCancel(lease, now);
    case 'break':
      return breakLease(lease, command, now);
  }
}

function add(stored: Lease | undefined, command: Add, now: Instant): Transition {
  if (stored) return rejected(stored, 'exists');
  const { kind, id, ttl, handle, work } = command;
  const acquisition = {
    idempotencyKey: null,
    requestHash: null,
    at: now,
    version: 1,
    ttl,
    usage: 0,
  };
  const lease: Lease = {
    kind,
    id,
    handle,
    fencingToken: 0,
    version: 1,
    ttl,
    firstSeenAt: now,
    changedAt: now,
    expiresAt: now,
    acquisition,
    metadata: null,
    work,
    isCancelRequested: false,
    finish: null,
  };
  return { lease, outcome: { type: 'added', lease } };
}

function acquire(stored: Lease | undefined, command: Acquire, now: Instant): Transition {
  const lease = remembered(stored, now);
  if (lease?.finish) return { lease: stored, outcome: { type: 'finished', lease } };
  if (lease && phaseOf(lease, now) === 'held') {
    return { lease: stored, outcome: acquireHeld(lease, command) };
  }
  const ttl = command.ttl ?? lease?.acquisition.ttl;
  const isMissing = !lease && KINDS[command.kind].isAdded;
  if (isMissing || ttl === undefined) return rejected(stored, 'unknown');
  if (lease && isClosed(lease)) return rejected(stored, 'closed');
  const at = stored ? judgedAt(stored, now) : now;
  const version = (lease?.version ?? 0) + 1;
  const { idempotencyKey, requestHash, usage } = command;
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
    acquisition: { idempotencyKey, requestHash, at, version, ttl, usage },
    metadata: command.metadata,
    work: lease?.work ?? null,
    isCancelRequested: false,
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
  const found = heldBy(stored, command, now);
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
  const found = heldBy(stored, command, now);
  if ('reason' in found) return rejected(stored, found.reason);
  const { lease } = found;
  const { way, result, resultHash, errorCode, errorHash } = command;
  if (lease.finish) {
    // Without a key, a repetition is known by its way and its handle: what it carries was stored the
    // first time.
    return command.idempotency === undefined && lease.finish.way === way
      ? { lease: stored, outcome: { type: 'finished', lease } }
      : rejected(stored, 'already_finished');
  }
  return finished(lease, { way, result, resultHash, errorCode, errorHash }, now);
}

function finished(lease: Lease, how: Omit<Finish, 'at'>, now: Instant): Transition {
  const at = judgedAt(lease, now);
  const next: Lease = {
    ...lease,
    version: lease.version + 1,
    changedAt: at,
    finish: { ...how, at },
  };
  return { lease: next, outcome: { type: 'finished', lease: next } };
}

function release(stored: Lease | undefined, command: Release, now: Instant): Transition {
  const found = heldBy(stored, command, now);
  if ('reason' in found) return rejected(stored, found.reason);
  const { lease } = found;
  if (lease.finish) return rejected(stored, 'already_finished');
  const next = endedNow(lease, now);
  return { lease: next, outcome: { type: 'released', lease: next } };
}

function breakLease(stored: Lease | undefined, command: Break, now: Instant): Transition {
  const lease = remembered(stored, now);
  if (!lease) return rejected(stored, 'unknown');
  if (lease.finish) return rejected(stored, 'already_finished');
  const { fencingToken = lease.fencingToken, version = lease.version } = command;
  const isMeant = fencingToken === lease.fencingToken && version === lease.version;
  if (!isMeant || phaseOf(lease, now) !== 'held') return rejected(stored, 'not_held');
  const next = endedNow(lease, now);
  return { lease: next, outcome: { type: 'broken', lease: next } };
}

function endedNow(lease: Lease, now: Instant): Lease {
  const at = judgedAt(lease, now);
  return { ...lease, version: lease.version + 1, changedAt: at, expiresAt: at };
}

function requestCancel(stored: Lease | undefined, now: Instant): Transition {
  const lease = remembered(stored, now);
  if (!lease) return rejected(stored, 'unknown');
  if (lease.finish) return rejected(stored, 'already_finished');
  if (phaseOf(lease, now) !== 'held') {
    if (isTriedOut(lease)) return rejected(stored, 'closed');
    const nothing = { result: null, resultHash: null, errorHash: null };
    return finished(lease, { way: 'cancel', errorCode: 'canceled', ...nothing }, now);
  }
  const changed = { version: lease.version + 1, changedAt: judgedAt(lease, now) };
  const next: Lease = { ...lease, ...changed, isCancelRequested: true };
  return { lease: next, outcome: { type: 'cancel_requested', lease: next } };
}

/** The lease if this proof is, or was when it finished, its holder's; else why it is not. */
function heldBy(
  stored: Lease | undefined,
  { handle, fencingToken }: Proof,
  now: Instant,
): { lease: Lease } | { reason: Rejection } {
  const lease = remembered(stored, now);
  if (!lease) return { reason: 'unknown' };
  if (lease.handle !== handle) return { reason: 'wrong_handle' };
  if (fencingToken !== undefined && fencingToken !== lease.fencingToken) {
    return { reason: 'wrong_handle' };
  }
  if (phaseOf(lease, now) === 'expired') return { reason: 'expired' };
  return { lease };
}

function rejected(lease: Lease | undefined, reason: Rejection): Transition {
  return { lease, outcome: { type: 'rejected', reason } };
}
