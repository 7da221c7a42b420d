import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import { event } from '../support/history-suite.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ max_prepared_transactions: '5' });
});
afterAll(() => server.remove());

/** Somebody else in a database, with a transaction of its own. */
async function connected(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return async (sql: string) => (await client.query(sql)).rows;
}

async function opened() {
  const url = await server.createDatabase();
  const store = openStore(url);
  const note = (id: string, at: Store = store) =>
    at.write((transaction) => transaction.saveEvent(event(id)));
  const tail = (after?: string) => store.read((view) => view.tail(after, 9));
  const idsAfter = async (cursor: string) => (await tail(cursor)).events.map(({ id }) => id);
  await note('first');
  return { url, store, note, tail, idsAfter };
}

describe('what others do on the same server holds nothing up', () => {
  test.each<[string, (url: string) => Promise<string>, string]>([
    ['in another database', () => server.createDatabase(), 'COMMIT'],
    ['in another schema of this one', async (url) => url, 'COMMIT'],
    ['and leave prepared', () => server.createDatabase(), "PREPARE TRANSACTION 'left'"],
  ])('%s', async (_, urlOf, end) => {
    const { url, note, tail, idsAfter } = await opened();
    const ask = await connected(await urlOf(url));
    await ask('BEGIN');
    await ask('CREATE TABLE others (x int)');
    const { cursor } = await tail();
    await note('second');
    expect(await idsAfter(cursor)).toEqual(['second']);
    await ask(end);
    await note('third');
    expect(await idsAfter(cursor)).toEqual(['second', 'third']);
    // Nor does it make anything of the past new.
    expect(await idsAfter((await tail()).cursor)).toEqual([]);
  });
});

test('who may still note something is waited for', async () => {
  const { url, note, tail, idsAfter } = await opened();
  const { cursor } = await tail();
  const ask = await connected(url);
  await ask('BEGIN');
  await ask(`INSERT INTO leasectl.events (namespace, kind, id, type, at, fencing_token, version)
    VALUES ('default', 'key', 'slow', 'acquired', 1, 1, 1)`);
  await note('fast');
  expect(await idsAfter(cursor)).toEqual([]);
  await ask('COMMIT');
  expect(await idsAfter(cursor)).toEqual(['slow', 'fast']);
});
