import { isoTime } from '../domain/clock.ts';
import type { Requester } from '../domain/requester.ts';
import type { Acquire, Change, Command, Idempotency, Outcome, Rejection } from './command.ts';
import { eventsOf, type NewEvent, type Change as Noted } from './history.ts';
import { type Instant, KINDS, type Kind, type Lease, phaseOf } from './lease.ts';
import type { Transaction, View } from './store.ts';
import { transition } from './transition.ts';

/*
 * What is decided in one transaction, and noted there.
 */

/** What an answer may tell beside the outcome: the lease as it is now, and when that was decided. */
export interface Decision {
  readonly outcome: Outcome;
  readonly lease: Lease | undefined;
  readonly now: Instant;
}

export interface AcquireDecision extends Decision {
  readonly usage: number;
  readonly limit: number;
  /** Whether it was not known yet that the last one who held it had let it run out. */
  readonly foundExpired: boolean;
}

export type AcquireRequest = Omit<Acquire, 'type' | 'handle' | 'usage'>;

export interface Rules {
  readonly monthlyLimit: number;
  readonly capacity: number;
}

/** What is asked of a lease, which has no id where nobody knows which one is meant. */
export type Asked<C> = Pick<Noted, 'kind' | 'before' | 'by'> & {
  readonly id: string | undefined;
  readonly command: C;
};

/** Another caller's request is another one, with whatever idempotency key. */
function hashBy({ caller }: Requester, requestHash: string | null): string | null {
  return requestHash === null ? null : JSON.stringify([caller, requestHash]);
}

/** Acquires a lease, unless there is a reason not to. */
export async function acquire(
  transaction: Transaction,
  request: AcquireRequest,
  handle: string,
  { monthlyLimit: limit, capacity }: Rules,
  by: Requester,
): Promise<AcquireDecision> {
  const { kind, id, idempotencyKey } = request;
  // At once, as a store may be far away; the key first, as all who have one do, for what is looked up
  // is locked.
  const [live, before] = await Promise.all([
    liveWithKey(transaction, kind, idempotencyKey),
    transaction.find(kind, id),
  ]);
  const { now } = transaction;
  const { isMetered } = KINDS[kind];
  const month = isoTime(now).slice(0, 7);
  const used = isMetered ? await transaction.usage(month) : 0;
  const requestHash = hashBy(by, request.requestHash);
  const command: Acquire = { ...request, type: 'acquire', requestHash, handle, usage: used + 1 };
  const decide = async (outcome: Outcome, lease = before, usage = used) => {
    const noted = await note(transaction, { kind, id, before, command, outcome, now, by });
    const foundExpired = noted.some(({ type }) => type === 'expired');
    return { outcome, lease, now, usage, limit, foundExpired };
  };
  const reject = (reason: Rejection) => decide({ type: 'rejected', reason });

  if (live.some((lease) => lease.id !== id)) return reject('idempotency_conflict');
  const { lease, outcome } = transition(before, command, now);
  if (!lease || lease === before) {
    const first = outcome.type === 'acquired' ? outcome.lease.acquisition.usage : used;
    return decide(outcome, lease, first);
  }
  if (isMetered && used >= limit) return reject('limit_exceeded');
  if (!before && (await transaction.stored()) >= capacity) return reject('storage_full');
  await transaction.save(lease);
  if (isMetered) await transaction.charge(month);
  return decide(outcome, lease, used + 1);
}

export async function change(transaction: Transaction, asked: Asked<Change>): Promise<Decision> {
  const { before, command } = asked;
  const idempotency = 'idempotency' in command ? command.idempotency : undefined;
  const repeated = idempotency && (await recall(transaction, before, idempotency));
  if (repeated) {
    await noteAsked(transaction, asked, repeated);
    return repeated;
  }
  const decision = await apply(transaction, asked);
  const { lease } = decision;
  if (idempotency && lease && lease !== before) {
    const { key, requestHash } = idempotency;
    const { kind, id, fencingToken } = lease;
    await transaction.saveReceipt(kind, id, { idempotencyKey: key, requestHash, fencingToken });
  }
  return decision;
}

/** The answer to a repetition; undefined when the idempotency key made no change yet. */
export async function recall(
  view: View,
  lease: Lease | undefined,
  { key, requestHash }: Idempotency,
): Promise<Decision | undefined> {
  const receipt = lease && (await view.findReceipt(lease.kind, lease.id, key));
  if (!receipt) return undefined;
  const outcome: Outcome =
    receipt.requestHash === requestHash
      ? { type: 'repeated', lease, fencingToken: receipt.fencingToken }
      : { type: 'rejected', reason: 'idempotency_conflict' };
  return { outcome, lease, now: view.now };
}

export async function apply(transaction: Transaction, asked: Asked<Command>): Promise<Decision> {
  const { before, command } = asked;
  const { now } = transaction;
  const { lease, outcome } = transition(before, command, now);
  if (lease && lease !== before) await transaction.save(lease);
  const decision = { outcome, lease, now };
  await noteAsked(transaction, asked, decision);
  return decision;
}

async function noteAsked(
  transaction: Transaction,
  { id, ...asked }: Asked<Command>,
  { outcome, now }: Decision,
): Promise<void> {
  if (id !== undefined) await note(transaction, { ...asked, id, outcome, now });
}

/** @returns what was not noted before */
async function note(transaction: Transaction, noted: Noted): Promise<readonly NewEvent[]> {
  const fresh: NewEvent[] = [];
  for (const event of eventsOf(noted)) {
    if (await transaction.saveEvent(event)) fresh.push(event);
  }
  return fresh;
}

/** Leases that an acquisition with this idempotency key got, and that are still live. */
export async function liveWithKey(
  view: View,
  kind: Kind,
  idempotencyKey: string | null,
): Promise<readonly Lease[]> {
  if (idempotencyKey === null) return [];
  const leases = await view.findByIdempotencyKey(kind, idempotencyKey);
  return leases.filter((lease) => phaseOf(lease, view.now) === 'held');
}
