import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { monotonic } from '../domain/clock.ts';
import { Failure } from '../domain/failure.ts';
import { isJsonObject } from '../domain/json.ts';
import { connectTo, isOpenHere } from './connect.ts';
import { explained, isBusy } from './errors.ts';

/** An open file. */
export type Connection = Database.Database;

/** One kind of SQLite file that leasectl keeps. */
export interface DatabaseKind {
  /** Written into the file's header, so that no other program's file is taken for it. */
  readonly applicationId: number;
  /** Append only: a released migration is never edited. Its place in the list is its number. */
  readonly migrations: readonly string[];
  /** Bytes of a page, in files that are made from now on. Default: SQLite's, 4096. */
  readonly pageSize?: number;
  /** The variable that moves the file elsewhere, for hints. */
  readonly variable: string;
}

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT = 15_000;
/** How long looking waits: for whoever closes the file last, and brings the log home. */
const LOOK_TIMEOUT = 250;

const OWNER_ONLY = 0o600;

/**
 * Opens the database, creating and migrating it as needed; safe when many processes do so at once.
 *
 * @throws Failure `usage` when the file is somebody else's, from a newer leasectl, damaged, or out
 *   of reach; such a file, and what SQLite keeps beside it, is not changed. `unavailable` when it
 *   stays locked.
 * @param patience how long to wait for other processes, in milliseconds
 */
export function openDatabase(
  file: string,
  kind: DatabaseKind,
  patience = BUSY_TIMEOUT,
): Database.Database {
  return explained(file, () => {
    prepareFile(file, kind);
    const db = connectTo(file);
    try {
      db.exec(`PRAGMA busy_timeout = ${Math.ceil(patience)}`);
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

/**
 * Opens a database to look at it: nothing is created, changed or migrated, and hardly waited for.
 *
 * @returns undefined where there is none of this very kind and version
 * @throws an error of any kind when it cannot be read
 */
export function openToLook(file: string, kind: DatabaseKind): Database.Database | undefined {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return undefined;
  // SQLite makes the side files that are not there, unless nothing is ever going to change.
  const db = connectTo(file, hasLog(file) ? 'mode=ro' : 'immutable=1');
  db.exec(`PRAGMA busy_timeout = ${LOOK_TIMEOUT}`);
  const { version, owner } = Object(db.prepare(STATE).all()[0]);
  if (owner === kind.applicationId && version === kind.migrations.length) return db;
  db.close();
  return undefined;
}

/**
 * Makes the file where there is none, for SQLite gives its side files the mode of the main one;
 * looks at one that is there before anything may change it.
 */
function prepareFile(file: string, kind: DatabaseKind): void {
  if (isOpenHere(file)) {
    inspect(file, kind);
    keepPrivate(file, statSync(file).mode);
    return;
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_CREAT, OWNER_ONLY);
  const { mode, size } = fstatSync(descriptor);
  const { applicationId, version } = readHeader(descriptor);
  closeSync(descriptor);
  const isOurs = applicationId === kind.applicationId;
  const isKnown = version <= kind.migrations.length;
  // Even to open and close a file can change it: a log that was left behind is brought home.
  if (size > 0 && !(isOurs && isKnown && !hasLog(file))) inspect(file, kind);
  keepPrivate(file, mode);
}

function keepPrivate(file: string, mode: number): void {
  if ((mode & 0o077) === 0) return;
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    if (statSync(name, { throwIfNoEntry: false })) chmodSync(name, OWNER_ONLY);
  }
}

/** Where SQLite's file format has these, in bytes from the start. */
const HEADER_SIZE = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

function readHeader(descriptor: number): { applicationId: number; version: number } {
  const header = Buffer.alloc(HEADER_SIZE);
  readSync(descriptor, header, 0, HEADER_SIZE, 0);
  return {
    applicationId: header.readUInt32BE(APPLICATION_ID_AT),
    version: header.readUInt32BE(USER_VERSION_AT),
  };
}

function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function inspect(file: string, kind: DatabaseKind): number {
  const db = connectTo(file, 'mode=ro');
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return readVersion(db, file, kind);
  } finally {
    db.close();
  }
}

/**
 * Looks which schema a database has, and changes nothing. One that SQLite need not read for that is
 * not opened, for even that would leave files beside it.
 *
 * @returns the number of migrations that it has seen; 0 where there is none yet
 * @throws Failure as `openDatabase`
 */
export function schemaOf(file: string, kind: DatabaseKind): number {
  return explained(file, () => {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return 0;
    if (isOpenHere(file)) return inspect(file, kind);
    const descriptor = openSync(file, constants.O_RDONLY);
    const { applicationId, version } = readHeader(descriptor);
    closeSync(descriptor);
    const isOurs = applicationId === kind.applicationId && version <= kind.migrations.length;
    return isOurs && !hasLog(file) ? version : inspect(file, kind);
  });
}

/** The version of SQLite, which shows that the native module works. */
export function sqliteVersion(): string {
  const db = new Database(':memory:');
  try {
    return String(readValue(db, 'SELECT sqlite_version()'));
  } finally {
    db.close();
  }
}

/** All at one moment: others may be migrating. */
const STATE = `SELECT
  (SELECT user_version FROM pragma_user_version) AS version,
  (SELECT application_id FROM pragma_application_id) AS owner,
  (SELECT count(*) FROM sqlite_schema) AS entries`;

/** The number of migrations the file has seen. Reads only. */
function readVersion(db: Database.Database, file: string, kind: DatabaseKind): number {
  const { applicationId, migrations } = kind;
  const { version, owner, entries } = Object(db.prepare(STATE).all()[0]);
  const isNew = version === 0 && entries === 0;
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
  if (version === 0) {
    // Once there is a page its size stays.
    if (kind.pageSize !== undefined) db.exec(`PRAGMA page_size = ${kind.pageSize}`);
    enableWal(db, file, kind);
  }
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
  const deadline = monotonic() + BUSY_TIMEOUT;
  for (;;) {
    try {
      const mode = readValue(db, 'PRAGMA journal_mode = WAL');
      if (mode === 'wal') return;
      throw new Failure('usage', `${file} lies on a file system without shared memory.`, {
        hint: `Keep it on a local disk: set ${kind.variable} to one.`,
      });
    } catch (error) {
      if (!isBusy(error) || monotonic() > deadline) throw error;
      pause(5 + Math.random() * 20);
    }
  }
}

/** The first column of the first row; undefined when there is none. (libsql's `pluck` is broken.) */
export function readValue(db: Database.Database, sql: string, ...parameters: unknown[]): unknown {
  return firstValue(db.prepare(sql).all(...parameters));
}

export function firstValue([row]: readonly unknown[]): unknown {
  return isJsonObject(row) ? Object.values(row)[0] : undefined;
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Takes the write lock, waiting for it without blocking the thread as SQLite itself would.
 *
 * @param patience milliseconds
 */
export async function beginImmediate(
  db: Database.Database,
  patience = BUSY_TIMEOUT,
): Promise<void> {
  const deadline = monotonic() + patience;
  db.exec('PRAGMA busy_timeout = 0');
  try {
    for (;;) {
      try {
        db.exec('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isBusy(error) || monotonic() > deadline) throw error;
        await delay(1 + Math.random() * 20);
      }
    }
  } finally {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
  }
}
