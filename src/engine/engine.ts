import type { Acquire, Change, Command, Idempotency, Outcome } from './command.ts';
import {
  type Candidate,
  type Instant,
  KINDS,
  type Kind,
  type Lease,
  phaseOf,
  remembered,
  type Work,
} from './lease.ts';
import type { Store, Transaction, View } from './store.ts';
import { transition } from './transition.ts';

export interface EngineOptions {
  readonly store: Store;
  /** Makes a fresh handle; must be unguessable. */
  readonly newHandle: (kind: Kind) => string;
  /** Acquisitions allowed in a calendar month (UTC), of the kinds that are metered. */
  readonly monthlyLimit: number;
}

/** What an answer may tell beside the outcome: the lease as it is now, and when that was decided. */
export interface Decision {
  readonly outcome: Outcome;
  readonly lease: Lease | undefined;
  readonly now: Instant;
}

export interface AcquireDecision extends Decision {
  readonly usage: number;
  readonly limit: number;
}

export type AcquireRequest = Omit<Acquire, 'type' | 'handle' | 'usage'>;

export interface AcquireNextRequest extends Omit<AcquireRequest, 'id' | 'ttl'> {
  readonly candidate: Candidate;
}

export interface AddRequest {
  readonly kind: Kind;
  readonly id: string;
  /** What a lease on it lasts, in milliseconds. */
  readonly ttl: number;
  readonly work: Work;
}

export interface Engine {
  /**
   * Adds work, all of it or none.
   *
   * @throws Error when there is an id already: ids are to be unguessable, and never the same
   */
  add(requests: readonly AddRequest[]): Promise<readonly Lease[]>;
  /** Work that a candidate may acquire now, the oldest first. */
  list(kind: Kind, candidate: Candidate, limit: number): Promise<readonly Lease[]>;
  acquire(request: AcquireRequest): Promise<AcquireDecision>;
  /** Acquires the oldest work that the candidate may have; undefined when there is none. */
  acquireNext(request: AcquireNextRequest): Promise<AcquireDecision | undefined>;
  /**
   * Applies a command to the lease with this id. One with an idempotency key that made a change
   * before is answered as `repeated`.
   */
  change(kind: Kind, id: string, command: Change): Promise<Decision>;
  /** Applies a command to the lease with the handle that the command shows. */
  changeHeld(kind: Kind, command: Extract<Change, { handle: string }>): Promise<Decision>;
  /** What `change` answers to a repetition, or undefined where it would make a change. */
  recall(kind: Kind, id: string, idempotency: Idempotency): Promise<Decision | undefined>;
  /** The lease as it stands, undefined when it is not, or no longer, known. */
  look(kind: Kind, id: string): Promise<{ lease: Lease | undefined; now: Instant }>;
}

/** The lease service: reads, applies `transition`, and writes, in one transaction each. */
export function createEngine({ store, newHandle, monthlyLimit }: EngineOptions): Engine {
  return {
    add: (requests) =>
      store.write(async (transaction) => {
        const added: Lease[] = [];
        for (const request of requests) {
          const command = { ...request, type: 'add', handle: newHandle(request.kind) } as const;
          const before = await transaction.find(request.kind, request.id);
          const { outcome } = await apply(transaction, before, command);
          if (outcome.type !== 'added') throw new Error(`${request.id} exists`);
          added.push(outcome.lease);
        }
        return added;
      }),

    list: (kind, candidate, limit) => store.read((view) => view.claimable(kind, candidate, limit)),

    acquire: (request) =>
      store.write((transaction) =>
        acquire(transaction, request, newHandle(request.kind), monthlyLimit),
      ),

    acquireNext: ({ candidate, ...request }) =>
      store.write(async (transaction) => {
        const { kind, idempotencyKey } = request;
        const [acquired] = await liveWithKey(transaction, kind, idempotencyKey);
        const [next] = acquired ? [acquired] : await transaction.claimable(kind, candidate, 1);
        if (!next) return undefined;
        const { id } = next;
        return acquire(transaction, { ...request, id, ttl: null }, newHandle(kind), monthlyLimit);
      }),

    change: (kind, id, command) =>
      store.write(async (transaction) =>
        change(transaction, await transaction.find(kind, id), command),
      ),

    changeHeld: (kind, command) =>
      store.write(async (transaction) =>
        change(transaction, await transaction.findByHandle(kind, command.handle), command),
      ),

    recall: (kind, id, idempotency) =>
      store.read(async (view) => recall(view, await view.find(kind, id), idempotency)),

    look: (kind, id) =>
      store.read(async (view) => ({
        lease: remembered(await view.find(kind, id), view.now),
        now: view.now,
      })),
  };
}

async function acquire(
  transaction: Transaction,
  request: AcquireRequest,
  handle: string,
  limit: number,
): Promise<AcquireDecision> {
  const { now } = transaction;
  const { isMetered } = KINDS[request.kind];
  const month = new Date(now).toISOString().slice(0, 7);
  const used = isMetered ? await transaction.usage(month) : 0;
  const before = await transaction.find(request.kind, request.id);
  const decide = (outcome: Outcome, lease = before, usage = used) => ({
    outcome,
    lease,
    now,
    usage,
    limit,
  });

  const live = await liveWithKey(transaction, request.kind, request.idempotencyKey);
  if (live.some(({ id }) => id !== request.id)) {
    return decide({ type: 'rejected', reason: 'idempotency_conflict' });
  }
  const command: Acquire = { ...request, type: 'acquire', handle, usage: used + 1 };
  const { lease, outcome } = transition(before, command, now);
  if (!lease || lease === before) {
    const first = outcome.type === 'acquired' ? outcome.lease.acquisition.usage : used;
    return decide(outcome, lease, first);
  }
  if (isMetered && used >= limit) return decide({ type: 'rejected', reason: 'limit_exceeded' });
  await transaction.save(lease);
  if (isMetered) await transaction.charge(month);
  return decide(outcome, lease, used + 1);
}

async function change(
  transaction: Transaction,
  before: Lease | undefined,
  command: Change,
): Promise<Decision> {
  const idempotency = 'idempotency' in command ? command.idempotency : undefined;
  const repeated = idempotency && (await recall(transaction, before, idempotency));
  if (repeated) return repeated;
  const decision = await apply(transaction, before, command);
  const { lease } = decision;
  if (idempotency && lease && lease !== before) {
    const { key, requestHash } = idempotency;
    const { kind, id, fencingToken } = lease;
    await transaction.saveReceipt(kind, id, { idempotencyKey: key, requestHash, fencingToken });
  }
  return decision;
}

/** The answer to a repetition; undefined when the idempotency key made no change yet. */
async function recall(
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

async function apply(
  transaction: Transaction,
  before: Lease | undefined,
  command: Command,
): Promise<Decision> {
  const { now } = transaction;
  const { lease, outcome } = transition(before, command, now);
  if (lease && lease !== before) await transaction.save(lease);
  return { outcome, lease, now };
}

/** Leases that an acquisition with this idempotency key got, and that are still live. */
async function liveWithKey(
  view: View,
  kind: Kind,
  idempotencyKey: string | null,
): Promise<readonly Lease[]> {
  if (idempotencyKey === null) return [];
  const leases = await view.findByIdempotencyKey(kind, idempotencyKey);
  return leases.filter((lease) => phaseOf(lease, view.now) === 'held');
}
