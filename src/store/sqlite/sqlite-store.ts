import type Database from 'libsql';
import type { Clock } from '../../domain/clock.ts';
import type { Store, Transaction } from '../../engine/store.ts';
import {
  beginImmediate,
  type DatabaseKind,
  openDatabase,
  readValue,
} from '../../sqlite/database.ts';
import { explain } from '../../sqlite/errors.ts';
import { bindAccess } from './access.ts';
import { findClaimable } from './claimable.ts';
import leases from './migrations/0001-leases.sql';
import jobs from './migrations/0002-jobs.sql';
import { bindReceipts } from './receipts.ts';
import { COLUMNS, fromRow, toRow } from './row.ts';

/** "leas" in ASCII. */
export const LEASES: DatabaseKind = {
  applicationId: 0x6c656173,
  migrations: [leases, jobs],
  variable: 'XDG_DATA_HOME',
};

export interface SqliteOptions {
  /** The database file; made, with its directory, when it does not exist. */
  readonly file: string;
  /** Replaces SQLite's own clock, for tests that move time. */
  readonly clock?: Clock;
}

/** Keeps leases in one SQLite file that any number of processes share. */
export function openSqliteStore({ file, clock }: SqliteOptions): Store {
  const db = openDatabase(file, LEASES);
  const transaction = (): Transaction => bind(db, clock);
  // One connection has one transaction at a time: concurrent callers queue up behind it.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <T>(begin: Begin, work: (transaction: Transaction) => Promise<T>): Promise<T> => {
    const turn = last.then(() => inTransaction(db, file, begin, () => work(transaction())));
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    read: (work) => alone(async () => db.exec('BEGIN'), work),
    write: (work) => alone(() => beginImmediate(db), work),
    close: async () => {
      await last;
      db.close();
    },
  };
}

type Begin = () => Promise<unknown>;

async function inTransaction<T>(
  db: Database.Database,
  file: string,
  begin: Begin,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await begin();
    const result = await work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw explain(file, error);
  }
}

const NOW = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";
const FIND = 'SELECT * FROM leases WHERE kind = ? AND id = ?';
const FIND_BY_KEY =
  'SELECT * FROM leases WHERE kind = ? AND acquired_key = ? AND finish_way IS NULL';
const FIND_BY_HANDLE =
  'SELECT * FROM leases WHERE kind = ? AND handle = ? AND work_data IS NOT NULL';
const USAGE = 'SELECT acquisitions FROM usage WHERE month = ?';
const SAVE = `INSERT OR REPLACE INTO leases (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map(() => '?').join(', ')})`;
const CHARGE = `INSERT INTO usage (month, acquisitions) VALUES (?, 1)
  ON CONFLICT (month) DO UPDATE SET acquisitions = acquisitions + 1`;

function bind(db: Database.Database, clock: Clock | undefined): Transaction {
  const now = clock ? clock() : Number(readValue(db, NOW));
  const one = (sql: string, ...parameters: string[]) => db.prepare(sql).all(...parameters)[0];
  const lease = (row: unknown) => (row === undefined ? undefined : fromRow(row));
  return {
    now,
    find: async (kind, id) => lease(one(FIND, kind, id)),
    findByHandle: async (kind, handle) => lease(one(FIND_BY_HANDLE, kind, handle)),
    async findByIdempotencyKey(kind, idempotencyKey) {
      return db.prepare(FIND_BY_KEY).all(kind, idempotencyKey).map(fromRow);
    },
    async claimable(kind, candidate, limit) {
      return findClaimable(db, { kind, candidate, limit, now }).map(fromRow);
    },
    async usage(month) {
      return Number(readValue(db, USAGE, month) ?? 0);
    },
    async save(lease) {
      db.prepare(SAVE).run(...toRow(lease));
    },
    async charge(month) {
      db.prepare(CHARGE).run(month);
    },
    ...bindReceipts(db),
    ...bindAccess(db, now),
  };
}
