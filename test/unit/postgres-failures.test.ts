import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Store } from '../../src/engine/store.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore, startCutter } from '../support/postgres-stores.ts';
import { leaseOf } from '../support/store-suite.ts';

const server = await startPostgres({ deadlock_timeout: '20ms' });
afterAll(() => server.remove());

const add = (store: Store, id: string) =>
  store.write(async (transaction) => {
    const lease = await transaction.find('key', id);
    if (lease) await transaction.save({ ...lease, version: lease.version + 1 });
  });
const versionOf = async (store: Store, id: string) =>
  (await store.read((view) => view.find('key', id)))?.version ?? 0;
const terminate = (url: string) =>
  server.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = '${new URL(url).pathname.slice(1)}' AND pid <> pg_backend_pid()`,
  );

describe('a database that is not there', () => {
  test.each([
    ['out of reach', 'postgres://u:secret@127.0.0.1:1/d', 'unavailable', 'ECONNREFUSED'],
    ['of another user', 'postgres://nobody:secret@HOST/postgres', 'unauthorized', '28P01'],
    ['unknown', 'postgres://USER@HOST/nothing', 'usage', '3D000'],
    ['without a password', 'postgres://NAME@HOST/postgres', 'unauthorized', 'asks for a password'],
  ])('is told: %s', async (_, text, code, message) => {
    const { name, password } = server.user;
    const url = text
      .replace('USER', `${encodeURIComponent(name)}:${encodeURIComponent(password)}`)
      .replace('NAME', encodeURIComponent(name))
      .replace('HOST', `127.0.0.1:${server.port}`);
    const store = openStore(url, { env: { HOME: '/nowhere' } });
    const failure = await store.check().catch((error) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(failure.hint).toBeTruthy();
    expect(`${failure.message} ${failure.hint}`).not.toMatch(/secret|p@ss/);
  });

  test('is used when it is there', async () => {
    const url = await server.createDatabase();
    const store = openStore(url);
    await server.stop('SIGKILL');
    await expect(store.check()).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await store.write((transaction) => transaction.save(leaseOf('k')));
    await server.stop('SIGINT');
    await expect(add(store, 'k')).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await add(store, 'k');
    expect(await versionOf(store, 'k')).toBe(2);
  });
});

describe('what happens to connections', () => {
  test.each([
    ['are killed', async (url: string) => void (await terminate(url))],
    [
      'go down with the database',
      async () => {
        await server.stop('SIGKILL');
        await server.start();
      },
    ],
  ])(
    'that %s: no change is lost, and none is made twice',
    async (_, disturb) => {
      const url = await server.createDatabase();
      const stores = [openStore(url), openStore(url)];
      const [store, other] = [stores[0] as Store, stores[1] as Store];
      await store.write((transaction) => transaction.save(leaseOf('k')));
      let [made, unknown, isOver] = [0, 0, false];
      const work = async (at: Store) => {
        while (!isOver) {
          try {
            await add(at, 'k');
            made += 1;
          } catch (error) {
            expect(error).toMatchObject({ code: 'unavailable' });
            if (error instanceof Failure && error.outcomeUnknown) unknown += 1;
            await new Promise(setImmediate);
          }
        }
      };
      const workers = [store, other, store, other].map(work);
      for (let round = 0; round < 5; round += 1) {
        const before = made;
        await expect.poll(() => made, { timeout: 5_000, interval: 1 }).toBeGreaterThan(before + 5);
        await disturb(url);
      }
      isOver = true;
      await Promise.all(workers);
      const found = (await versionOf(store, 'k')) - 1;
      expect(found).toBeGreaterThanOrEqual(made);
      expect(found).toBeLessThanOrEqual(made + unknown);
    },
    30_000,
  );

  test('that end with the commit: the outcome is unknown, and work is not tried again', async () => {
    const { url, cutAt } = await startCutter(await server.createDatabase());
    const store = openStore(url);
    await store.write((transaction) => transaction.save(leaseOf('k')));
    for (const isPassedOn of [true, false]) {
      cutAt('COMMIT\0', isPassedOn);
      await expect(add(store, 'k')).rejects.toMatchObject({
        code: 'unavailable',
        outcomeUnknown: true,
      });
    }
    await expect.poll(() => versionOf(store, 'k')).toBe(2);
  });

  test('that end before it: work is tried again', async () => {
    const { url, cutAt } = await startCutter(await server.createDatabase());
    const store = openStore(url);
    await store.write((transaction) => transaction.save(leaseOf('k')));
    for (const text of ['BEGIN', 'leasectl_']) {
      cutAt(text, true);
      await add(store, 'k');
    }
    expect(await versionOf(store, 'k')).toBe(3);
  });

  test('that all are in use: who waits too long is told', async () => {
    const url = await server.createDatabase();
    const store = openStore(url, { connections: 1, patience: 50 });
    await store.check();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = store.read(() => held);
    await expect(versionOf(store, 'k')).rejects.toMatchObject({ code: 'unavailable' });
    // The database is there, and other nodes would fare no better.
    await expect(store.check()).resolves.toBeUndefined();
    release();
    await first;
    expect(await versionOf(store, 'k')).toBe(0);
  });
});

test('a database that only lets itself be read is told, and used when it no longer does', async () => {
  const url = await server.createDatabase();
  const store = openStore(url);
  await store.write((transaction) => transaction.save(leaseOf('k')));
  const name = new URL(url).pathname.slice(1);
  const readOnly = (value: string) =>
    server.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`);
  await readOnly('on');
  await terminate(url);
  await expect(add(store, 'k')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('25006'),
  });
  expect(await versionOf(store, 'k')).toBe(1);
  await readOnly('off');
  await add(store, 'k');
  expect(await versionOf(store, 'k')).toBe(2);
});

