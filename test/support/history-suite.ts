import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/clock.ts';
import {
  EVENT_TYPES,
  type EventFilter,
  type EventType,
  type NewEvent,
} from '../../src/engine/history.ts';
import type { Store } from '../../src/engine/store.ts';
import { leaseOf, type StoreUnderTest } from './store-suite.ts';

const NOW = 1_736_940_000_000;
const DAY = 86_400_000;
/** Events that a namespace keeps, where that is tried. */
const MOST = 5;

export function event(id: string, change: Partial<NewEvent> = {}): NewEvent {
  const made = {
    at: NOW,
    fencingToken: 1,
    version: 1,
    caller: 'me',
    requestId: null,
    detail: null,
  };
  const states = { before: null, after: 'held' } as const;
  return { kind: 'key', id, type: 'acquired', ...made, ...states, ...change };
}

/**
 * What every store has to do with the history.
 *
 * @param open makes a new, empty store with the given clock, and as many events
 */
export function historySuite(
  name: string,
  open: (clock: Clock, mostEvents?: number) => Promise<StoreUnderTest>,
): void {
  const openNow = () => open(() => NOW);

  describe(`${name}: history`, () => {
    test('is told as it was noted, the latest first', async () => {
      const { store, other } = await openNow();
      const first = event('k', { detail: JSON.parse('{"__proto__": 1, "ü": [null]}') });
      const second = event('k', {
        type: 'released',
        caller: null,
        version: 2,
        requestId: 'r',
        before: 'held',
        after: 'waiting',
      });
      const third = event('j', { kind: 'job', type: 'broken' });
      for (const one of [first, second, third]) {
        await store.write((transaction) => transaction.saveEvent(one));
      }
      const told = await other.read((view) => view.events({}, 9));
      expect(told.map(({ sequence: _, ...rest }) => rest)).toEqual([third, second, first]);
      const of = async (filter: EventFilter) =>
        (await other.read((view) => view.events(filter, 9))).map(({ type }) => type);
      expect(await of({ kind: 'key', id: 'k' })).toEqual(['released', 'acquired']);
      expect(await of({ types: ['broken'] })).toEqual(['broken']);
      expect(await of({ before: told[1]?.sequence })).toEqual(['acquired']);
      expect(await other.read((view) => view.events({}, 1))).toEqual(told.slice(0, 1));
    });

    test('has only the latest of what happens all the time', async () => {
      const { store } = await openNow();
      const busy = { kept: 100, times: 130 };
      await store.write(async (transaction) => {
        for (let version = 1; version <= busy.times; version += 1) {
          await transaction.saveEvent(event('k', { type: 'extended', version }));
          await transaction.saveEvent(event('k', { type: 'refused', version: 0 }));
          if (version === 1) await transaction.saveEvent(event('k'));
          if (version <= 2) await transaction.saveEvent(event('j', { type: 'extended' }));
        }
      });
      const of = async (type: EventType, id?: string) =>
        store.read((view) => view.events({ kind: 'key', id, types: [type] }, 999));
      const extended = await of('extended', 'k');
      expect(extended.map(({ version }) => version)).toEqual(
        Array.from({ length: busy.kept }, (_, index) => busy.times - index),
      );
      expect(await of('refused')).toHaveLength(busy.kept);
      expect(await of('extended', 'j')).toHaveLength(2);
      expect(await of('acquired')).toHaveLength(1);
    });

    test('has only the latest of what is asked of ids that nobody has leased', async () => {
      const { store } = await openNow();
      const kept = 100;
      const asked = (id: string) => event(id, { type: 'refused', version: 0, fencingToken: 0 });
      await store.write(async (transaction) => {
        await transaction.saveEvent(event('k'));
        await transaction.saveEvent(event('k', { type: 'refused' }));
        for (let index = 0; index < kept + 20; index += 1) {
          await transaction.saveEvent(asked(`k${index}`));
        }
        await transaction.saveEvent(asked('last'));
      });
      const told = await store.read((view) => view.events({}, 999));
      expect(told).toHaveLength(2 + kept);
      expect(told[0]?.id).toBe('last');
    });

    test('has the latest events of a namespace, and all of another one', async () => {
      const { store } = await open(() => NOW, MOST);
      const other = store.within('other');
      await other.write(async (transaction) => {
        await transaction.save(leaseOf('old'));
        await transaction.saveEvent(event('old'));
      });
      await store.write((transaction) => transaction.save(leaseOf('k')));
      for (let index = 0; index < 3 * MOST; index += 1) {
        await store.write((transaction) => transaction.saveEvent(event(`k${index}`)));
      }
      // Whether they were forgotten before is the store's affair.
      await store.sweep({ retention: DAY, history: DAY, interval: 1, limit: 99 });
      const ids = async (at: Store) =>
        (await at.read((view) => view.events({}, 99))).map(({ id }) => id);
      expect(await ids(store)).toEqual(['k14', 'k13', 'k12', 'k11', 'k10']);
      expect(await ids(other)).toEqual(['old']);
    });

    test('is chosen from by types, common and rare', async () => {
      const { store } = await openNow();
      await store.write(async (transaction) => {
        for (const type of EVENT_TYPES) await transaction.saveEvent(event('k', { type }));
      });
      const of = async (...types: EventType[]) =>
        (await store.read((view) => view.events({ types }, 99))).map(({ type }) => type);
      for (const type of EVENT_TYPES) expect(await of(type)).toEqual([type]);
      expect(await of('broken', 'failed')).toEqual(['broken', 'failed']);
      expect(await of('broken', 'acquired')).toEqual(['broken', 'acquired']);
      expect(await of()).toEqual([]);
    });

    test('can be asked for from a time on', async () => {
      const { store } = await openNow();
      const at = (minutes: number) => ({ at: NOW + minutes * 60_000 });
      const late = event('late', { type: 'expired', ...at(-7) });
      await store.write(async (transaction) => {
        for (const minutes of [-10, -5, 0]) {
          await transaction.saveEvent(event(`k${minutes}`, at(minutes)));
        }
        await transaction.saveEvent(late);
      });
      const since = async (minutes: number) => {
        const filter = { since: NOW + minutes * 60_000 };
        return (await store.read((view) => view.events(filter, 9))).map(({ id }) => id);
      };
      expect(await since(-11)).toEqual(['late', 'k0', 'k-5', 'k-10']);
      expect(await since(-7)).toEqual(['late', 'k0', 'k-5']);
      expect(await since(0)).toEqual(['k0']);
      expect(await since(2)).toEqual([]);
    });

    test('goes on where somebody has stopped reading', async () => {
      const { store, other } = await openNow();
      const note = (one: NewEvent, at = store) =>
        at.write((transaction) => transaction.saveEvent(one));
      const tail = (after: string | undefined, limit = 9) =>
        other.read((view) => view.tail(after, limit));
      await note(event('before'));
      const begin = await tail(undefined);
      expect(begin.events).toEqual([]);
      await note(event('a'));
      await note(event('elsewhere'), store.within('other'));
      await note(event('b'));
      await note(event('c'));
      const ids: string[] = [];
      let { cursor } = begin;
      for (let look = 0; look < 3; look += 1) {
        const next = await tail(cursor, 2);
        ids.push(...next.events.map(({ id }) => id));
        cursor = next.cursor;
      }
      expect(ids).toEqual(['a', 'b', 'c']);
      expect((await tail(cursor)).cursor).toBe(cursor);
      // What another database told, or this one before it was restored, is no place here.
      for (const place of ['nowhere', '999999999', '999999999:0', '9'.repeat(30)])
        await expect(tail(place)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    test('has what one transaction notes in its order, and tells it there', async () => {
      const { store, other } = await openNow();
      const noted = Array.from({ length: 40 }, (_, index) =>
        event(`k${index}`, index === 25 ? { type: 'expired', caller: null } : {}),
      );
      const ids = noted.map(({ id }) => id).reverse();
      const told = await store.write(async (transaction) => {
        for (const one of noted) await transaction.saveEvent(one);
        return transaction.events({}, 99);
      });
      expect(told.map(({ id }) => id)).toEqual(ids);
      expect(await other.read((view) => view.events({}, 99))).toEqual(told);
    });

    test('has the end of an acquisition once', async () => {
      const { store } = await openNow();
      const end = event('k', { type: 'expired', caller: null });
      const isNew = (one: NewEvent) => store.write((transaction) => transaction.saveEvent(one));
      expect(await isNew(end)).toBe(true);
      expect(await isNew({ ...end, version: 2 })).toBe(false);
      expect(await isNew({ ...end, fencingToken: 2 })).toBe(true);
      expect(await store.read((view) => view.events({}, 9))).toHaveLength(2);
    });
  });
}
