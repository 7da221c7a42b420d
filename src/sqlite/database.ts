import { chmodSync, closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { Failure, type FailureCode } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json.ts';

/** One kind of SQLite file that leasectl keeps. */
export interface DatabaseKind {
  /** Written into the file's header, so that no other program's file is taken for it. */
  readonly applicationId: number;
  /** Append only: a released migration is never edited. Its place in the list is its number. */
  readonly migrations: readonly string[];
  /** The variable that moves the file elsewhere, for hints. */
  readonly variable: string;
}

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT = 15_000;

const OWNER_ONLY = 0o600;

/**
 * Opens the database, creating and migrating it as needed; safe when many processes do so at once.
 *
 * @throws Failure `usage` when the file is somebody else's, from a newer leasectl, damaged, or out
 *   of reach; such a file is not written to. `unavailable` when it stays locked.
 */
export function openDatabase(file: string, kind: DatabaseKind): Database.Database {
  return explained(file, () => {
    makePrivate(file);
    const db = new Database(file);
    try {
      db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
      const version = readVersion(db, file, kind);
      if (version < kind.migrations.length) migrate(db, file, kind, version);
      db.exec('PRAGMA synchronous = FULL');
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** SQLite gives its side files the mode of the main one, so that one has to exist first. */
function makePrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_CREAT, OWNER_ONLY);
  const { mode } = fstatSync(descriptor);
  closeSync(descriptor);
  if ((mode & 0o077) !== 0) chmodSync(file, OWNER_ONLY);
}

/** The number of migrations the file has seen. Reads only. */
function readVersion(db: Database.Database, file: string, kind: DatabaseKind): number {
  const { applicationId, migrations } = kind;
  const version = readNumber(db, 'PRAGMA user_version');
  const owner = readNumber(db, 'PRAGMA application_id');
  const isNew = version === 0 && readNumber(db, 'SELECT count(*) FROM sqlite_schema') === 0;
  if (!isNew && owner !== applicationId) {
    throw new Failure('usage', `${file} is a database of another program.`, {
      hint: 'Move it away, and leasectl makes its own.',
    });
  }
  if (version > migrations.length) {
    throw new Failure(
      'usage',
      `${file} was written by a newer leasectl (schema ${version}; this one knows ${migrations.length}). Nothing was changed.`,
      { hint: 'Use the leasectl that wrote it, or a later one.' },
    );
  }
  return version;
}

function migrate(db: Database.Database, file: string, kind: DatabaseKind, version: number): void {
  if (version === 0) enableWal(db, file, kind);
  db.exec('BEGIN IMMEDIATE');
  try {
    // Others may have migrated while this process waited for the lock.
    const current = readVersion(db, file, kind);
    for (const sql of kind.migrations.slice(current)) db.exec(sql);
    db.exec(`PRAGMA application_id = ${kind.applicationId}`);
    db.exec(`PRAGMA user_version = ${kind.migrations.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Changing the journal mode needs the file alone and does not wait for it: so this does. */
function enableWal(db: Database.Database, file: string, kind: DatabaseKind): void {
  const deadline = performance.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      const mode = readValue(db, 'PRAGMA journal_mode = WAL');
      if (mode === 'wal') return;
      throw new Failure('usage', `${file} lies on a file system without shared memory.`, {
        hint: `Keep it on a local disk: set ${kind.variable} to one.`,
      });
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      pause(5 + Math.random() * 20);
    }
  }
}

/** The first column of the first row; undefined when there is none. (libsql's `pluck` is broken.) */
export function readValue(db: Database.Database, sql: string, ...parameters: unknown[]): unknown {
  const [row] = db.prepare(sql).all(...parameters);
  return isJsonObject(row) ? Object.values(row)[0] : undefined;
}

function readNumber(db: Database.Database, sql: string): number {
  return Number(readValue(db, sql));
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Runs a piece of work on the database and turns SQLite's and the system's errors into failures. */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(file, error);
  }
}

/** What a database error means to the person who has to mend it; other errors pass unchanged. */
export function explain(file: string, error: unknown): unknown {
  const code = codeOf(error);
  const remedy = code === undefined ? undefined : REMEDIES.find(({ codes }) => codes.test(code));
  if (error instanceof Failure || !remedy) return error;
  const { failure, what, hint } = remedy;
  return new Failure(failure, `${file} ${what} (${code}).`, { hint, cause: error });
}

interface Remedy {
  readonly codes: RegExp;
  readonly failure: FailureCode;
  readonly what: string;
  readonly hint: string;
}

const REMEDIES: readonly Remedy[] = [
  {
    codes: /^SQLITE_(BUSY|LOCKED)$/,
    failure: 'unavailable',
    what: 'stayed locked by another process',
    hint: 'Try again; if it lasts, look which process holds it: fuser -v on the file.',
  },
  {
    codes: /^SQLITE_(NOTADB|CORRUPT)$/,
    failure: 'usage',
    what: 'is damaged or no SQLite database',
    hint: 'Move it away, and leasectl makes a new one; what is in it is lost.',
  },
  {
    codes: /^SQLITE_(FULL|IOERR)$|^(ENOSPC|EDQUOT|EIO)$/,
    failure: 'unavailable',
    what: 'cannot be written',
    hint: 'Make room on its disk, then try again.',
  },
  {
    codes: /^SQLITE_(CANTOPEN|READONLY|PERM|AUTH|UNKNOWN)$|^E[A-Z]+$/,
    failure: 'usage',
    what: 'cannot be used',
    hint: 'Check the rights of the file and its directory.',
  },
];

/** SQLite's primary result codes; libsql has no names for the extended ones, whose low byte they are. */
const PRIMARY_CODES: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') {
    return undefined;
  }
  const raw = 'rawCode' in error && typeof error.rawCode === 'number' ? error.rawCode : undefined;
  if (raw !== undefined) return PRIMARY_CODES[raw & 0xff];
  // A file that cannot even be opened comes without any code.
  return error.code || 'SQLITE_UNKNOWN';
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)$/.test(codeOf(error) ?? '');
}

/** Takes the write lock, waiting for it without blocking the thread as SQLite itself would. */
export async function beginImmediate(db: Database.Database): Promise<void> {
  const deadline = performance.now() + BUSY_TIMEOUT;
  db.exec('PRAGMA busy_timeout = 0');
  try {
    for (;;) {
      try {
        db.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
        await delay(1 + Math.random() * 20);
      }
    }
  } finally {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  }
}
