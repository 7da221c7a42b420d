import { Failure } from '../domain/failure.ts';
import type { Requester } from '../domain/requester.ts';
import type { Change, Idempotency } from './command.ts';
import {
  type AcquireDecision,
  type AcquireRequest,
  acquire,
  apply,
  change,
  type Decision,
  liveWithKey,
  type Rules,
  recall,
} from './decide.ts';
import type { Event, EventFilter, Tail } from './history.ts';
import {
  type Candidate,
  type Instant,
  type Kind,
  type Lease,
  remembered,
  type Work,
} from './lease.ts';
import { pieceOf, type QueuePiece } from './queue.ts';
import type { Census, LeaseFilter, Store } from './store.ts';

export type { AcquireDecision, AcquireRequest, Decision } from './decide.ts';

export interface EngineOptions {
  readonly store: Store;
  /** Makes a fresh handle; must be unguessable. */
  readonly newHandle: (kind: Kind) => string;
  /** Acquisitions allowed in a calendar month (UTC), of the kinds that are metered. */
  readonly monthlyLimit: number;
  /** Leases that the namespace may store, in all phases. Default: any number. */
  readonly capacity?: number;
}

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

/**
 * What can be done with a namespace's leases. Whoever changes something, or is refused to, is noted in
 * the history, in the same transaction: `by` says who that is.
 */
export interface Engine {
  /**
   * Adds work, all of it or none.
   *
   * @throws Failure `limit_exceeded` when the namespace would store more than it may
   * @throws Error when there is an id already: ids are to be unguessable, and never the same
   */
  add(requests: readonly AddRequest[], by: Requester): Promise<readonly Lease[]>;
  /** Work that a candidate may acquire now, the oldest first. */
  list(kind: Kind, candidate: Candidate, limit: number): Promise<readonly Lease[]>;
  acquire(request: AcquireRequest, by: Requester): Promise<AcquireDecision>;
  /** Acquires the oldest work that the candidate may have; undefined when there is none. */
  acquireNext(request: AcquireNextRequest, by: Requester): Promise<AcquireDecision | undefined>;
  /**
   * Applies a command to the lease with this id. One with an idempotency key that made a change
   * before is answered as `repeated`.
   */
  change(kind: Kind, id: string, command: Change, by: Requester): Promise<Decision>;
  /**
   * Applies a command to the lease with the handle that the command shows. Where nobody has that, which
   * lease was meant is not known, and nothing is noted.
   */
  changeHeld(
    kind: Kind,
    command: Extract<Change, { handle: string }>,
    by: Requester,
  ): Promise<Decision>;
  /** What `change` answers to a repetition, or undefined where it would make a change. */
  recall(kind: Kind, id: string, idempotency: Idempotency): Promise<Decision | undefined>;
  /** The lease as it stands, undefined when it is not, or no longer, known. */
  look(kind: Kind, id: string): Promise<{ lease: Lease | undefined; now: Instant }>;
  /** Leases as they stand, in the order of kinds, then ids; without those that are forgotten. */
  leases(filter: LeaseFilter, limit: number): Promise<{ leases: readonly Lease[]; now: Instant }>;
  /** What happened, the latest first. */
  history(filter: EventFilter, limit: number): Promise<readonly Event[]>;
  /** What happened since an earlier look, as `View.tail`. */
  tail(after: string | undefined, limit: number): Promise<Tail>;
  census(): Promise<readonly Census[]>;
  /** One piece of a queue, as `View.queue`; without what is forgotten. */
  queue(kind: Kind, below: string | undefined, limit: number): Promise<QueuePiece>;
}

/** The lease service: reads, applies `transition`, and writes, in one transaction each. */
export function createEngine({
  store,
  newHandle,
  monthlyLimit,
  capacity = Number.POSITIVE_INFINITY,
}: EngineOptions): Engine {
  const rules: Rules = { monthlyLimit, capacity };
  return {
    add: (requests, by) =>
      store.write(async (transaction) => {
        if ((await transaction.stored()) + requests.length > capacity) throw full(capacity);
        const found: (Lease | undefined)[] = [];
        for (const { kind, id } of requests) found.push(await transaction.find(kind, id));
        const added: Lease[] = [];
        for (const [index, request] of requests.entries()) {
          const { kind, id } = request;
          const command = { ...request, type: 'add', handle: newHandle(kind) } as const;
          const asked = { kind, id, before: found[index], command, by };
          const { outcome } = await apply(transaction, asked);
          if (outcome.type !== 'added') throw new Error(`${request.id} exists`);
          added.push(outcome.lease);
        }
        return added;
      }),

    list: (kind, candidate, limit) => store.read((view) => view.claimable(kind, candidate, limit)),

    acquire: (request, by) =>
      store.write((transaction) =>
        acquire(transaction, request, newHandle(request.kind), rules, by),
      ),

    acquireNext: ({ candidate, ...request }, by) =>
      store.write(async (transaction) => {
        const { kind, idempotencyKey } = request;
        const [acquired] = await liveWithKey(transaction, kind, idempotencyKey);
        const [next] = acquired ? [acquired] : await transaction.claimable(kind, candidate, 1);
        if (!next) return undefined;
        const { id } = next;
        return acquire(transaction, { ...request, id, ttl: null }, newHandle(kind), rules, by);
      }),

    change: (kind, id, command, by) =>
      store.write(async (transaction) => {
        const before = await transaction.find(kind, id);
        return change(transaction, { kind, id, before, command, by });
      }),

    changeHeld: (kind, command, by) =>
      store.write(async (transaction) => {
        const before = await transaction.findByHandle(kind, command.handle);
        return change(transaction, { kind, id: before?.id, before, command, by });
      }),

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

    tail: (after, limit) => store.read((view) => view.tail(after, limit)),

    census: () => store.read((view) => view.census()),

    queue: (kind, below, limit) => store.read((view) => pieceOf(view, kind, below, limit)),
  };
}

function full(capacity: number): Failure {
  return new Failure('limit_exceeded', `No more than ${capacity} leases are stored.`, {
    hint: 'Finished ones make room when they are forgotten, seven days after their end.',
  });
}