test('what is told of a failure has nothing of a row in it', async () => {
  const store = openStore(await server.createDatabase());
  const wrong = leaseOf('k', { version: 0, handle: 'secret handle' });
  const error = await store.write((transaction) => transaction.save(wrong)).catch((error) => error);
  expect(error).toMatchObject({ code: '23514' });
  expect(inspect(error)).not.toContain('secret handle');
});

describe('two who want what the other has', () => {
  test('both get it in the end', async () => {
    const url = await server.createDatabase();
    const [store, other] = [openStore(url), openStore(url)];
    await store.write(async (transaction) => {
      await transaction.save(leaseOf('a'));
      await transaction.save(leaseOf('b'));
    });
    let [runs, locked] = [0, 0];
    const both = (at: Store, ids: readonly string[]) =>
      at.write(async (transaction) => {
        runs += 1;
        for (const id of ids) {
          const lease = await transaction.find('key', id);
          if (lease) await transaction.save({ ...lease, version: lease.version + 1 });
          locked += 1;
          await expect.poll(() => locked, { interval: 1 }).toBeGreaterThan(1);
        }
      });
    await Promise.all([both(store, ['a', 'b']), both(other, ['b', 'a'])]);
    // Each was there once; one gave way, once or oftener.
    expect(runs).toBeGreaterThan(2);
    expect([await versionOf(store, 'a'), await versionOf(store, 'b')]).toEqual([3, 3]);
  });

  test('do not wait for one that stands still', async () => {
    const url = await server.createDatabase();
    const [store, other] = [openStore(url, { patience: 1_000 }), openStore(url)];
    await store.write((transaction) => transaction.save(leaseOf('k')));
    let runs = 0;
    const still = store.write(async (transaction) => {
      runs += 1;
      const lease = await transaction.find('key', 'k');
      // Changed by somebody else, while this one had locked it.
      if (runs === 1) await expect.poll(() => versionOf(other, 'k')).toBe(2);
      if (lease) await transaction.save({ ...lease, version: lease.version + 1 });
    });
    await expect.poll(() => runs).toBe(1);
    await Promise.all([still, add(other, 'k')]);
    expect([runs, await versionOf(other, 'k')]).toEqual([2, 3]);
  });

  test('give up before others lose their patience who wait for a connection', async () => {
    const url = await server.createDatabase();
    const [holder, store] = [openStore(url), openStore(url, { connections: 2, patience: 1_000 })];
    await holder.write((transaction) => transaction.save(leaseOf('k')));
    await holder.write(async (transaction) => {
      await transaction.find('key', 'k');
      const waiting = [add(store, 'k'), add(store, 'k')];
      const looking = versionOf(store, 'other');
      const [one, two, looked] = await Promise.allSettled([...waiting, looking]);
      expect([one?.status, two?.status]).toEqual(['rejected', 'rejected']);
      expect(looked).toEqual({ status: 'fulfilled', value: 0 });
    });
  });

  test('are told when it takes too long', async () => {
    const url = await server.createDatabase();
    const [store, other] = [openStore(url), openStore(url, { patience: 100 })];
    await store.write((transaction) => transaction.save(leaseOf('k')));
    await store.write(async (transaction) => {
      await transaction.find('key', 'k');
      await expect(add(other, 'k')).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('55P03'),
      });
    });
  });
});
