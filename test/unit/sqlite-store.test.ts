import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { openDatabase, readValue } from '../../src/sqlite/database.ts';
import { explain } from '../../src/sqlite/errors.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { growSqlite } from '../support/grown/grow.ts';
import { growingSteps, noteStatements } from '../support/grown/sqlite-plans.ts';
import { historySuite } from '../support/history-suite.ts';
import { recordsSuite } from '../support/records-suite.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { standingSuite } from '../support/standing-suite.ts';
import { leaseOf, storeSuite } from '../support/store-suite.ts';
import { sweepSuite } from '../support/sweep-suite.ts';
import { workSuite } from '../support/work-suite.ts';

const openTwice = async (clock?: Clock, mostEvents?: number) => {
  const file = join(temporaryDirectory(), 'data', 'leases.db');
  const given = { ...(clock ? { clock } : {}), ...(mostEvents ? { mostEvents } : {}) };
  const options = { file, ...given };
  return { store: openSqliteStore(options), other: openSqliteStore(options) };
};
const statements = noteStatements();
storeSuite('the SQLite store', openTwice);
workSuite('the SQLite store', openTwice);
recordsSuite('the SQLite store', openTwice);
historySuite('the SQLite store', openTwice);
sweepSuite('the SQLite store', openTwice);
standingSuite('the SQLite store', openTwice);

test('no statement reads more where there is more', async () => {
  const own = [...statements].filter((sql) => /leases|events|receipts|grants/.test(sql));
  expect(own.length).toBeGreaterThan(40);
  const file = join(temporaryDirectory(), 'grown.db');
  await growSqlite(file, { leases: 10_000 });
  const db = new Database(file);
  for (const isAnalyzed of [false, true]) {
    if (isAnalyzed) db.exec('ANALYZE');
    const growing = own.map((sql) => [sql, growingSteps(db, sql)] as const);
    expect(growing.filter(([, steps]) => steps.length > 0)).toEqual([]);
  }
  db.close();
});

test('what comes after the end of a store is refused, and ends nothing else', async () => {
  const { store } = await openTwice();
  const before = store.read((view) => view.stored());
  await Promise.all([store.close(), store.close()]);
  expect(await before).toBe(0);
  const closed = { code: 'unavailable' };
  await expect(store.within('b').read((view) => view.stored())).rejects.toMatchObject(closed);
  await expect(store.write(async () => undefined)).rejects.toMatchObject(closed);
  await expect(store.check()).rejects.toMatchObject(closed);
});

const MIGRATION_1 = '../../src/store/sqlite/migrations/0001-leases.sql';

