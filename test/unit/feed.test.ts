import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { createFeed, LOOK_INTERVAL, PAGE } from '../../src/engine/feed.ts';
import type { Event, Tail } from '../../src/engine/history.ts';

const eventOf = (sequence: number): Event => ({
  ...{ sequence, kind: 'key', id: `k${sequence}`, type: 'extended', at: sequence },
  ...{ fencingToken: 1, version: 1, before: 'held', after: 'held' },
  ...{ caller: null, requestId: null, detail: null },
});

/** A history in memory, whose feed looks again when the test says so. */
function createHistory() {
  const events: Event[] = [];
  const waiting = new Set<() => void>();
  const state = { looks: 0, busy: 0, failure: undefined as Failure | undefined };
  const tail = async (after: string | undefined, limit: number): Promise<Tail> => {
    state.looks += 1;
    await Promise.resolve();
    if (state.failure) throw state.failure;
    const from = after === undefined ? events.length : Number(after);
    const found = events.slice(from, from + limit);
    if (state.busy > 0) {
      state.busy -= 1;
      events.push(eventOf(events.length + 1));
    }
    return { events: found, cursor: String(from + found.length) };
  };
  const pauses: number[] = [];
  const pause = (milliseconds: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      pauses.push(milliseconds);
      const go = () => {
        signal.removeEventListener('abort', go);
        resolve();
      };
      waiting.add(go);
      signal.addEventListener('abort', go);
    });
  return {
    ...{ state, pauses, feed: createFeed({ tail, pause }) },
    add: (count: number) => {
      for (let more = 0; more < count; more += 1) events.push(eventOf(events.length + 1));
    },
    count: () => events.length,
    /** Lets the interval pass. */
    pass: async () => {
      for (const go of waiting) go();
      waiting.clear();
      await settled();
    },
  };
}

