import type { Client, Grant } from './access.ts';
import type { Candidate, Instant, Kind, Lease } from './lease.ts';

/**
 * Where leases are kept. Implementations are judged by the store suite in `test/support/`.
 */
export interface Store {
  /**
   * Runs `work` on one consistent view and discards nothing it read: for looking only.
   *
   * @throws Failure `unavailable` when the database cannot be reached or stays locked
   */
  read<T>(work: (view: View) => Promise<T>): Promise<T>;
  /**
   * Runs `work` alone: nobody else writes between its first read and its end. What it wrote is
   * durable when the promise resolves, and gone when `work` throws.
   *
   * @throws Failure `unavailable` when the database cannot be reached or stays locked
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface View {
  /** The database's clock, read once: the same for the whole transaction. */
  readonly now: Instant;
  find(kind: Kind, id: string): Promise<Lease | undefined>;
  /** The unfinished leases last acquired with this idempotency key, live or not. */
  findByIdempotencyKey(kind: Kind, idempotencyKey: string): Promise<readonly Lease[]>;
  findByHandle(kind: Kind, handle: string): Promise<Lease | undefined>;
  /** Added leases that the candidate may acquire now, the oldest first. */
  claimable(kind: Kind, candidate: Candidate, limit: number): Promise<readonly Lease[]>;
  findReceipt(kind: Kind, id: string, idempotencyKey: string): Promise<Receipt | undefined>;
  findClient(id: string): Promise<Client | undefined>;
  findClientByName(name: string): Promise<Client | undefined>;
  findGrant(tokenHash: string): Promise<Grant | undefined>;
  /** Acquisitions counted so far in a month, given as `2025-01`. */
  usage(month: string): Promise<number>;
}

/** That a change with an idempotency key was made, so that its repetition is known. */
export interface Receipt {
  readonly idempotencyKey: string;
  /** Digest of the request that carried the key. */
  readonly requestHash: string;
  /** In force when the change was made. */
  readonly fencingToken: number;
}

export interface Transaction extends View {
  save(lease: Lease): Promise<void>;
  saveReceipt(kind: Kind, id: string, receipt: Receipt): Promise<void>;
  saveClient(client: Client): Promise<void>;
  /** Also drops the grants that are over. */
  saveGrant(grant: Grant): Promise<void>;
  /** Counts one acquisition. */
  charge(month: string): Promise<void>;
}
