import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Finish, Kind, Lease, Work } from '../../src/engine/lease.ts';
import type { Store, Transaction } from '../../src/engine/store.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** A second, independent connection to the same data. */
  readonly other: Store;
}

const FINISH: Finish = {
  way: 'complete',
  at: 1_736_937_000_000,
  result: { text: 'grüße 🎉', nested: [1, { two: null }] },
  resultHash: 'abc',
  errorCode: null,
  errorHash: null,
};

export function workOf(change: Partial<Work> = {}): Work {
  return {
    pool: 'p',
    workspace: null,
    tags: [],
    runners: [],
    maxTries: null,
    data: { a: 1 },
    ...change,
  };
}

export function leaseOf(id: string, change: Partial<Lease> = {}): Lease {
  return {
    kind: 'key',
    id,
    handle: `handle of ${id}`,
    fencingToken: 1,
    version: 1,
    ttl: 60_000,
    firstSeenAt: 1_736_936_000_000,
    changedAt: 1_736_936_000_000,
    expiresAt: 1_736_936_060_000,
    acquisition: {
      idempotencyKey: null,
      requestHash: null,
      at: 1_736_936_000_000,
      version: 1,
      ttl: 60_000,
      usage: 1,
    },
    metadata: null,
    work: null,
    isCancelRequested: false,
    finish: null,
    ...change,
  };
}

/**
 * Begins something while the lease `k` is locked, and for so many milliseconds stays so.
 *
 * @returns what came of it, and when the lease came free, at the earliest
 */
async function whileLocked<T>(
  store: Store,
  kind: Kind,
  time: number,
  begin: () => Promise<T>,
): Promise<readonly [T, number]> {
  const begun: Promise<T>[] = [];
  const free = await store.write(async (transaction) => {
    await transaction.find(kind, 'k');
    const until = Date.now() + time;
    begun.push(begin());
    await expect.poll(Date.now, { interval: 5 }).toBeGreaterThan(until);
    return until;
  });
  return [await Promise.race(begun), free];
}

/**
 * What every store has to do, whatever database is behind it.
 *
 * @param open makes a new, empty store; its clock is the given one, or the database's own
 */
