import { statSync } from 'node:fs';
import type { Clock } from '../../domain/clock.ts';
import { Failure } from '../../domain/failure.ts';
import { MOST_EVENTS } from '../../engine/history.ts';
import { DEFAULT_NAMESPACE, type Store, type Transaction } from '../../engine/store.ts';
import { type DatabaseKind, openDatabase } from '../../sqlite/database.ts';
import { type Statements, statementsOf } from '../../sqlite/statements.ts';
import { bindAccess } from './access.ts';
import { type Batch, openBatch } from './batch.ts';
import { bindEvents } from './events.ts';
import { bindLeases } from './leases.ts';
import { bindListing } from './listing.ts';
import { openLog } from './log.ts';
import leases from './migrations/0001-leases.sql';
import jobs from './migrations/0002-jobs.sql';
import namespaces from './migrations/0003-namespaces.sql';
import history from './migrations/0004-history.sql';
import growth from './migrations/0005-growth.sql';
import { findQueue } from './queue.ts';
import { bindReceipts } from './receipts.ts';
import { sweep } from './sweep.ts';
import { createTurns, type Turns } from './turns.ts';

/** "leas" in ASCII. */
export const LEASES: DatabaseKind = {
  applicationId: 0x6c656173,
  migrations: [leases, jobs, namespaces, history, growth],
  variable: 'XDG_DATA_HOME',
  // Of most pages one row is changed, and all of the page goes into the log: what a commit waits for.
  pageSize: 2048,
};

/** After how many pages of the log SQLite makes a writer bring it home: 64 MiB. */
const LOG_PAGES = 32_000;
/** After how many that is done beside the writers: in small parts, for the disk has their commits to write, too. */
const LOG_PART = LOG_PAGES / 8;

export interface SqliteOptions {
  /** The database file; made, with its directory, when it does not exist. */
  readonly file: string;
  /** Replaces SQLite's own clock, for tests that move time. */
  readonly clock?: Clock;
  /** Whether one caller asks, and not many: as commands do, each in a process of its own. */
  readonly isAlone?: boolean;
  /** Events that a namespace keeps, at most. Default: {@link MOST_EVENTS}. */
  readonly mostEvents?: number;
}

/** Keeps leases in one SQLite file that any number of processes share. */
export function openSqliteStore(options: SqliteOptions): Store {
  const { file } = options;
  /** Whatever is written to a file that nobody finds any more is lost. */
  const checkFile = () => {
    if (identityOf(file) !== identity) throw replaced(file);
  };
  const main = connect(options, checkFile);
  const identity = identityOf(file);
  let second: Connection | undefined;
  let isClosed = false;
  const open = (): Connection => {
    // The library would end the process.
    if (isClosed) throw new Failure('unavailable', `${file} is closed.`);
    return main;
  };
  /** While another process writes, looking need not wait for it. */
  const openToLook = (): Connection => {
    if (!open().turns.isHeldUp()) return main;
    checkFile();
    second ??= connect(options, checkFile);
    return second;
  };
  const read = async <T>(work: Work<T>): Promise<T> => {
    const connection = openToLook();
    return connection.turns.read((batch) => work(connection, batch));
  };
  const write = async <T>(work: Work<T>): Promise<T> => {
    const connection = open();
    return connection.turns.write((batch) => work(connection, batch));
  };
  const storeOf = (namespace: string): Store => ({
    within: storeOf,
    read: (work) => read(({ statement }, batch) => work(bind(statement, namespace, batch, false))),
    write: (work) => write(({ statement }, batch) => work(bind(statement, namespace, batch, true))),
    sweep: (options) =>
      write(async ({ statement }, { now, writeEvents }) => {
        writeEvents();
        return sweep(statement, now, options);
      }),
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
  readonly turns: Turns<Batch>;
  close(): Promise<void>;
}

type Work<T> = (connection: Connection, batch: Batch) => Promise<T>;

/** @param check is called in each transaction */
function connect(
  { file, clock, isAlone, mostEvents = MOST_EVENTS }: SqliteOptions,
  check: () => void,
): Connection {
  const db = openDatabase(file, LEASES);
  db.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
  const statement = statementsOf(db);
  const log = openLog(LOG_PART, () => {
    check();
    return openDatabase(file, LEASES);
  });
  const turns = createTurns(
    db,
    file,
    () => {
      check();
      return openBatch(statement, clock?.(), mostEvents);
    },
    { isAlone, onWritten: (writers) => log.grow(writers) },
  );
  return {
    statement,
    turns,
    close: async () => {
      await turns.idle();
      await log.close();
      statement.forget();
      db.close();
    },
  };
}

function bind(
  statement: Statements,
  namespace: string,
  batch: Batch,
  isWriting: boolean,
): Transaction {
  const { now } = batch;
  return {
    now,
    queue: async (kind, below, limit) => findQueue(statement, namespace, kind, below, limit),
    usage: async (month) => batch.usage(namespace, month),
    charge: async (month) => batch.charge(namespace, month),
    ...bindLeases(statement, namespace, { now, isWriting }),
    ...bindListing(statement, namespace, now),
    ...bindEvents(statement, namespace, batch),
    ...bindReceipts(statement, namespace, now),
    ...bindAccess(statement, namespace, now),
  };
}
