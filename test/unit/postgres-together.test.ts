import { afterAll, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { Store, Transaction } from '../../src/engine/store.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';
import { leaseOf } from '../support/store-suite.ts';

const server = await startPostgres();
afterAll(() => server.remove());

const MANY = Array.from({ length: 64 }, (_, index) => `k${index}`);
const acquisition = { ttl: 60_000, metadata: null, requestHash: null, idempotencyKey: null };

function engineOn(store: Store, capacity?: number): Engine {
  let handles = 0;
  const newHandle = () => {
    handles += 1;
    return `handle ${handles}`;
  };
  const limits = { monthlyLimit: 1_000, ...(capacity === undefined ? {} : { capacity }) };
  return createEngine({ store, newHandle, ...limits });
}

const acquire = (engine: Engine, id: string) =>
  engine.acquire({ ...acquisition, kind: 'key', id }, NOBODY);
const acquireKeyed = (engine: Engine, id: string, idempotencyKey = `key of ${id}`) =>
  engine.acquire({ ...acquisition, kind: 'key', id, idempotencyKey, requestHash: 'h' }, NOBODY);
const versionOf = async (store: Store, id: string) =>
  (await store.read((view) => view.find('key', id)))?.version ?? 0;
const add = (store: Store, id: string) =>
  store.write(async (transaction) => {
    const lease = (await transaction.find('key', id)) ?? leaseOf(id, { version: 1 });
    await transaction.save({ ...lease, version: lease.version + 1 });
  });

/** How many transactions wrote what leases are. */
async function transactionsOf(url: string): Promise<number> {
  const sql = 'SELECT count(DISTINCT xmin::text)::int AS count FROM leasectl.leases';
  return Object((await server.query(sql, url))[0]).count;
}

async function newStore(): Promise<{ readonly store: Store; readonly url: string }> {
  const url = await server.createDatabase();
  const store = openStore(url);
  await store.check();
  return { store, url };
}

test('many changes that come together are few transactions', async () => {
  const { store, url } = await newStore();
  const engine = engineOn(store);
  const acquired = await Promise.all(MANY.map((id) => acquire(engine, id)));
  await Promise.all(
    acquired.map(({ lease }, index) => {
      const finish = { result: null, resultHash: null, errorCode: null, errorHash: null };
      const handle = lease?.handle ?? '';
      const command = { ...finish, type: 'finish', way: 'complete', handle } as const;
      return engine.change('key', MANY[index] ?? '', command, NOBODY);
    }),
  );
  const count = 'SELECT count(*)::int AS events, count(DISTINCT transaction)::int AS together';
  const [row] = await server.query(`${count} FROM leasectl.events`, url);
  const { events, together } = Object(row);
  expect(events).toBe(2 * MANY.length);
  expect(together).toBeLessThan(10);
  expect(await store.read((view) => view.stored())).toBe(MANY.length);
});

test('so are those with idempotency keys, whose repetitions change nothing', async () => {
  const { store, url } = await newStore();
  const engine = engineOn(store);
  const first = await Promise.all(MANY.map((id) => acquireKeyed(engine, id)));
  expect(await transactionsOf(url)).toBeLessThan(10);
  const again = await Promise.all(MANY.map((id) => acquireKeyed(engine, id)));
  expect(again.map(({ lease }) => lease)).toEqual(first.map(({ lease }) => lease));
  expect(again.map(({ outcome }) => Object(outcome).replayed)).toEqual(MANY.map(() => true));
  expect(await store.read((view) => view.events({}, 100))).toHaveLength(MANY.length);
});

test('one idempotency key gets one lease, whoever goes together', async () => {
  const { store, url } = await newStore();
  const other = openStore(url);
  const engines = [engineOn(store), engineOn(other)];
  const decisions = await Promise.all(
    // All but the first of each node wait for one another.
    MANY.slice(0, 16).flatMap((id) => engines.map((one) => acquireKeyed(one, id, 'same'))),
  );
  const won = decisions.filter(({ outcome }) => outcome.type === 'acquired');
  expect(new Set(won.map(({ lease }) => lease?.id)).size).toBe(1);
  expect(await store.read((view) => view.stored())).toBe(1);
  // Connections tell what they met when they end.
  await Promise.all([store.close(), other.close()]);
  const met = 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()';
  expect(await server.query(met, url)).toEqual([{ deadlocks: 0 }]);
});

test('each sees what those before it have changed', async () => {
  const { store } = await newStore();
  await Promise.all(MANY.map(() => add(store, 'k')));
  expect(await versionOf(store, 'k')).toBe(1 + MANY.length);
  const { id } = leaseOf('other');
  const decisions = await Promise.all(MANY.map(() => acquire(engineOn(store), id)));
  const won = decisions.filter(({ outcome }) => outcome.type === 'acquired');
  expect(won).toHaveLength(1);
  // What it counts, too: there is room for nine more.
  const engine = engineOn(store, 11);
  const results = await Promise.all(MANY.map((key) => acquire(engine, key)));
  expect(results.filter(({ outcome }) => outcome.type === 'acquired')).toHaveLength(9);
  expect(results.filter(({ outcome }) => outcome.type === 'rejected')).toHaveLength(55);
  const used = results.map(({ usage }) => usage);
  expect(Math.max(...used)).toBe(10);
  expect(await store.read((view) => view.stored())).toBe(11);
});

const expired = { kind: 'key', type: 'extended', requestId: null, before: null } as const;
const eventOf = (id: string) => ({
  ...{ ...expired, id, at: 1, fencingToken: 1, version: 1 },
  ...{ caller: null, after: null, detail: null },
});

test.each<[string, (transaction: Transaction) => Promise<void>, string]>([
  ['throws', () => Promise.reject(new Error('no')), 'no'],
  [
    'writes what the database refuses',
    async (transaction) => {
      await transaction.find('key', 'wrong');
      await transaction.save(leaseOf('wrong', { version: 0 }));
    },
    'leases_version_check',
  ],
])('one that %s spoils nothing for the others', async (_, work, message) => {
  const { store } = await newStore();
  await add(store, 'k');
  const wrong = store.write(async (transaction) => {
    const lease = await transaction.find('key', 'k');
    if (lease) await transaction.save({ ...lease, version: 99 });
    await transaction.find('key', 'new');
    await transaction.save(leaseOf('new'));
    await transaction.saveEvent(eventOf('new'));
    await transaction.charge('2026-11');
    await work(transaction);
  });
  const others = MANY.map((id) => add(store, id));
  const result = await wrong.catch((error) => error);
  expect(result.message).toContain(message);
  await Promise.all([...others, add(store, 'k')]);
  expect(await versionOf(store, 'k')).toBe(3);
  expect(await versionOf(store, 'new')).toBe(0);
  const left = await store.read(async (view) => ({
    stored: await view.stored(),
    usage: await view.usage('2026-11'),
    events: (await view.events({}, 10)).length,
  }));
  expect(left).toEqual({ stored: 1 + MANY.length, usage: 0, events: 0 });
});

test('nobody waits for what another one waits for', async () => {
  const { store, url } = await newStore();
  await add(store, 'k');
  const holder = openStore(url);
  let later: Promise<void> | undefined;
  await holder.write(async (transaction) => {
    await transaction.find('key', 'k');
    later = add(store, 'k');
    await Promise.all(MANY.map((id) => add(store, id)));
    expect(await versionOf(store, 'k')).toBe(2);
    // Nor goes anybody alone for that.
    expect(await transactionsOf(url)).toBeLessThan(10);
  });
  await later;
  expect(await versionOf(store, 'k')).toBe(3);
});

test('what two nodes insert at the same time is there once', async () => {
  const { store, url } = await newStore();
  const other = openStore(url);
  const [one, two] = [MANY, MANY.toReversed()];
  await Promise.all([...one.map((id) => add(store, id)), ...two.map((id) => add(other, id))]);
  for (const id of MANY) expect(await versionOf(store, id)).toBe(3);
  expect(await store.read((view) => view.stored())).toBe(MANY.length);
});

test('text that PostgreSQL does not take is made such', async () => {
  const { store, url } = await newStore();
  const awkward = { handle: 'a\0b\\u0000\ud800', metadata: { '\0': '\0' } };
  await Promise.all(
    ['k', 'other'].map((id) =>
      store.write(async (transaction) => {
        await transaction.find('key', id);
        await transaction.save(leaseOf(id, awkward));
      }),
    ),
  );
  expect(await transactionsOf(url)).toBe(1);
  const found = await store.read((view) => view.find('key', 'k'));
  expect(found).toMatchObject({ handle: 'a\uFFFDb\\u0000\uFFFD', metadata: { '\0': '\0' } });
});

test('few rows are read, however many there are', async () => {
  const { store, url } = await newStore();
  const engine = engineOn(store);
  // Planned while there was nothing, as on a new database.
  for (const id of MANY.slice(0, 10)) await acquireKeyed(engine, `first ${id}`);
  const grow = `INSERT INTO leasectl.leases SELECT (jsonb_populate_record(lease,
      jsonb_build_object('id', 'grown ' || number))).*
    FROM leasectl.leases AS lease, generate_series(1, 2000) AS number WHERE id = 'first k0'`;
  await server.query(grow, url);
  await server.query('SELECT pg_stat_reset()', url);
  await Promise.all(MANY.map((id) => acquireKeyed(engine, id)));
  await Promise.all(MANY.map((id) => acquireKeyed(engine, id)));
  await store.close();
  const counted = `SELECT sum(seq_tup_read)::int AS scanned,
      (SELECT sum(idx_tup_read)::int FROM pg_stat_user_indexes WHERE relname = 'leases') AS read
    FROM pg_stat_user_tables WHERE relname = 'leases'`;
  const look = async () => Object((await server.query(counted, url))[0]);
  await expect.poll(async () => (await look()).read).toBeGreaterThan(0);
  const { scanned, read } = await look();
  expect(scanned).toBe(0);
  expect(read).toBeLessThan(8 * MANY.length);
});
