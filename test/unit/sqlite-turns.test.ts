import { join } from 'node:path';
import Database from 'libsql';
import { expect, onTestFinished, test } from 'vitest';
import { createTurns } from '../../src/store/sqlite/turns.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

function setScene() {
  const file = join(temporaryDirectory(), 'turns.db');
  const [db, other] = [new Database(file), new Database(file)];
  onTestFinished(() => {
    db.close();
    other.close();
  });
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER)');
  /** How many were written together, batch by batch. */
  const batches: number[] = [];
  const turns = createTurns(db, file, () => {
    const batch = { written: 0, flush: () => void batches.push(batch.written) };
    return batch;
  });
  const version = () => Number(Object(other.prepare('PRAGMA data_version').all()[0]).data_version);
  const insert = (n: number) => db.prepare('INSERT INTO t VALUES (?)').run(n);
  return {
    db,
    turns,
    version,
    insert,
    batches,
    write: (n: number) =>
      turns.write(async (batch) => {
        insert(n);
        batch.written += 1;
        return n;
      }),
    numbers: () =>
      other
        .prepare('SELECT n FROM t ORDER BY rowid')
        .all()
        .map((row) => Object(row).n),
  };
}

const NUMBERS = Array.from({ length: 50 }, (_, index) => index);

test('who waits at the same time writes together, in order', async () => {
  const { version, write, numbers, batches } = setScene();
  const before = version();
  expect(await Promise.all(NUMBERS.map(write))).toEqual(NUMBERS);
  expect(version()).toBe(before + 1);
  expect(numbers()).toEqual(NUMBERS);
  expect(batches).toEqual([NUMBERS.length]);
});

test('what somebody wrote who fails is gone, and nothing else is', async () => {
  const { turns, insert, write, numbers, version, batches } = setScene();
  const before = version();
  const failing = turns.write(async () => {
    insert(100);
    throw new Error('no');
  });
  const results = await Promise.allSettled([write(1), failing, write(2)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(numbers()).toEqual([1, 2]);
  // The others still write together, but nothing that was counted with what is gone.
  expect(version()).toBe(before + 1);
  expect(batches).toEqual([1, 1]);
});

test('who fails at looking is the only one', async () => {
  const { turns, write } = setScene();
  await write(1);
  const looks = [1, 2, 3].map((n) =>
    turns.read(async () => {
      if (n === 2) throw new Error('no');
      return n;
    }),
  );
  const results = await Promise.allSettled(looks);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('nobody is told of what is not durable', async () => {
  const { db, turns, write, numbers } = setScene();
  // As SQLite does when the disk is full.
  const ending = turns.write(async () => {
    db.exec('ROLLBACK');
    throw new Error('no room');
  });
  const results = await Promise.allSettled([write(1), ending, write(2)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await write(3);
  expect(numbers()).toEqual([3]);
});

test('who reads sees what is durable, and what comes later waits for it', async () => {
  const { db, turns, write, numbers } = setScene();
  const count = () => turns.read(async () => Object(db.prepare('SELECT n FROM t').all()).length);
  const [, during] = await Promise.all([write(1), count(), write(2)]);
  expect(during).toBe(0);
  expect(await count()).toBe(2);
  const late = Promise.all([write(3), write(4)]);
  await turns.idle();
  expect(numbers()).toEqual([1, 2, 3, 4]);
  await late;
});
