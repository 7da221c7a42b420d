import type { Clock } from '../domain/clock.ts';
import { integer, orNull, rowOf, text } from '../domain/columns.ts';
import { parseJson } from '../domain/json.ts';
import { type Origin, parseOrigin } from '../domain/origin.ts';
import { type Connection, type DatabaseKind, openDatabase } from '../sqlite/database.ts';
import { explained } from '../sqlite/errors.ts';
import { ADDRESS, key, type LeaseAddress, PLACE, place } from './address.ts';
import { type Attempts, bindAttempts } from './attempts.ts';
import handles from './migrations/0001-handles.sql';
import jobs from './migrations/0002-jobs.sql';
import origins from './migrations/0003-origins.sql';

export type { LeaseAddress } from './address.ts';

/** A lease as this machine acquired it. Times are milliseconds since 1970. */
export interface AcquiredLease {
  /** Secret. */
  readonly handle: string;
  readonly acquiredAt: number;
  /** When it ends, as far as this machine knows. */
  readonly expiresAt: number;
  /** Where the service fences. */
  readonly fencingToken?: number | undefined;
  /** Where it is on a job. */
  readonly jobType?: string | undefined;
  /** Which process of this machine acquired it, and where. */
  readonly origin?: Origin | undefined;
}

/** What became of it since, as far as this machine had a part in it. */
export interface HeldLease extends AcquiredLease {
  /** When it was renewed last; undefined where it was not. */
  readonly renewedAt?: number | undefined;
  readonly renewals: number;
}

/** "hand" in ASCII. */
export const HANDLES: DatabaseKind = {
  applicationId: 0x68616e64,
  migrations: [handles, jobs, origins],
  variable: 'XDG_STATE_HOME',
};

/** How long services remember a lease that ended; afterwards its handle is good for nothing. */
const KEEP = 7 * 24 * 3_600_000;

const toColumns = rowOf({
  id: text,
  handle: text,
  acquired_at: integer,
  expires_at: integer,
  fencing_token: orNull(integer),
  job_type: orNull(text),
  origin: orNull(text),
  renewed_at: orNull(integer),
  renewals: integer,
});
const toPlace = rowOf({ service: text, profile: text, location: text });
const ACQUIRED = 'id, handle, acquired_at, expires_at, fencing_token, job_type, origin';
export const COLUMNS = `${ACQUIRED}, renewed_at, renewals`;

export interface KnownLease extends HeldLease {
  readonly address: LeaseAddress;
}

export interface Ledger extends Attempts {
  find(address: LeaseAddress): HeldLease | undefined;
  /**
   * The ids of what this machine holds there, as far as it knows; where it holds nothing, of what
   * it held.
   */
  idsAt(place: Omit<LeaseAddress, 'id'>): readonly string[];
  /**
   * Remembers a handle in place of an earlier one, and of one from a time that is yet to come: the
   * clock was set back. Drops those that are long over.
   */
  remember(address: LeaseAddress, lease: AcquiredLease): void;
  /**
   * Notes that the lease with this handle was renewed, its new end, if it was told, and the fencing
   * token that came with it: of several that come at once the highest stays.
   */
  prolong(
    address: LeaseAddress,
    handle: string,
    expiresAt: number | undefined,
    fencingToken?: number,
  ): void;
  /** Forgets this handle; one acquired meanwhile for the same id stays. */
  forget(address: LeaseAddress, handle: string): void;
  /** What was leased with a profile is held with it under its new name, in place of what was held there. */
  renameProfile(name: string, newName: string): void;
  /** All that it remembers, over or not. */
  all(): readonly KnownLease[];
  /** From now on nothing waits for longer, in milliseconds, for another process that writes. */
  waitAtMost(milliseconds: number): void;
  close(): void;
}

/**
 * Opens the handles that this machine holds, in a file that only its owner may read.
 *
 * @throws Failure as `openDatabase`; so do all methods
 */
export function openLedger(file: string, now: Clock): Ledger {
  const db = openDatabase(file, HANDLES);
  const run = (sql: string, ...parameters: (string | number | null)[]) => {
    explained(file, () => db.prepare(sql).run(...parameters));
  };
  return {
    find: (address) =>
      explained(file, () => {
        const sql = `SELECT ${COLUMNS} FROM handles WHERE ${ADDRESS}`;
        const [row] = db.prepare(sql).all(...key(address));
        return row === undefined ? undefined : leaseIn(row);
      }),
    idsAt: ({ service, profile, location }) =>
      explained(file, () => {
        const sql = `SELECT ${COLUMNS} FROM handles
          WHERE service = ? AND profile = ? AND location = ? ORDER BY id`;
        const known = db.prepare(sql).all(service, profile, location).map(toColumns);
        const live = known.filter(({ expires_at }) => expires_at > now());
        return (live.length > 0 ? live : known).map(({ id }) => id);
      }),
    remember: (address, { handle, acquiredAt, expiresAt, fencingToken, jobType, origin }) => {
      run('DELETE FROM handles WHERE expires_at < ?', now() - KEEP);
      run('DELETE FROM attempts WHERE begun_at < ?', now() - KEEP);
      run(
        `INSERT INTO handles (service, profile, location, ${ACQUIRED})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET
           (handle, acquired_at, expires_at, fencing_token, job_type, origin, renewed_at, renewals) =
           (excluded.handle, excluded.acquired_at, excluded.expires_at, excluded.fencing_token,
            excluded.job_type, excluded.origin, NULL, 0)
         WHERE excluded.acquired_at >= acquired_at OR acquired_at > ?`,
        ...key(address),
        handle,
        acquiredAt,
        expiresAt,
        fencingToken ?? null,
        jobType ?? null,
        origin === undefined ? null : JSON.stringify(origin),
        now(),
      );
    },
    prolong: (address, handle, expiresAt, fencingToken) =>
      run(
        `UPDATE handles SET expires_at = coalesce(?, expires_at),
           fencing_token = coalesce(?, fencing_token), renewed_at = ?, renewals = renewals + 1
         WHERE ${PLACE} AND handle = ? AND coalesce(? >= fencing_token, TRUE)`,
        expiresAt ?? null,
        fencingToken ?? null,
        now(),
        ...place(address),
        handle,
        fencingToken ?? null,
      ),
    forget: (address, handle) =>
      run(`DELETE FROM handles WHERE ${PLACE} AND handle = ?`, ...place(address), handle),
    ...bindAttempts(db, file, now),
    renameProfile: (name, newName) => {
      for (const table of ['handles', 'attempts']) {
        run(`UPDATE OR REPLACE ${table} SET profile = ? WHERE profile = ?`, newName, name);
      }
    },
    all: () => explained(file, () => allIn(db)),
    waitAtMost: (milliseconds) => {
      db.exec(`PRAGMA busy_timeout = ${milliseconds}`);
    },
    close: () => db.close(),
  };
}

export function leaseIn(row: unknown): HeldLease {
  const known = toColumns(row);
  return {
    handle: known.handle,
    acquiredAt: known.acquired_at,
    expiresAt: known.expires_at,
    fencingToken: known.fencing_token ?? undefined,
    jobType: known.job_type ?? undefined,
    origin: parseOrigin(parseJson(known.origin ?? '')),
    renewedAt: known.renewed_at ?? undefined,
    renewals: known.renewals,
  };
}

export function allIn(db: Connection): KnownLease[] {
  return db
    .prepare(`SELECT service, profile, location, ${COLUMNS} FROM handles`)
    .all()
    .map((row) => {
      const { id } = toColumns(row);
      return { address: { ...toPlace(row), id }, ...leaseIn(row) };
    });
}
