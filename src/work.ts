import type { Context } from './context.ts';
import type { JsonObject } from './domain/json.ts';
import type { LeaseAddress, Ledger } from './ledger/ledger.ts';
import type { TakenHere } from './origin/take-origin.ts';
import type { Ending, Lease } from './supervise/lease.ts';
import type { Clocks } from './supervise/moment.ts';
import type { Look } from './supervise/patience.ts';

/** How leases are looked up and noted. */
export interface Books {
  ledger(): Promise<Ledger>;
  /** A note that cannot be made is told, and does not fail: the service has answered. */
  note(change: (ledger: Ledger) => void): Promise<void>;
}

/** What leases are taken and held with. */
export interface WorkHost {
  readonly context: Context;
  readonly books: Books;
  readonly clocks: Clocks;
  readonly origin: TakenHere;
}

/** What a command is to be run for, before the lease on it is held. */
export interface Work {
  readonly service: string;
  /** The service's base URL, or the embedded service's file. */
  readonly location: string;
  readonly profile: string;
  /**
   * Tries once to get the lease.
   *
   * @throws Failure where waiting would not help
   */
  acquire(): Promise<Look<HeldWork>>;
}

/** What a command is run for. */
export interface HeldWork {
  readonly lease: Lease;
  readonly address: LeaseAddress;
  /** Secret. */
  readonly handle: string;
  /** Larger for every later holder, where the service tells one. */
  readonly fencingToken: number | undefined;
  /** How events name it. */
  readonly subject: { readonly key: string } | { readonly job_id: string };
  /** What the command is told of it. */
  readonly variables: Readonly<Record<string, string>>;
  /** The job as JSON text, without its handle. */
  readonly job: string | undefined;
  /** Whether others may have it at once when it is canceled; else that ends it for good. */
  readonly goesBack: boolean;
  /** Whether its end may be resumed with the result that was kept. */
  readonly resumes: boolean;
  /** @throws Failure `invalid_request` when it is no result for this work */
  check(result: JsonObject | undefined): void;
  /** The command line that repeats an ending of which no answer came. */
  again(ending: Ending): string;
}
