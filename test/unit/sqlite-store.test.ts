import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { leaseOf, storeSuite } from '../support/store-suite.ts';

storeSuite('the SQLite store', async (clock?: Clock) => {
  const file = join(temporaryDirectory(), 'data', 'leases.db');
  const options = clock ? { file, clock } : { file };
  return { store: openSqliteStore(options), other: openSqliteStore(options) };
});

function query(file: string, sql: string): unknown[] {
  const db = new Database(file);
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

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

  test('that others could read is closed to them', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    await openSqliteStore({ file }).close();
    chmodSync(file, 0o644);
    await openSqliteStore({ file }).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('is written ahead and synced fully', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    const store = openSqliteStore({ file });
    expect(query(file, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    await store.close();
  });

  test('has the reviewed schema', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    await openSqliteStore({ file }).close();
    const rows = query(file, "SELECT sql || ';' AS sql FROM sqlite_schema WHERE sql IS NOT NULL");
    const schema = rows.map((row) => Object(row).sql).join('\n\n');
    await expect(`${schema}\n`).toMatchFileSnapshot('../support/schema.sql');
  });

  test('of a newer version is refused and not touched', async () => {
    const file = join(temporaryDirectory(), 'leases.db');
    await openSqliteStore({ file }).close();
    query(file, 'PRAGMA user_version = 99');
    query(file, 'PRAGMA wal_checkpoint(TRUNCATE)');
    const before = digest(file);
    expect(() => openSqliteStore({ file })).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringMatching(/newer leasectl \(schema 99; this one knows 1\)/),
      }),
    );
    expect(digest(file)).toBe(before);
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
