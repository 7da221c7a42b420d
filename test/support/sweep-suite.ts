import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import { event } from './history-suite.ts';
import { finished, NOW, save } from './records-suite.ts';
import { leaseOf, type StoreUnderTest } from './store-suite.ts';

const DAY = 24 * 3_600_000;

/**
 * The housekeeping that every store has to do.
 *
 * @param open makes a new, empty store with the given clock
 */
export function sweepSuite(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  const options = { retention: 7 * DAY, history: 7 * DAY, interval: 60_000, limit: 3 };

  describe(`${name}: housekeeping`, () => {
    test('notes what ran out, in small parts, each once', async () => {
      let now = Date.now() + DAY;
      const { store, other } = await open(() => now);
      const times = (left: number) => ({ changedAt: now - 100, expiresAt: now + left });
      const ids = ['a', 'b', 'c', 'd', 'e'];
      await save(store, ...ids.map((id) => leaseOf(id, times(-10))), leaseOf('held', times(10)));
      await save(store.within('b'), leaseOf('a', times(-5)), leaseOf('ended', times(-100)));
      const seen = new Map<string, number>();
      for (let isDone = false; !isDone; ) {
        const swept = await store.sweep(options);
        for (const [namespace, count] of swept?.expired ?? []) {
          seen.set(namespace, (seen.get(namespace) ?? 0) + count);
        }
        isDone = swept?.isDone ?? true;
      }
      expect(Object.fromEntries(seen)).toEqual({ default: 5, b: 1 });
      expect(await other.sweep(options)).toBeUndefined();
      now += 60_000;
      expect(await other.sweep(options)).toMatchObject({ isDone: true });
      const told = await store.read((view) => view.events({ types: ['expired'] }, 99));
      expect(told.map(({ id }) => id).toSorted()).toEqual([...ids, 'held']);
      expect(told.find(({ id }) => id === 'a')).toMatchObject({ at: now - 60_010, caller: null });
    });

    test('notes the end of an acquisition also where its id was known in an earlier life', async () => {
      let now = Date.now() + DAY;
      const { store } = await open(() => now);
      for (const _ of [1, 2]) {
        await save(store, leaseOf('again', { changedAt: now - 100, expiresAt: now - 10 }));
        expect((await store.sweep(options))?.expired).toEqual(new Map([['default', 1]]));
        now += DAY;
      }
      expect(await store.read((view) => view.events({ types: ['expired'] }, 9))).toHaveLength(2);
    });

    test('is not put off by a clock that was far ahead', async () => {
      let now = Date.now() + 400 * DAY;
      const { store } = await open(() => now);
      await save(store, leaseOf('before', { changedAt: now - 100, expiresAt: now - 10 }));
      expect(await store.sweep(options)).toMatchObject({ isDone: true });
      now -= 399 * DAY;
      await save(store, leaseOf('after', { changedAt: now - 100, expiresAt: now - 10 }));
      const swept = await store.sweep(options);
      expect(swept).toEqual({ expired: new Map([['default', 1]]), dropped: 0, isDone: true });
      expect(await store.sweep(options)).toBeUndefined();
      now += 60_000;
      await save(store, leaseOf('later', { changedAt: now - 100, expiresAt: now }));
      expect((await store.sweep(options))?.expired).toEqual(new Map([['default', 1]]));
    });

    test('drops what is over, and nothing else', async () => {
      let now = NOW;
      const { store, other } = await open(() => now);
      const receipt = { idempotencyKey: 'i', requestHash: 'h', fencingToken: 1 };
      const over = finished(NOW - 7 * DAY);
      await save(store, ...['a', 'b', 'c', 'd'].map((id) => leaseOf(id, over)));
      await save(store, leaseOf('young', finished(NOW - 7 * DAY + 1)), leaseOf('never'));
      await store.write(async (transaction) => {
        await transaction.saveReceipt('key', 'never', receipt);
        await transaction.saveReceipt('key', 'a', receipt);
        await transaction.saveEvent(event('a', { at: NOW - 7 * DAY }));
        await transaction.saveEvent(event('a'));
      });
      const results = [await store.sweep(options), await other.sweep(options)];
      expect(results.map((swept) => swept?.isDone)).toEqual([false, true]);
      const left = await store.read((view) => view.leases({}, 99));
      expect(left.map(({ id }) => id)).toEqual(['never', 'young']);
      expect(await store.read((view) => view.stored())).toBe(2);
      const receiptOf = (id: string) => store.read((view) => view.findReceipt('key', id, 'i'));
      expect([await receiptOf('a'), await receiptOf('never')]).toEqual([undefined, receipt]);
      expect(await store.read((view) => view.events({ id: 'a' }, 9))).toHaveLength(1);
      now += 7 * DAY;
      await store.sweep(options);
      expect(await receiptOf('never')).toBeUndefined();
    });

    test('is looked after by the check', async () => {
      const { store } = await open(() => NOW);
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
