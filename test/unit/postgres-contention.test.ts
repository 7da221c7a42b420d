import { afterAll, describe, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { createAccess } from '../../src/engine/access.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { Store } from '../../src/engine/store.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';
import { workOf } from '../support/store-suite.ts';

const server = await startPostgres();
afterAll(() => server.remove());

const RACERS = Array.from({ length: 64 }, (_, index) => index);

let handles = 0;
function engineOn(store: Store): Engine {
  const newHandle = () => {
    handles += 1;
    return `handle ${handles}`;
  };
  return createEngine({ store, newHandle, monthlyLimit: 1_000_000 });
}

/** Two nodes with a database of their own. */
async function twoNodes(): Promise<readonly [Store, Store]> {
  const url = await server.createDatabase();
  const stores = [openStore(url), openStore(url)] as const;
  await stores[0].check();
  return stores;
}

/** Lets all race, each on one of two nodes. */
async function race<T>(
  work: (engine: Engine, index: number) => Promise<T>,
  stores: readonly [Store, Store],
) {
  const engines = stores.map(engineOn);
  return Promise.all(
    RACERS.map((index) => {
      const engine = engines[index % 2];
      if (!engine) throw new Error('there are two');
      return work(engine, index);
    }),
  );
}

const acquisition = { ttl: 60_000, metadata: null, requestHash: null, idempotencyKey: null };
const candidate = { pool: 'p', workspace: null, tags: [], runner: 'r' };

describe('of 64 on two nodes', () => {
  test('one acquires a key that nobody has seen', async () => {
    const stores = await twoNodes();
    const decisions = await race(
      (engine) => engine.acquire({ ...acquisition, kind: 'key', id: 'k' }, NOBODY),
      stores,
    );
    const types = decisions.map(({ outcome }) => outcome.type);
    expect(types.filter((type) => type === 'acquired')).toHaveLength(1);
    const holders = new Set(decisions.map(({ lease }) => lease?.handle));
    expect(holders.size).toBe(1);
    expect(await stores[0].read((view) => view.stored())).toBe(1);
    const month = new Date(decisions[0]?.now ?? 0).toISOString().slice(0, 7);
    expect(await stores[1].read((view) => view.usage(month))).toBe(1);
    const noted = await stores[1].read((view) => view.events({}, 99));
    expect(noted).toHaveLength(RACERS.length);
    expect(noted.filter(({ type }) => type !== 'refused')).toHaveLength(1);
  });

  test('one acquires a key that ran out', async () => {
    const stores = await twoNodes();
    const [first] = stores.map(engineOn);
    const key = { ...acquisition, kind: 'key', id: 'k' } as const;
    const before = await first?.acquire({ ...key, ttl: 1 }, NOBODY);
    await expect
      .poll(async () => (await first?.look('key', 'k'))?.now ?? 0)
      .toBeGreaterThan(before?.lease?.expiresAt ?? Number.POSITIVE_INFINITY);
    const decisions = await race((engine) => engine.acquire(key, NOBODY), stores);
    const won = decisions.filter(({ outcome }) => outcome.type === 'acquired');
    expect(won.map(({ lease }) => lease?.fencingToken)).toEqual([2]);
  });

  test.each([
    ['each gets a job', 64, 64],
    ['there is none for most of them', 10, 10],
  ])('%s', async (_, jobs, expected) => {
    const stores = await twoNodes();
    const work = workOf({ tags: ['a'], runners: ['r'] });
    await engineOn(stores[0]).add(
      Array.from({ length: jobs }, (_, index) => ({
        ...({ kind: 'job', ttl: 60_000, work } as const),
        id: `job ${index}`,
      })),
      NOBODY,
    );
    const request = {
      ...acquisition,
      kind: 'job',
      candidate: { ...candidate, tags: ['a'] },
    } as const;
    const found = await race((engine) => engine.acquireNext(request, NOBODY), stores);
    const ids = found.flatMap((decision) => decision?.lease?.id ?? []);
    expect(ids).toHaveLength(expected);
    expect(new Set(ids).size).toBe(expected);
  });

  test('all get what the first of them got with one idempotency key', async () => {
    const stores = await twoNodes();
    const work = workOf();
    await engineOn(stores[0]).add(
      RACERS.map((index) => ({ kind: 'job', ttl: 60_000, work, id: `job ${index}` }) as const),
      NOBODY,
    );
    const same = { ...acquisition, idempotencyKey: 'i', requestHash: 'h' };
    const found = await race(
      (engine) => engine.acquireNext({ ...same, kind: 'job', candidate }, NOBODY),
      stores,
    );
    expect(new Set(found.map((decision) => decision?.lease?.handle)).size).toBe(1);
  });

  test('one ends a lease, and each of the others is told how it ended', async () => {
    const stores = await twoNodes();
    const acquired = await engineOn(stores[0]).acquire(
      { ...acquisition, kind: 'key', id: 'k' },
      NOBODY,
    );
    const handle = acquired.lease?.handle ?? '';
    const finish = { result: null, resultHash: null, errorCode: null, errorHash: null };
    const decisions = await race(
      (engine, index) =>
        engine.change(
          'key',
          'k',
          {
            ...finish,
            type: 'finish',
            handle,
            way: index % 3 === 0 ? 'complete' : 'fail',
          },
          NOBODY,
        ),
      stores,
    );
    const versions = new Set(decisions.map(({ lease }) => lease?.version));
    expect([...versions]).toEqual([2]);
    expect(new Set(decisions.map(({ lease }) => lease?.finish?.way)).size).toBe(1);
  });

  test('one gets the name of a token, and a client', async () => {
    const stores = await twoNodes();
    let secrets = 0;
    const newSecret = () => {
      secrets += 1;
      return `secret ${secrets}`;
    };
    const hash = (secret: string) => `hash of ${secret}`;
    const access = stores.map((store) =>
      createAccess({ store, namespace: 'default', newSecret, hash }),
    );
    const [one, two] = access;
    const tokens = await Promise.all(
      RACERS.map((index) =>
        (index % 2 ? one : two)?.addToken({ name: 'ci', scopes: ['admin'], lifetime: undefined }),
      ),
    );
    const clients = await Promise.all(
      RACERS.map((index) => (index % 2 ? one : two)?.addClient('agent', ['admin'])),
    );
    expect(tokens.filter(Boolean)).toHaveLength(1);
    expect(clients.filter(Boolean)).toHaveLength(1);
    const secret = tokens.find(Boolean)?.secret ?? '';
    expect(await one?.bearerOf(secret)).toMatchObject({ name: 'ci' });
  });

  test('one does the housekeeping', async () => {
    const stores = await twoNodes();
    const options = { retention: 1, history: 1, interval: 60_000, limit: 100 };
    const swept = await Promise.all(
      RACERS.map((index) => stores[index % 2 ? 0 : 1].sweep(options)),
    );
    expect(swept.filter(Boolean)).toHaveLength(1);
  });
});

test('looking for work reads few rows, however many there are', async () => {
  const url = await server.createDatabase();
  const store = openStore(url);
  const engine = engineOn(store);
  const work = workOf();
  for (let round = 0; round < 4; round += 1) {
    const ids = RACERS.flatMap((index) =>
      RACERS.slice(0, 8).map((other) => `${round}/${index}/${other}`),
    );
    await engine.add(
      ids.map((id) => ({ kind: 'job', ttl: 60_000, work, id }) as const),
      NOBODY,
    );
  }
  // Counted by connection, and told when it ends.
  const before = await server.query('SELECT pg_stat_reset()', url);
  expect(before).toHaveLength(1);
  const looking = openStore(url);
  for (let claim = 0; claim < 20; claim += 1) {
    const keyed = { ...acquisition, idempotencyKey: `key ${claim}`, requestHash: 'h' };
    const found = await engineOn(looking).acquireNext({ ...keyed, kind: 'job', candidate }, NOBODY);
    const handle = found?.lease?.handle ?? '';
    await engineOn(looking).changeHeld('job', { type: 'extend', handle, ttl: null }, NOBODY);
    await engineOn(looking).look('job', `0/0/${claim % 8}`);
  }
  await looking.read(async () => undefined);
  await looking.close();
  const counted = `SELECT seq_tup_read::int AS scanned, idx_tup_fetch::int AS fetched
    FROM pg_stat_user_tables WHERE schemaname = 'leasectl' AND relname = 'leases'`;
  await expect
    .poll(async () => Object((await server.query(counted, url))[0]).fetched)
    .toBeGreaterThan(0);
  const [{ scanned, fetched }] = (await server.query(counted, url)).map(Object);
  expect(scanned).toBe(0);
  expect(fetched).toBeLessThan(20 * 200);
});
