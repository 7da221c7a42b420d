import * as z from 'zod/mini';
import type { Clock } from '../domain/clock.ts';
import { type DatabaseKind, openDatabase } from '../sqlite/database.ts';
import { explained } from '../sqlite/errors.ts';
import handles from './migrations/0001-handles.sql';

/** What a handle is for: the same id elsewhere is another lease. */
export interface LeaseAddress {
  readonly service: string;
  readonly profile: string;
  /** The service's base URL, or the embedded service's database file. */
  readonly location: string;
  readonly id: string;
}

/** A lease that this machine acquired. Times are milliseconds since 1970. */
export interface HeldLease {
  /** Secret. */
  readonly handle: string;
  readonly acquiredAt: number;
  /** When it ends, as far as this machine knows. */
  readonly expiresAt: number;
}

/** "hand" in ASCII. */
const HANDLES: DatabaseKind = {
  applicationId: 0x68616e64,
  migrations: [handles],
  variable: 'XDG_STATE_HOME',
};

/** How long services remember a lease that ended; afterwards its handle is good for nothing. */
const KEEP = 7 * 24 * 3_600_000;

const Row = z.object({ handle: z.string(), acquired_at: z.int(), expires_at: z.int() });

const ADDRESS = 'service = ? AND profile = ? AND location = ? AND id = ?';

export interface Ledger {
  find(address: LeaseAddress): HeldLease | undefined;
  /**
   * Remembers a handle in place of an earlier one, and of one from a time that is yet to come: the
   * clock was set back. Drops those that are long over.
   */
  remember(address: LeaseAddress, lease: HeldLease): void;
  /** Notes a new end of the lease with this handle. */
  prolong(address: LeaseAddress, handle: string, expiresAt: number): void;
  /** Forgets this handle; one acquired meanwhile for the same id stays. */
  forget(address: LeaseAddress, handle: string): void;
  close(): void;
}

/**
 * Opens the handles that this machine holds, in a file that only its owner may read.
 *
 * @throws Failure as `openDatabase`; so do all methods
 */
export function openLedger(file: string, now: Clock): Ledger {
  const db = openDatabase(file, HANDLES);
  const key = ({ service, profile, location, id }: LeaseAddress) => [
    service,
    profile,
    location,
    id,
  ];
  const run = (sql: string, ...parameters: (string | number)[]) => {
    explained(file, () => db.prepare(sql).run(...parameters));
  };
  return {
    find: (address) =>
      explained(file, () => {
        const sql = `SELECT handle, acquired_at, expires_at FROM handles WHERE ${ADDRESS}`;
        const [row] = db.prepare(sql).all(...key(address));
        if (row === undefined) return undefined;
        const { handle, acquired_at, expires_at } = Row.parse(row);
        return { handle, acquiredAt: acquired_at, expiresAt: expires_at };
      }),
    remember: (address, { handle, acquiredAt, expiresAt }) => {
      run('DELETE FROM handles WHERE expires_at < ?', now() - KEEP);
      run(
        `INSERT INTO handles (service, profile, location, id, handle, acquired_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET (handle, acquired_at, expires_at) =
           (excluded.handle, excluded.acquired_at, excluded.expires_at)
         WHERE excluded.acquired_at >= acquired_at OR acquired_at > ?`,
        ...key(address),
        handle,
        acquiredAt,
        expiresAt,
        now(),
      );
    },
    prolong: (address, handle, expiresAt) =>
      run(
        `UPDATE handles SET expires_at = ? WHERE ${ADDRESS} AND handle = ?`,
        expiresAt,
        ...key(address),
        handle,
      ),
    forget: (address, handle) =>
      run(`DELETE FROM handles WHERE ${ADDRESS} AND handle = ?`, ...key(address), handle),
    close: () => db.close(),
  };
}
