import { afterAll, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { growPostgres } from '../support/grown/grow.ts';
import { growingQueries, noteQueries } from '../support/grown/postgres-plans.ts';
import { event, historySuite } from '../support/history-suite.ts';
import { startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';
import { recordsSuite } from '../support/records-suite.ts';
import { standingSuite } from '../support/standing-suite.ts';
import { leaseOf, storeSuite, workOf } from '../support/store-suite.ts';
import { sweepSuite } from '../support/sweep-suite.ts';
import { workSuite } from '../support/work-suite.ts';

const server = await startPostgres();
afterAll(() => server.remove());

const openTwice = async (clock?: Clock, mostEvents?: number) => {
  const url = await server.createDatabase();
  const options = { clock, mostEvents };
  return { store: openStore(url, options), other: openStore(url, options) };
};
const noted = noteQueries();
storeSuite('the PostgreSQL store', openTwice);
workSuite('the PostgreSQL store', openTwice);
recordsSuite('the PostgreSQL store', openTwice);
historySuite('the PostgreSQL store', openTwice);
sweepSuite('the PostgreSQL store', openTwice);
standingSuite('the PostgreSQL store', openTwice);

test('no statement reads more where there is more', async () => {
  const own = [...noted.queries.values()].filter(({ text }) => /leases|events|receipts/.test(text));
  expect(own.length).toBeGreaterThan(40);
  const url = await server.createDatabase();
  await growPostgres(url, { leases: 20_000 });
  for (const isAnalyzed of [false, true]) {
    if (isAnalyzed) await server.query('ANALYZE', url);
    expect(await growingQueries(url, noted.begin ?? '', own)).toEqual([]);
  }
}, 60_000);

test('what PostgreSQL cannot keep is kept as what can stand for it', async () => {
  const { store } = await openTwice();
  const work = workOf({ tags: ['a\0', '\ud800'], workspace: '\0', data: { a: '\0', b: '\ud800' } });
  const job = leaseOf('\0 \ud800', { kind: 'job', work, expiresAt: leaseOf('').changedAt });
  await store.write((transaction) => transaction.save(job));
  const found = await store.read((view) => view.find('job', '\0 \ud800'));
  expect(found).toEqual({
    ...job,
    id: '\ufffd \ufffd',
    handle: 'handle of \ufffd \ufffd',
    work: { ...work, tags: ['a\ufffd', '\ufffd'], workspace: '\ufffd' },
  });
  const candidate = { pool: 'p', workspace: null, tags: ['a\0', '\ud800'], runner: '\0' };
  const claimable = await store.read((view) => view.claimable('job', candidate, 9));
  expect(claimable).toHaveLength(1);
  expect(await store.read((view) => view.findByHandle('job', '\0'))).toBeUndefined();
});

test('an idempotency key may be as long as a header', async () => {
  const { store } = await openTwice();
  const idempotencyKey = Array.from({ length: 2_000 }, (_, index) =>
    (index * index).toString(36),
  ).join();
  const acquisition = { ...leaseOf('k').acquisition, idempotencyKey, requestHash: 'h' };
  const receipt = { idempotencyKey, requestHash: 'h', fencingToken: 1 };
  await store.write(async (transaction) => {
    await transaction.save(leaseOf('k', { acquisition }));
    await transaction.saveReceipt('key', 'k', receipt);
  });
  const found = await store.read((view) => view.findByIdempotencyKey('key', idempotencyKey));
  expect(found.map(({ id }) => id)).toEqual(['k']);
  expect(await store.read((view) => view.findReceipt('key', 'k', idempotencyKey))).toEqual(receipt);
});

function signal() {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give, given };
}

test('who follows the history misses nothing of a transaction that was slower than others', async () => {
  const { store, other } = await openTwice();
  const tail = (after?: string) => other.read((view) => view.tail(after, 9));
  const begin = await tail();
  const [isNoted, mayEnd] = [signal(), signal()];
  const slow = store.write(async (transaction) => {
    await transaction.saveEvent(event('slow'));
    await transaction.find('key', 'the answer comes after that of the event');
    isNoted.give();
    await mayEnd.given;
  });
  await isNoted.given;
  await other.write((transaction) => transaction.saveEvent(event('quick')));
  const meanwhile = await tail(begin.cursor);
  mayEnd.give();
  await slow;
  const rest = await tail(meanwhile.cursor);
  const told = [...meanwhile.events, ...rest.events].map(({ id }) => id);
  expect(told.toSorted()).toEqual(['quick', 'slow']);
  expect((await tail(rest.cursor)).events).toEqual([]);
});

test('an id that is too long is refused', async () => {
  const { store } = await openTwice();
  const id = Array.from({ length: 2_000 }, (_, index) => (index * index).toString(36)).join();
  const saving = store.write((transaction) => transaction.save(leaseOf(id)));
  await expect(saving).rejects.toMatchObject({ code: 'invalid_request' });
  expect(await store.read((view) => view.find('key', id))).toBeUndefined();
});

test('the end of a lease is noted also when it is seen only after the housekeeping', async () => {
  let now = Date.now() + 3_600_000;
  const { store } = await openTwice(() => now);
  const options = { retention: 1_000, history: 60_000, interval: 1, limit: 10 };
  await store.sweep(options);
  const late = leaseOf('late', { changedAt: now - 20_000, expiresAt: now - 10_000 });
  await store.write((transaction) => transaction.save(late));
  const counts = [];
  for (let round = 0; round < 2; round += 1) {
    now += 1;
    counts.push((await store.sweep(options))?.expired.get('default'));
  }
  expect(counts).toEqual([1, undefined]);
});