function query(file: string, sql: string): unknown[] {
  const db = new Database(file);
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

/** Makes a database one of a newer version, and closes it, or is killed before it can. */
function leaveNewer(file: string, isClosed: boolean): void {
  const script = `
    const db = new (require('libsql'))(${JSON.stringify(file)});
    db.exec('PRAGMA user_version = 99; CREATE TABLE more (x)');
    ${isClosed ? 'db.close()' : "process.kill(process.pid, 'SIGKILL')"}`;
  spawnSync(process.execPath, ['-e', script], { cwd: import.meta.dirname });
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

test('while another process writes, looking goes on, and writing when it is through', async () => {
  const file = join(temporaryDirectory(), 'leases.db');
  const store = openSqliteStore({ file });
  await store.write((transaction) => transaction.save(leaseOf('k')));
  const other = new Database(file);
  other.exec('BEGIN IMMEDIATE');
  let isWritten = false;
  const writing = store
    .write((transaction) => transaction.save(leaseOf('l')))
    .then(() => {
      isWritten = true;
    });
  // Once it has begun to wait.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  for (const _ of [1, 2]) {
    await store.check();
    expect(await store.read((view) => view.find('key', 'k'))).toBeDefined();
    expect(await store.read((view) => view.find('key', 'l'))).toBeUndefined();
  }
  expect(isWritten).toBe(false);
  other.exec('ROLLBACK');
  other.close();
  await writing;
  expect(await store.read((view) => view.find('key', 'l'))).toBeDefined();
  await store.close();
});

test.each(['removed', 'replaced'])('a file that was %s is not written any more', async (how) => {
  const file = join(temporaryDirectory(), 'leases.db');
  const store = openSqliteStore({ file });
  for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
  if (how === 'replaced') await openSqliteStore({ file }).close();
  const gone = {
    code: 'unavailable',
    message: `${file} was removed or replaced while it was open.`,
  };
  await expect(store.check()).rejects.toMatchObject(gone);
  const writing = store.write((transaction) => transaction.save(leaseOf('k')));
  await expect(writing).rejects.toMatchObject(gone);
  await store.close();
});

describe('the database file', () => {
  test('and what SQLite puts beside it are their owner’s alone', async () => {
    const directory = join(temporaryDirectory(), 'data');
    const file = join(directory, 'leases.db');
    const store = openSqliteStore({ file });
    await store.write((transaction) => transaction.save(leaseOf('k')));
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(directory)).toBe(0o700);
    expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual([0o600, 0o600, 0o600]);
    await store.close();
  });

  test('and what is beside it are closed to others who could read them', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    const files = [file, `${file}-wal`, `${file}-shm`];
    const store = openSqliteStore({ file });
    await store.write((transaction) => transaction.save(leaseOf('k')));
    for (const name of files) chmodSync(name, 0o644);
    await openSqliteStore({ file }).close();
    expect(files.map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
    await store.close();
  });

  test('is written ahead and synced fully', () => {
    const db = openDatabase(join(temporaryDirectory(), 'x.db'), {
      applicationId: 1,
      migrations: ['CREATE TABLE x (y)'],
      variable: 'X',
    });
    expect(readValue(db, 'PRAGMA journal_mode')).toBe('wal');
    expect(readValue(db, 'PRAGMA synchronous')).toBe(2);
    db.close();
  });

  test.each([
    [261, 'unavailable', 'SQLITE_BUSY'],
    [517, 'unavailable', 'SQLITE_BUSY'],
    [1544, 'usage', 'SQLITE_READONLY'],
    [778, 'unavailable', 'SQLITE_IOERR'],
    [13, 'unavailable', 'SQLITE_FULL'],
    [267, 'usage', 'SQLITE_CORRUPT'],
  ])('that fails with SQLite’s extended code %i is %s', (rawCode, code, name) => {
    const error = Object.assign(new Error(), { code: `UNKNOWN_SQLITE_ERROR_${rawCode}`, rawCode });
    expect(explain('a.db', error)).toMatchObject({ code, message: expect.stringContaining(name) });
    const bug = Object.assign(new Error(), { code: 'SQLITE_ERROR', rawCode: 1 });
    expect(explain('a.db', bug)).toBe(bug);
  });

  test('has the reviewed schema', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    await openSqliteStore({ file }).close();
    const rows = query(file, "SELECT sql || ';' AS sql FROM sqlite_schema WHERE sql IS NOT NULL");
    const schema = rows.map((row) => Object(row).sql).join('\n\n');
    await expect(`${schema}\n`).toMatchFileSnapshot('../support/schema.sql');
  });

  test.each([
    ['as it was closed', true],
    ['with the log that a crash left', false],
  ])('of a newer version is refused and not touched, %s', async (_, isClosed) => {
    const file = join(temporaryDirectory(), 'leases.db');
    await openSqliteStore({ file }).close();
    leaveNewer(file, isClosed);
    const files = [file, ...(isClosed ? [] : [`${file}-wal`])];
    expect(readdirSync(dirname(file))).toContain(basename(files.at(-1) ?? ''));
    chmodSync(file, 0o640);
    const before = files.map(digest);
    expect(() => openSqliteStore({ file })).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringMatching(/newer leasectl \(schema 99; this one knows 5\)/),
      }),
    );
    expect(files.map(digest)).toEqual(before);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test('of version 1 keeps its leases when it is brought up to date', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    const first = openDatabase(file, {
      applicationId: 0x6c656173,
      migrations: [readFileSync(new URL(MIGRATION_1, import.meta.url), 'utf8')],
      variable: 'X',
    });
    first.exec(`
      INSERT INTO leases VALUES ('key', 'held', 'h', 2, 5, 60000, 1000, 3000, 63000,
        'i', 'r', 4, 30000, 7, '{"a":1}', NULL, NULL, NULL, NULL, NULL, NULL);
      INSERT INTO leases VALUES ('key', 'done', 'g', 1, 2, 60000, 1000, 2000, 61000,
        NULL, NULL, 1, 60000, 1, NULL, 'fail', 2000, '{"b":2}', 'x', 'e', 'y');
      INSERT INTO usage VALUES ('2025-01', 2);`);
    first.close();
    const store = openSqliteStore({ file, clock: () => 5000 });
    const [held, done, found, usage] = await store.read((view) =>
      Promise.all([
        view.find('key', 'held'),
        view.find('key', 'done'),
        view.findByIdempotencyKey('key', 'i'),
        view.usage('2025-01'),
      ]),
    );
    expect(held).toEqual(
      leaseOf('held', {
        handle: 'h',
        fencingToken: 2,
        version: 5,
        firstSeenAt: 1000,
        changedAt: 3000,
        expiresAt: 63_000,
        acquisition: {
          idempotencyKey: 'i',
          requestHash: 'r',
          at: 3000,
          version: 4,
          ttl: 30_000,
          usage: 7,
        },
        metadata: { a: 1 },
      }),
    );
    expect(done).toMatchObject({
      handle: 'g',
      finish: { way: 'fail', at: 2000, result: { b: 2 }, resultHash: 'x', errorCode: 'e' },
    });
    expect(found).toEqual([held]);
    expect(usage).toBe(2);
    await store.close();
  });

  test('of another program is refused and not touched', () => {
    const file = join(temporaryDirectory(), 'leases.db');
    const db = new Database(file);
    db.exec('CREATE TABLE notes (text)');
    db.close();
    const before = digest(file);
    expect(() => openSqliteStore({ file })).toThrow(/another program/);
    expect(digest(file)).toBe(before);
  });

  test('that is no database is refused and not touched', () => {
    const file = join(temporaryDirectory(), 'leases.db');
    writeFileSync(file, 'hello world '.repeat(400));
    const before = digest(file);
    expect(() => openSqliteStore({ file })).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('NOTADB') }),
    );
    expect(digest(file)).toBe(before);
  });

  test('that cannot be opened is named, with why', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'leases.db'));
    expect(() => openSqliteStore({ file: join(directory, 'leases.db') })).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining('leases.db') }),
    );
    writeFileSync(join(directory, 'file'), '');
    expect(() => openSqliteStore({ file: join(directory, 'file', 'leases.db') })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});
