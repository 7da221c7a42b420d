import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/store/sqlite/log.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** A database whose log nobody else brings home. */
function written() {
  const file = join(temporaryDirectory(), 'some.db');
  const db = new Database(file);
  onTestFinished(() => void db.close());
  db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a TEXT)');
  return {
    file,
    write: () => db.exec("INSERT INTO t VALUES ('a')"),
    /** How many rows have come home: what is in the file alone. */
    home: () => {
      const copy = join(temporaryDirectory(), 'copy.db');
      copyFileSync(file, copy);
      const other = new Database(copy);
      onTestFinished(() => void other.close());
      const tables = other.prepare("SELECT name FROM sqlite_schema WHERE name = 't'").all();
      return tables.length === 0 ? 0 : other.prepare('SELECT a FROM t').all().length;
    },
  };
}

test('a log is brought home when enough has come to it, and not before', async () => {
  const { file, write, home } = written();
  const connections: string[] = [];
  const log = openLog(40, () => {
    connections.push(file);
    return new Database(file);
  });
  write();
  log.grow(1);
  write();
  log.grow(1);
  expect([connections, home()]).toEqual([[], 0]);
  write();
  log.grow(1);
  write();
  await log.close();
  expect(connections).toHaveLength(1);
  expect(home()).toBeGreaterThanOrEqual(3);
});

test('a log is brought home again and again, by one connection', async () => {
  const { file, write, home } = written();
  let connections = 0;
  const log = openLog(1, () => {
    connections += 1;
    return new Database(file);
  });
  onTestFinished(() => log.close());
  write();
  log.grow(1);
  await expect.poll(home).toBe(1);
  write();
  await expect
    .poll(() => {
      log.grow(1);
      return home();
    })
    .toBe(2);
  expect(connections).toBe(1);
});

test('what hinders that hinders nobody, and is tried again', async () => {
  const { file, write, home } = written();
  let tries = 0;
  const log = openLog(1, () => {
    tries += 1;
    if (tries === 1) throw new Error('no file descriptors are left');
    return new Database(file);
  });
  write();
  log.grow(1);
  await expect
    .poll(() => {
      log.grow(1);
      return home();
    })
    .toBe(1);
  await log.close();
  expect(tries).toBe(2);
});
