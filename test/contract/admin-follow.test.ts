import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import { engineOn } from '../../src/engines.ts';
import {
  adminOf,
  type EventNode,
  leaseKey,
  openFile,
  startListening,
  startNode,
  tokenFor,
} from '../support/event-service.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

const STORES: [string, () => Promise<Store>][] = [
  ['SQLite', async () => openFile()],
  ['PostgreSQL', async () => openStore(await server.createDatabase())],
];

/** Many who lease keys, each a name of its own, until the end is told. */
function startWriting(store: Store, writers: number) {
  const engine = engineOn(store);
  const state = { isEnding: false };
  const written: string[] = [];
  const write = async (name: string) => {
    for (let index = 0; !state.isEnding; index += 1) {
      const id = `${name}-${index}`;
      await leaseKey(engine, id);
      written.push(id);
    }
  };
  const all = Promise.all(Array.from({ length: writers }, (_, name) => write(`w${name}`)));
  return async () => {
    state.isEnding = true;
    await all;
    return written;
  };
}

describe.each(STORES)('on %s', (_, open) => {
  test('nothing is missed or told twice, however often the node goes away', async () => {
    const store = await open();
    const { token } = await tokenFor(store);
    let node: EventNode = await startNode(store);
    const port = Number(new URL(node.url).port);
    const listeners = [{}, { type: 'acquired' }].map((query) =>
      startListening(adminOf(node.url, token), query),
    );
    await Promise.all(listeners.map(({ connected }) => connected()));
    const stopWriting = startWriting(store, 8);
    for (const times of [2, 3, 4]) {
      const [first] = listeners;
      await first?.heard((first?.events.length ?? 0) + 50);
      // At once, in the middle of what is told.
      await node.stop(0);
      node = await startNode(store, port);
      await Promise.all(listeners.map(({ connected }) => connected(times)));
    }
    const written = await stopWriting();
    expect(written.length).toBeGreaterThan(150);
    for (const { heard, states } of listeners) {
      const events = await heard(written.length);
      const ids = events.map(({ id }) => id);
      expect(ids.toSorted()).toEqual(written.toSorted());
      expect(states.filter((state) => state === 'connected')).toHaveLength(4);
    }
  }, 60_000);

  test('of one lease all is told in the order in which it happened', async () => {
    const store = await open();
    const { token } = await tokenFor(store);
    const node = await startNode(store);
    const listener = startListening(adminOf(node.url, token), { kind: 'key' });
    await listener.connected();
    const engine = engineOn(store);
    const by = { caller: 'racer', requestId: null };
    const once = async () => {
      await leaseKey(engine, 'k', 1_000);
      await engine.change('key', 'k', { type: 'break' }, by);
    };
    for (let times = 0; times < 25; times += 1) await Promise.all([once(), once(), once(), once()]);
    const { events } = await adminOf(node.url, token).history({ id: 'k', limit: '1000' });
    await leaseKey(engine, 'end');
    const isOver = () => listener.events.some(({ id }) => id === 'end');
    await expect.poll(isOver, { timeout: 10_000 }).toBe(true);
    const told = listener.events.filter(({ id }) => id === 'k');
    const isRoutine = ({ type }: { type: string }) => type === 'refused' || type === 'extended';
    const kept = told.filter((event) => !isRoutine(event));
    expect(kept).toEqual(events.toReversed().filter((event) => !isRoutine(event)));
    expect(new Set(told.map(({ sequence }) => sequence)).size).toBe(told.length);
  });
});

test('a database that goes away ends streams, which go on when it is back', async () => {
  const store = await openStore(await server.createDatabase());
  const { token } = await tokenFor(store);
  const node = await startNode(store);
  const listener = startListening(adminOf(node.url, token));
  await listener.connected();
  await leaseKey(store, 'before');
  await listener.heard(1);
  await server.stop('SIGKILL');
  await expect.poll(() => listener.states.length, { timeout: 10_000 }).toBe(2);
  await server.start();
  const lease = () =>
    leaseKey(store, 'after').then(
      () => true,
      () => false,
    );
  await expect.poll(lease, { timeout: 20_000 }).toBe(true);
  await listener.connected(2);
  const events = await listener.heard(2);
  expect(events.map(({ id, type }) => [id, type]).slice(0, 2)).toEqual([
    ['before', 'acquired'],
    ['after', 'acquired'],
  ]);
  const ended = node.log.filter(({ route, err }) => route === '/admin/v1/events' && err);
  expect(ended[0]).toMatchObject({ status: 200, err: { code: 'unavailable' } });
}, 60_000);
