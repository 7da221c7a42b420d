import { statSync } from 'node:fs';
import type { Clock } from '../../domain/clock.ts';
import { Failure } from '../../domain/failure.ts';
import type { Instant } from '../../engine/lease.ts';
import { DEFAULT_NAMESPACE, type Store, type Transaction } from '../../engine/store.ts';
import { type DatabaseKind, firstValue, openDatabase } from '../../sqlite/database.ts';
import { type Statements, statementsOf } from '../../sqlite/statements.ts';
import { COLUMNS, fromRow, toRow } from '../lease-row.ts';
import { bindAccess } from './access.ts';
import { findClaimable } from './claimable.ts';
import { bindEvents } from './events.ts';
import { bindListing } from './listing.ts';
import leases from './migrations/0001-leases.sql';
import jobs from './migrations/0002-jobs.sql';
import namespaces from './migrations/0003-namespaces.sql';
import { bindReceipts } from './receipts.ts';
import { sweep } from './sweep.ts';
import { createTurns, type Turns } from './turns.ts';

/** "leas" in ASCII. */
export const LEASES: DatabaseKind = {
  applicationId: 0x6c656173,
  migrations: [leases, jobs, namespaces],
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
  const main = connect(file, clock);
  let second: Connection | undefined;
  let isClosed = false;
  const identity = identityOf(file);
  const open = (): Connection => {
    // The library would end the process.
    if (isClosed) throw new Failure('unavailable', `${file} is closed.`);
    // Whatever is written to a file that nobody finds any more is lost.
    if (identityOf(file) !== identity) throw replaced(file);
    return main;
  };
  /** While another process writes, looking need not wait for it. */
  const openToLook = (): Connection => {
    if (!open().turns.isHeldUp()) return main;
    second ??= connect(file, clock);
    return second;
  };
  const read = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = openToLook();
    return connection.turns.read(() => work(connection));
  };
  const write = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = open();
    return connection.turns.write(() => work(connection));
  };
  const storeOf = (namespace: string): Store => ({
    within: storeOf,
    read: (work) => read(({ statement, now }) => work(bind(statement, namespace, now()))),
    write: (work) => write(({ statement, now }) => work(bind(statement, namespace, now()))),
    sweep: (options) => write(async ({ statement, now }) => sweep(statement, now(), options)),
    // What is open has the schema of this version; that of a later one adds to it.
    check: () => read(async ({ statement }) => void statement('SELECT swept_at FROM sweeps').all()),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await main.close();
      await second?.close();
    },
  });
  return storeOf(DEFAULT_NAMESPACE);
}

/** Which file stands under a name; undefined for none. */
function identityOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

function replaced(file: string): Failure {
  return new Failure('unavailable', `${file} was removed or replaced while it was open.`, {
    hint: 'Start again; what had not been closed before may be lost.',
  });
}

interface Connection {
  readonly statement: Statements;
  readonly turns: Turns;
  /** The database's time. */
  readonly now: Clock;
  close(): Promise<void>;
}

function connect(file: string, clock: Clock | undefined): Connection {
  const db = openDatabase(file, LEASES);
  const statement = statementsOf(db);
  const turns = createTurns(db, file);
  return {
    statement,
    turns,
    now: clock ?? (() => Number(firstValue(statement(NOW).all()))),
    close: async () => {
      await turns.idle();
      statement.forget();
      db.close();
    },
  };
}

const NOW = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";
const FIND = 'SELECT * FROM leases WHERE namespace = ? AND kind = ? AND id = ?';
// SQLite would rather read all of a namespace, by the primary key.
const FIND_BY_KEY = `SELECT * FROM leases INDEXED BY leases_by_acquired_key
  WHERE namespace = ? AND kind = ? AND acquired_key = ? AND finish_way IS NULL`;
const FIND_BY_HANDLE = `SELECT * FROM leases INDEXED BY leases_by_handle
  WHERE namespace = ? AND kind = ? AND handle = ? AND work_data IS NOT NULL`;
const USAGE = 'SELECT acquisitions FROM usage WHERE namespace = ? AND month = ?';
// No REPLACE, which would not tell the triggers that a row goes.
const SAVE = `INSERT INTO leases (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (namespace, kind, id)
  DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`;
const CHARGE = `INSERT INTO usage (namespace, month, acquisitions) VALUES (?, ?, 1)
  ON CONFLICT (namespace, month) DO UPDATE SET acquisitions = acquisitions + 1`;

function bind(statement: Statements, namespace: string, now: Instant): Transaction {
  const one = (sql: string, ...parameters: string[]) =>
    statement(sql).all(namespace, ...parameters)[0];
  const lease = (row: unknown) => (row === undefined ? undefined : fromRow(row));
  return {
    now,
    find: async (kind, id) => lease(one(FIND, kind, id)),
    findByHandle: async (kind, handle) => lease(one(FIND_BY_HANDLE, kind, handle)),
    async findByIdempotencyKey(kind, idempotencyKey) {
      return statement(FIND_BY_KEY).all(namespace, kind, idempotencyKey).map(fromRow);
    },
    async claimable(kind, candidate, limit) {
      return findClaimable(statement, { namespace, kind, candidate, limit, now }).map(fromRow);
    },
    async usage(month) {
      return Number(firstValue(statement(USAGE).all(namespace, month)) ?? 0);
    },
    async save(lease) {
      statement(SAVE).run(...toRow(namespace, lease));
    },
    async charge(month) {
      statement(CHARGE).run(namespace, month);
    },
    ...bindListing(statement, namespace, now),
    ...bindEvents(statement, namespace),
    ...bindReceipts(statement, namespace, now),
    ...bindAccess(statement, namespace, now),
  };
}
