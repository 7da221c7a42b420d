import { type Instant, type Kind, type Lease, phaseOf, remembered } from './lease.ts';
import type { Store, Transaction, View } from './store.ts';
import {
  type Acquire,
  type Extend,
  type FinishCommand,
  type Outcome,
  transition,
} from './transition.ts';

export interface EngineOptions {
  readonly store: Store;
  /** Makes a fresh handle; must be unguessable. */
  readonly newHandle: () => string;
  /** Acquisitions allowed in a calendar month (UTC). */
  readonly monthlyLimit: number;
}

/** What an answer may tell beside the outcome: when it was decided, and how much is used up. */
export interface Decision {
  readonly outcome: Outcome;
  readonly now: Instant;
}

export interface AcquireDecision extends Decision {
  readonly usage: number;
  readonly limit: number;
}

export type AcquireRequest = Omit<Acquire, 'type' | 'handle' | 'usage'>;

export interface Engine {
  acquire(request: AcquireRequest): Promise<AcquireDecision>;
  /** Applies a holder's command to the lease with this id. */
  change(kind: Kind, id: string, command: Extend | FinishCommand): Promise<Decision>;
  /** The lease as it stands, undefined when it is not, or no longer, known. */
  look(kind: Kind, id: string): Promise<{ lease: Lease | undefined; now: Instant }>;
}

/** The lease service: reads, applies `transition`, and writes, in one transaction each. */
export function createEngine({ store, newHandle, monthlyLimit }: EngineOptions): Engine {
  return {
    acquire: (request) =>
      store.write((transaction) => acquire(transaction, request, newHandle(), monthlyLimit)),

    change: (kind, id, command) =>
      store.write(async (transaction) => {
        const before = await transaction.find(kind, id);
        const { lease, outcome } = transition(before, command, transaction.now);
        if (lease && lease !== before) await transaction.save(lease);
        return { outcome, now: transaction.now };
      }),

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
  const month = new Date(now).toISOString().slice(0, 7);
  const used = await transaction.usage(month);
  const decide = (outcome: Outcome, usage = used) => ({ outcome, now, usage, limit });

  if (await isSpentElsewhere(transaction, request)) {
    return decide({ type: 'rejected', reason: 'idempotency_conflict' });
  }
  const before = await transaction.find(request.kind, request.id);
  const command: Acquire = { ...request, type: 'acquire', handle, usage: used + 1 };
  const { lease, outcome } = transition(before, command, now);
  if (!lease || lease === before) {
    const first = outcome.type === 'acquired' ? outcome.lease.acquisition.usage : used;
    return decide(outcome, first);
  }
  if (used >= limit) return decide({ type: 'rejected', reason: 'limit_exceeded' });
  await transaction.save(lease);
  await transaction.charge(month);
  return decide(outcome, used + 1);
}

/** Whether the request's idempotency key already acquired another lease that is still live. */
async function isSpentElsewhere(view: View, request: AcquireRequest): Promise<boolean> {
  if (request.idempotencyKey === null) return false;
  const leases = await view.findByIdempotencyKey(request.kind, request.idempotencyKey);
  return leases.some((lease) => lease.id !== request.id && phaseOf(lease, view.now) === 'held');
}