/** Until all that waits for nothing else has been done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

type History = ReturnType<typeof createHistory>;

/** Somebody who reads what comes, as fast as it comes. */
function read({ feed }: History, after?: string) {
  const ending = new AbortController();
  const told: number[] = [];
  const cursors: string[] = [];
  const run = async () => {
    try {
      for await (const { events, cursor } of feed.follow(after, ending.signal)) {
        told.push(...events.map(({ sequence }) => sequence));
        cursors.push(cursor);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return { told, cursors, ended: run(), stop: () => ending.abort() };
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('a feed', () => {
  test('tells all who read what one look found, from then on', async () => {
    const history = createHistory();
    history.add(3);
    const readers = Array.from({ length: 100 }, () => read(history));
    await settled();
    expect(history.state.looks).toBe(1);
    expect(readers.map(({ cursors }) => cursors)).toEqual(readers.map(() => ['3']));
    history.add(2);
    await history.pass();
    expect(history.state.looks).toBe(2);
    for (const { told, cursors, stop, ended } of readers) {
      expect([told, cursors]).toEqual([
        [4, 5],
        ['3', '5'],
      ]);
      stop();
      expect(await ended).toBeUndefined();
    }
    expect(new Set(history.pauses)).toEqual(new Set([LOOK_INTERVAL]));
  });

  test('does not look while nobody reads', async () => {
    const history = createHistory();
    const reader = read(history);
    await settled();
    reader.stop();
    await reader.ended;
    const { looks } = history.state;
    for (let times = 0; times < 5; times += 1) await history.pass();
    expect(history.state.looks).toBe(looks);
    const later = read(history);
    await settled();
    expect([history.state.looks, later.cursors]).toEqual([looks + 1, ['0']]);
  });

  test('does not look for who has left without reading on', async () => {
    const history = createHistory();
    const ending = new AbortController();
    const parts = history.feed.follow(undefined, ending.signal);
    expect((await parts.next()).done).toBe(false);
    ending.abort();
    await history.pass();
    const { looks } = history.state;
    for (let times = 0; times < 5; times += 1) await history.pass();
    expect(history.state.looks).toBe(looks);
    // It leaves once, too.
    const other = read(history);
    await settled();
    await parts.return();
    history.add(1);
    await history.pass();
    expect(other.told).toEqual([1]);
    other.stop();
  });

  test('tells who comes again all that is behind its place, once', async () => {
    const history = createHistory();
    history.add(2 * PAGE + 10);
    const other = read(history);
    const reader = read(history, '5');
    await settled();
    history.add(7);
    for (let times = 0; times < 4; times += 1) await history.pass();
    history.add(1);
    await history.pass();
    expect(reader.told).toEqual(upTo(2 * PAGE + 18, 6));
    expect(reader.cursors.at(-1)).toBe(String(2 * PAGE + 18));
    expect(other.told).toEqual(upTo(2 * PAGE + 18, 2 * PAGE + 11));
  });

  test('tells it once, too, while more happens with every look', async () => {
    const history = createHistory();
    history.add(10);
    const readers = [read(history), read(history, '0')];
    history.state.busy = 50;
    for (let times = 0; times < 60; times += 1) await history.pass();
    const [, reader] = readers;
    expect(reader?.told).toEqual(upTo(60));
  });

  test('tells it once to who comes from elsewhere in the middle of a burst', async () => {
    const history = createHistory();
    const other = read(history);
    await settled();
    history.add(30 * PAGE);
    const passed = history.pass();
    // The other one is told in parts, and has not got there.
    const reader = read(history, String(29 * PAGE));
    await passed;
    history.add(1);
    for (let times = 0; times < 4; times += 1) await history.pass();
    expect(reader.told).toEqual(upTo(30 * PAGE + 1, 29 * PAGE + 1));
    expect(reader.cursors.map(Number)).toEqual(
      reader.cursors.map(Number).toSorted((a, b) => a - b),
    );
    expect(other.told).toEqual(upTo(30 * PAGE + 1));
  });

  test('does not look again for who comes from a place that it still has', async () => {
    const history = createHistory();
    read(history);
    await settled();
    for (let times = 0; times < 3; times += 1) {
      history.add(1);
      await history.pass();
    }
    const { looks } = history.state;
    const reader = read(history, '1');
    await history.pass();
    expect([reader.told, history.state.looks]).toEqual([[2, 3], looks + 1]);
  });

  test('keeps a bounded number for who is slow, which then reads the rest itself', async () => {
    const history = createHistory();
    const slow = history.feed.follow(undefined, new AbortController().signal);
    const fast = read(history);
    expect((await slow.next()).value).toEqual({ events: [], cursor: '0' });
    const all = 15 * PAGE;
    for (let times = 0; times < all / 500; times += 1) {
      history.add(500);
      await history.pass();
    }
    expect(fast.told).toHaveLength(all);
    const { looks } = history.state;
    const told: number[] = [];
    while (told.length < all) {
      const next = slow.next();
      await history.pass();
      told.push(...((await next).value?.events ?? []).map(({ sequence }) => sequence));
    }
    expect(told).toEqual(upTo(all));
    expect(history.state.looks).toBeGreaterThan(looks + all / PAGE);
  });

  test('ends for all with the failure of a look, and begins anew', async () => {
    const history = createHistory();
    const readers = [read(history), read(history, '0')];
    await settled();
    const failure = new Failure('unavailable', 'The database is away.');
    history.state.failure = failure;
    await history.pass();
    for (const { ended } of readers) expect(await ended).toBe(failure);
    history.state.failure = undefined;
    history.add(2);
    const again = read(history, '0');
    for (let times = 0; times < 3; times += 1) await history.pass();
    expect(again.told).toEqual([1, 2]);
    again.stop();
    expect(await again.ended).toBeUndefined();
  });
});

test('whenever readers come and go, each is told everything once and in order', async () => {
  const step = fc.oneof(
    fc.record({ add: fc.constantFrom(1, 3, PAGE - 1, PAGE, PAGE + 1) }),
    fc.constant({ pass: true }),
    fc.record({ from: fc.nat(20) }),
    fc.record({ busy: fc.nat(20) }),
    fc.record({ stop: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const history = createHistory();
      history.add(20);
      const readers: { from: number; reader: ReturnType<typeof read> }[] = [];
      for (const one of steps) {
        if ('add' in one) history.add(one.add);
        else if ('busy' in one) history.state.busy = one.busy;
        else if ('from' in one) {
          readers.push({ from: one.from, reader: read(history, String(one.from)) });
        } else if ('stop' in one) readers.splice(one.stop, 1)[0]?.reader.stop();
        else await history.pass();
      }
      // An event for each look, and in the end none: then all is told.
      history.state.busy = 0;
      for (let times = 0; times < 8; times += 1) await history.pass();
      const last = history.count();
      for (const { from, reader } of readers) expect(reader.told).toEqual(upTo(last, from + 1));
      for (const { reader } of readers) reader.stop();
    }),
    { numRuns: 60 },
  );
});
