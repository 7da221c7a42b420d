import { integer, rowOf, text } from '../domain/columns.ts';
import { type Connection, openToLook } from '../sqlite/database.ts';
import { ADDRESS, key, type LeaseAddress } from './address.ts';
import { allIn, COLUMNS, HANDLES, type HeldLease, type KnownLease, leaseIn } from './ledger.ts';

/** What the ledger says of a lease, without its handle. */
export interface NotedLease {
  readonly profile: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const held = { profile: text, id: text, expires_at: integer };
const toHeld = rowOf(held);

/**
 * The leases of a service that this machine has handles of, those that run longest first. It
 * changes nothing, and a ledger that cannot be read is as good as none: for hints, not for work.
 *
 * @param most how many are read
 */
export function lookAtLedger(file: string, service: string, most = 1_000): NotedLease[] {
  const sql = `SELECT profile, id, expires_at FROM handles
    WHERE service = ? ORDER BY expires_at DESC, id LIMIT ?`;
  const read = (db: Connection) =>
    db
      .prepare(sql)
      .all(service, most)
      .map(toHeld)
      .map(({ expires_at, ...rest }) => ({ ...rest, expiresAt: expires_at }));
  return looking(file, read) ?? [];
}

const toNoted = rowOf({ ...held, service: text, location: text });

/** All that this machine has handles of by this id, what runs longest first. As `lookAtLedger`. */
export function notedWithId(file: string, id: string): (LeaseAddress & NotedLease)[] {
  const sql = `SELECT service, profile, location, id, expires_at FROM handles
    WHERE id = ? ORDER BY expires_at DESC, service`;
  const read = (db: Connection) =>
    db
      .prepare(sql)
      .all(id)
      .map(toNoted)
      .map(({ expires_at, ...rest }) => ({ ...rest, expiresAt: expires_at }));
  return looking(file, read) ?? [];
}

/** What this machine knows of a lease that it acquired, with its handle. As `lookAtLedger`. */
export function lookAtLease(file: string, address: LeaseAddress): HeldLease | undefined {
  const sql = `SELECT ${COLUMNS} FROM handles WHERE ${ADDRESS}`;
  const read = (db: Connection) =>
    db
      .prepare(sql)
      .all(...key(address))
      .map(leaseIn);
  return looking(file, read)?.[0];
}

/** All that this machine remembers, with its handles; undefined where the ledger cannot be read. */
export function lookAtAll(file: string): KnownLease[] | undefined {
  return looking(file, allIn);
}

/** Whether a handle is this machine's; no, where the ledger cannot be read. It changes nothing, either. */
export function isHeldHere(file: string, address: LeaseAddress, handle: string): boolean {
  const sql = `SELECT 1 FROM handles WHERE ${ADDRESS} AND handle = ?`;
  const rows = looking(file, (db) => db.prepare(sql).all(...key(address), handle));
  return rows !== undefined && rows.length > 0;
}

function looking<T>(file: string, read: (db: Connection) => T): T | undefined {
  try {
    const db = openToLook(file, HANDLES);
    if (!db) return undefined;
    try {
      return read(db);
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}