export function storeSuite(name: string, open: (clock?: Clock) => Promise<StoreUnderTest>): void {
  describe(name, () => {
    test.each([
      ['plain', leaseOf('plain')],
      [
        'with a field that is special',
        leaseOf('proto', { metadata: JSON.parse('{"__proto__": {"a": 1}}') }),
      ],
      ['with metadata', leaseOf('meta', { metadata: { 'a b': ['ü', 1.5, null, { deep: true }] } })],
      ['finished', leaseOf('done', { finish: FINISH })],
      [
        'failed',
        leaseOf('bad', { finish: { ...FINISH, way: 'fail', errorHash: 'h', result: null } }),
      ],
      ['with a strange id', leaseOf(`a/b:c d%20'"\\ 🎉 é é`)],
      [
        'with an idempotency key',
        leaseOf('idem', {
          acquisition: {
            idempotencyKey: 'i',
            requestHash: 'h',
            at: 1_736_936_000_000,
            version: 7,
            ttl: 1,
            usage: 9,
          },
        }),
      ],
      [
        'on work',
        leaseOf('work', {
          kind: 'runner_job',
          fencingToken: 0,
          isCancelRequested: true,
          work: {
            pool: 'SELF',
            workspace: 'w',
            tags: ['a b', 'ü'],
            runners: ['r'],
            maxTries: 3,
            data: JSON.parse('{"n": [1, null], "__proto__": 2}'),
          },
        }),
      ],
    ])('gives back a lease as it was saved: %s', async (_, lease) => {
      const { store, other } = await open();
      await store.write((transaction) => transaction.save(lease));
      expect(await other.read((view) => view.find(lease.kind, lease.id))).toEqual(lease);
    });

    test('knows nothing of an id that was never saved, nor of a like one', async () => {
      const { store } = await open();
      await store.write((transaction) => transaction.save(leaseOf('Key')));
      const finds = ['key', 'Key ', 'KEY'].map((id) => store.read((view) => view.find('key', id)));
      expect(await Promise.all(finds)).toEqual([undefined, undefined, undefined]);
    });

    test('replaces what it had', async () => {
      const { store } = await open();
      const first = leaseOf('k', { metadata: { a: 1 }, finish: FINISH });
      const second = leaseOf('k', { version: 2, handle: 'another' });
      await store.write((transaction) => transaction.save(first));
      await store.write((transaction) => transaction.save(second));
      expect(await store.read((view) => view.find('key', 'k'))).toEqual(second);
    });

    test('finds unfinished leases by their idempotency key', async () => {
      const { store } = await open();
      const acquisition = { ...leaseOf('x').acquisition, idempotencyKey: 'i', requestHash: 'h' };
      const open_ = leaseOf('open', { acquisition });
      await store.write(async (transaction) => {
        await transaction.save(open_);
        await transaction.save(leaseOf('done', { acquisition, finish: FINISH }));
        await transaction.save(leaseOf('none'));
      });
      const found = await store.read((view) => view.findByIdempotencyKey('key', 'i'));
      expect(found).toEqual([open_]);
      expect(await store.read((view) => view.findByIdempotencyKey('key', 'j'))).toEqual([]);
    });

    test('counts acquisitions by month', async () => {
      const { store, other } = await open();
      await store.write((transaction) => transaction.charge('2025-01'));
      await other.write((transaction) => transaction.charge('2025-01'));
      await store.write((transaction) => transaction.charge('2025-02'));
      const usage = (month: string) => store.read((view) => view.usage(month));
      expect(await usage('2025-01')).toBe(2);
      expect(await usage('2025-02')).toBe(1);
      expect(await usage('2025-03')).toBe(0);
    });

    test('keeps nothing of a transaction that throws, and works on', async () => {
      const { store, other } = await open();
      const failing = store.write(async (transaction) => {
        await transaction.save(leaseOf('gone'));
        await transaction.charge('2025-01');
        throw new Error('changed my mind');
      });
      await expect(failing).rejects.toThrow('changed my mind');
      expect(await other.read((view) => view.find('key', 'gone'))).toBeUndefined();
      await store.write((transaction) => transaction.save(leaseOf('next')));
      expect(await other.read((view) => view.find('key', 'next'))).toBeDefined();
    });

    test('lets one writer at a time read and write, over connections', async () => {
      const { store, other } = await open();
      await store.write((transaction) => transaction.save(leaseOf('counter')));
      const increment = (connection: Store) =>
        connection.write(async (transaction) => {
          const lease = await transaction.find('key', 'counter');
          // Gives the others their chance to come in between.
          await new Promise(setImmediate);
          if (lease) await transaction.save({ ...lease, version: lease.version + 1 });
        });
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => increment(index % 2 === 0 ? store : other)),
      );
      const lease = await store.read((view) => view.find('key', 'counter'));
      expect(lease?.version).toBe(101);
    });

    test.each<[string, (transaction: Transaction) => Promise<unknown>]>([
      ['id', (transaction) => transaction.find('job', 'k')],
      ['handle', (transaction) => transaction.findByHandle('job', 'handle of k')],
      ['idempotency key', (transaction) => transaction.findByIdempotencyKey('job', 'i')],
    ])('judges what it waited for at the time when it got it, by its %s', async (_, find) => {
      const { store, other } = await open();
      const acquisition = { ...leaseOf('k').acquisition, idempotencyKey: 'i' };
      const job = leaseOf('k', { kind: 'job', work: workOf(), acquisition });
      await store.write((transaction) => transaction.save(job));
      const [[now, again], free] = await whileLocked(store, 'job', 50, () =>
        other.write(async (transaction) => {
          await find(transaction);
          const { now } = transaction;
          await transaction.find('job', 'k');
          return [now, transaction.now];
        }),
      );
      expect(now).toBeGreaterThanOrEqual(free);
      expect(again).toBe(now);
    });

    test('lets nobody end a lease that ran out while he waited for it', async () => {
      const { store, other } = await open();
      const newHandle = () => 'h';
      const engine = createEngine({ store: other, newHandle, monthlyLimit: 9 });
      const nobody = { metadata: null, requestHash: null, idempotencyKey: null };
      await engine.acquire({ ...nobody, kind: 'key', id: 'k', ttl: 300 }, NOBODY);
      const how = { result: null, resultHash: null, errorCode: null, errorHash: null };
      const [{ outcome }] = await whileLocked(store, 'key', 310, () =>
        engine.change('key', 'k', { ...how, type: 'finish', way: 'complete', handle: 'h' }, NOBODY),
      );
      expect(outcome).toEqual({ type: 'rejected', reason: 'expired' });
    });

    test('tells one time for a whole transaction', async () => {
      let now = 5_000;
      const { store } = await open(() => now++);
      const times = await store.read(async (view) => [view.now, view.now]);
      expect(times).toEqual([5_000, 5_000]);
    });

    test('tells the time of the database, in whole milliseconds', async () => {
      const { store } = await open();
      const before = Date.now();
      const now = await store.read(async (view) => view.now);
      expect(Number.isInteger(now)).toBe(true);
      expect(now).toBeGreaterThanOrEqual(before - 5);
      expect(now).toBeLessThanOrEqual(Date.now() + 5);
    });
  });
}
