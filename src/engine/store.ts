import type { Client, Grant, Token } from './access.ts';
import type { Event, EventFilter, NewEvent, Tail } from './history.ts';
import type { Candidate, Instant, Kind, Lease, LeaseState } from './lease.ts';
import type { QueuedWork } from './queue.ts';

/** The namespace of those who name none. */
export const DEFAULT_NAMESPACE = 'default';

/**
 * Where leases are kept: what one namespace has in a database, the default one unless `within` chose
 * another. Implementations are judged by the store suites in `test/support/`.
 */
export interface Store {
  /** The same database, as another namespace has it. */
  within(namespace: string): Store;
  /**
   * Runs `work` on one consistent view and discards nothing it read: for looking only.
   *
   * @throws Failure `unavailable` when the database cannot be reached or stays locked
   */
  read<T>(work: (view: View) => Promise<T>): Promise<T>;
  /**
   * Runs `work` so that nobody else changes what it looked up by its id, its handle or its idempotency
   * key, or was offered as claimable, before its end. What it wrote is durable when the promise
   * resolves, and gone when `work` throws. It may be run more than once, and then what the earlier runs
   * wrote is gone.
   *
   * @throws Failure `unavailable` when the database cannot be reached or stays locked
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Does one small part of the housekeeping of all namespaces: notes in the history which leases ran
   * out, and drops what is over. Never two at a time, whoever else shares the database.
   *
   * @returns undefined when somebody else is at it, or was less than `interval` ago
   * @throws Failure as `write`
   */
  sweep(options: SweepOptions): Promise<Swept | undefined>;
  /**
   * Looks whether the database can be used as it is.
   *
   * @throws Failure `unavailable` when it cannot be reached, or has not the schema of this version
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface SweepOptions {
  /** How long finished leases, and receipts, are kept, in milliseconds. */
  readonly retention: number;
  /** How long history is kept, in milliseconds. */
  readonly history: number;
  /** Milliseconds between the end of one housekeeping and the next one. */
  readonly interval: number;
  /** Rows that one call deals with, at most, of each table. */
  readonly limit: number;
}

export interface Swept {
  /** How many leases were found that their holders let run out, by namespace. */
  readonly expired: ReadonlyMap<string, number>;
  /** How many rows were dropped, of all tables. */
  readonly dropped: number;
  /** Whether nothing is left to do until `interval` is over. */
  readonly isDone: boolean;
}

/** Which leases are to be listed. */
export interface LeaseFilter {
  readonly kind?: Kind | undefined;
  readonly state?: LeaseState | undefined;
  /** What their ids begin with. */
  readonly prefix?: string | undefined;
  /** Only those behind this one, in the order of kinds, then ids. */
  readonly after?: { readonly kind: Kind; readonly id: string } | undefined;
}

/** What a namespace has of a kind. */
export interface Census {
  readonly kind: Kind;
  readonly held: number;
  /** Work that could be acquired: that waits, or ran out. */
  readonly claimable: number;
}

export interface View {
  /**
   * The database's clock: one time for all that is looked at. In a transaction that had to wait for what
   * it looked up, it is the time when it got that: so it is read after the last thing was looked up.
   */
  readonly now: Instant;
  find(kind: Kind, id: string): Promise<Lease | undefined>;
  /** The unfinished leases last acquired with this idempotency key, live or not. */
  findByIdempotencyKey(kind: Kind, idempotencyKey: string): Promise<readonly Lease[]>;
  findByHandle(kind: Kind, handle: string): Promise<Lease | undefined>;
  /** Added leases that the candidate may acquire now, the oldest first. */
  claimable(kind: Kind, candidate: Candidate, limit: number): Promise<readonly Lease[]>;
  findReceipt(kind: Kind, id: string, idempotencyKey: string): Promise<Receipt | undefined>;
  /** In the order of the names of kinds, then of ids, both by their UTF-8 bytes. */
  leases(filter: LeaseFilter, limit: number): Promise<readonly Lease[]>;
  /** How many leases there are, of all kinds and in all phases. */
  stored(): Promise<number>;
  census(): Promise<readonly Census[]>;
  /** Work of a kind in all phases, the highest id first, of those below one if that is given. */
  queue(kind: Kind, below: string | undefined, limit: number): Promise<readonly QueuedWork[]>;
  /** The latest first. */
  events(filter: EventFilter, limit: number): Promise<readonly Event[]>;
  /**
   * What others could see of the history since an earlier look. Nothing is passed over, whoever writes
   * at the same time; so what comes later may have a lower sequence than what came before.
   *
   * @param after the `cursor` of that look; without it, nothing of what is past
   */
  tail(after: string | undefined, limit: number): Promise<Tail>;
  /** Of whatever namespace. */
  findClient(id: string): Promise<Client | undefined>;
  findClientByName(name: string): Promise<Client | undefined>;
  /** In the order of their names. */
  clients(): Promise<readonly Client[]>;
  /** Of whatever namespace. */
  findGrant(tokenHash: string): Promise<Grant | undefined>;
  /** Of whatever namespace. */
  findToken(tokenHash: string): Promise<Token | undefined>;
  findTokenByName(name: string): Promise<Token | undefined>;
  /** In the order of their names. */
  tokens(): Promise<readonly Token[]>;
  /** Whether there is any token or client, in any namespace, be it over or revoked. */
  hasAccess(): Promise<boolean>;
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
  /**
   * Of a lease that ran out, once for each time that it was acquired: saving it again does nothing.
   * Of what happens to a lease all the time only the latest stays: see {@link ROUTINE}.
   *
   * @returns whether it was new
   */
  saveEvent(event: NewEvent): Promise<boolean>;
  saveClient(client: Client): Promise<void>;
  /** Drops a client of this namespace, and what was granted to it. @returns whether it was there */
  removeClient(name: string): Promise<boolean>;
  /** Also drops the grants that are over. */
  saveGrant(grant: Grant): Promise<void>;
  /** Replaces the one of the same name, in the token's own namespace. */
  saveToken(token: Token): Promise<void>;
  /** Counts one acquisition. */
  charge(month: string): Promise<void>;
}
