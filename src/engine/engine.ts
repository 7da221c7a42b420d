import { Failure } from '../domain/failure.ts';
import type { Acquire, Change, Command, Idempotency, Outcome } from './command.ts';
import { type Event, type EventFilter, eventsOf } from './history.ts';
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
import type { Census, LeaseFilter, Store, Transaction, View } from './store.ts';
import { transition } from './transition.ts';

export interface EngineOptions {
  readonly store: Store;
  /** Makes a fresh handle; must be unguessable. */
  readonly newHandle: (kind: Kind) => string;
  /** Acquisitions allowed in a calendar month (UTC), of the kinds that are metered. */
  readonly monthlyLimit: number;
  /** Who asks, for the history; null where that is not known. */
  readonly caller?: string | null;
  /** Leases that the namespace may store, in all phases. Default: any number. */
  readonly capacity?: number;
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
  /** Whether it was not known yet that the last one who held it had let it run out. */
  readonly foundExpired: boolean;
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
   * @throws Failure `limit_exceeded` when the namespace would store more than it may
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
  /** Leases as they stand, in the order of kinds, then ids; without those that are forgotten. */
  leases(filter: LeaseFilter, limit: number): Promise<{ leases: readonly Lease[]; now: Instant }>;
  /** What happened, the latest first. */
  history(filter: EventFilter, limit: number): Promise<readonly Event[]>;
  census(): Promise<readonly Census[]>;
}

/** The lease service: reads, applies `transition`, and writes, in one transaction each. */
export function createEngine({
  store,
  newHandle,
  monthlyLimit,
  caller = null,
  capacity = Number.POSITIVE_INFINITY,
}: EngineOptions): Engine {
  const rules: Rules = { monthlyLimit, caller, capacity };
  return {
    add: (requests) =>
      store.write(async (transaction) => {
        if ((await transaction.stored()) + requests.length > capacity) throw full(capacity);
        const found: (Lease | undefined)[] = [];
        for (const { kind, id } of requests) found.push(await transaction.find(kind, id));
        const added: Lease[] = [];
        for (const [index, request] of requests.entries()) {
          const command = { ...request, type: 'add', handle: newHandle(request.kind) } as const;
          const before = found[index];
          const { outcome } = await apply(transaction, before, command, caller);
          if (outcome.type !== 'added') throw new Error(`${request.id} exists`);
          added.push(outcome.lease);
        }
        return added;
      }),

    list: (kind, candidate, limit) => store.read((view) => view.claimable(kind, candidate, limit)),

    acquire: (request) =>
      store.write((transaction) => acquire(transaction, request, newHandle(request.kind), rules)),

    acquireNext: ({ candidate, ...request }) =>
      store.write(async (transaction) => {
        const { kind, idempotencyKey } = request;
        const [acquired] = await liveWithKey(transaction, kind, idempotencyKey);
        const [next] = acquired ? [acquired] : await transaction.claimable(kind, candidate, 1);
        if (!next) return undefined;
        const { id } = next;
        return acquire(transaction, { ...request, id, ttl: null }, newHandle(kind), rules);
      }),

    change: (kind, id, command) =>
      store.write(async (transaction) =>
        change(transaction, await transaction.find(kind, id), command, caller),
      ),

    changeHeld: (kind, command) =>
      store.write(async (transaction) =>
        change(transaction, await transaction.findByHandle(kind, command.handle), command, caller),
      ),

    recall: (kind, id, idempotency) =>
      store.read(async (view) => recall(view, await view.find(kind, id), idempotency)),

    look: (kind, id) =>
      store.read(async (view) => ({
        lease: remembered(await view.find(kind, id), view.now),
        now: view.now,
      })),

    leases: (filter, limit) =>
      store.read(async (view) => {
        const { now } = view;
        const leases: Lease[] = [];
        let { after } = filter;
        for (;;) {
          const found = await view.leases({ ...filter, after }, limit);
          leases.push(...found.filter((lease) => remembered(lease, now)));
          after = found.at(-1);
          if (leases.length >= limit || found.length < limit) break;
        }
        return { leases: leases.slice(0, limit), now };
      }),

    history: (filter, limit) => store.read((view) => view.events(filter, limit)),

    census: () => store.read((view) => view.census()),
  };
}

interface Rules {
  readonly monthlyLimit: number;
  readonly caller: string | null;
  readonly capacity: number;
}

function full(capacity: number): Failure {
  return new Failure('limit_exceeded', `No more than ${capacity} leases are stored.`, {
    hint: 'Finished ones make room when they are forgotten, seven days after their end.',
  });
}

async function acquire(
  transaction: Transaction,
  request: AcquireRequest,
  handle: string,
  { monthlyLimit: limit, caller, capacity }: Rules,
): Promise<AcquireDecision> {
  const before = await transaction.find(request.kind, request.id);
  const live = await liveWithKey(transaction, request.kind, request.idempotencyKey);
  const { now } = transaction;
  const { isMetered } = KINDS[request.kind];
  const month = new Date(now).toISOString().slice(0, 7);
  const used = isMetered ? await transaction.usage(month) : 0;
  const decide = (outcome: Outcome, lease = before, usage = used) => ({
    outcome,
    lease,
    now,
    usage,
    limit,
    foundExpired: false,
  });

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
  if (!before && (await transaction.stored()) >= capacity) {
    return decide({ type: 'rejected', reason: 'storage_full' });
  }
  await transaction.save(lease);
  let foundExpired = false;
  for (const event of eventsOf(before, outcome, caller)) {
    const isNew = await transaction.saveEvent(event);
    foundExpired ||= isNew && event.type === 'expired';
  }
  if (isMetered) await transaction.charge(month);
  return { ...decide(outcome, lease, used + 1), foundExpired };
}

async function change(
  transaction: Transaction,
  before: Lease | undefined,
  command: Change,
  caller: string | null,
): Promise<Decision> {
  const idempotency = 'idempotency' in command ? command.idempotency : undefined;
  const repeated = idempotency && (await recall(transaction, before, idempotency));
  if (repeated) return repeated;
  const decision = await apply(transaction, before, command, caller);
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
  caller: string | null,
): Promise<Decision> {
  const { now } = transaction;
  const { lease, outcome } = transition(before, command, now);
  if (lease && lease !== before) {
    await transaction.save(lease);
    const detail = 'detail' in command ? command.detail : undefined;
    const events = eventsOf(before, outcome, caller, detail);
    for (const event of events) await transaction.saveEvent(event);
  }
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
