import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { SweepOptions, Swept } from '../../src/engine/store.ts';
import { SWEEPING, startSweeper } from '../../src/server/sweeper.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';

type Part = Swept | undefined | Error;

const SOME: Swept = { expired: new Map([['team', 2]]), dropped: 98, isDone: false };
const REST: Swept = { expired: new Map(), dropped: 1, isDone: true };

/** A sweeper of a store that does these parts, each in so many milliseconds, and then has nothing to do. */
function start(parts: readonly Part[], { duration = 0 } = {}) {
  const clocks = new FakeClocks();
  const begun: number[] = [];
  const given: SweepOptions[] = [];
  const told: unknown[] = [];
  const begin = clocks.now().steady;
  const left = [...parts];
  const busy = new AbortController().signal;
  const sweep = async (options: SweepOptions): Promise<Swept | undefined> => {
    given.push(options);
    begun.push(clocks.now().steady - begin);
    if (duration > 0) await clocks.sleep(duration, busy);
    const part = left.length > 0 ? left.shift() : REST;
    if (part instanceof Error) throw part;
    return part;
  };
  const sweeper = startSweeper({
    store: { sweep },
    pause: (milliseconds, signal) => clocks.sleep(milliseconds, signal),
    elapsed: () => clocks.now().steady,
    onSwept: (swept) => told.push(swept),
    onFailure: (error) => told.push(error),
  });
  return { clocks, begun, given, told, sweeper };
}

test('sweeps at once, in parts with pauses, until all is done, and then once a minute', async () => {
  const { clocks, begun, told } = start([SOME, SOME, REST]);
  await clocks.advance(100);
  expect(begun).toEqual([0, 20, 40]);
  expect(told).toEqual([SOME, SOME, REST]);
  await clocks.advance(60_000);
  expect(begun).toEqual([0, 20, 40, 60_040]);
});

test('rests the longer, the longer a part took', async () => {
  const { clocks, begun } = start([SOME, SOME], { duration: 30 });
  await clocks.advance(340);
  expect(begun).toEqual([0, 150, 300]);
});

test('leaves it to another node for the interval', async () => {
  const { clocks, begun, told } = start([undefined, REST]);
  await clocks.advance(59_999);
  expect(begun).toEqual([0]);
  await clocks.advance(1);
  expect(begun).toEqual([0, 60_000]);
  expect(told).toEqual([REST]);
});

test('tells what failed, and goes on', async () => {
  const away = new Failure('unavailable', 'The database is away.');
  const { clocks, begun, told } = start([away, new Error('a bug'), SOME]);
  await clocks.advance(120_020);
  expect(begun).toEqual([0, 60_000, 120_000, 120_020]);
  expect(told).toEqual([away, new Error('a bug'), SOME, REST]);
});

test('stops in a pause at once', async () => {
  const { clocks, begun, sweeper } = start([SOME]);
  await settled();
  await sweeper.stop();
  expect(clocks.sleepers).toBe(0);
  await clocks.advance(120_000);
  expect(begun).toEqual([0]);
});

test('stops after the part that is at work', async () => {
  const { clocks, begun, told, sweeper } = start([SOME, SOME], { duration: 50 });
  await settled();
  let isStopped = false;
  const stopped = sweeper.stop().then(() => {
    isStopped = true;
  });
  await clocks.advance(49);
  expect(isStopped).toBe(false);
  await clocks.advance(1);
  await stopped;
  expect(begun).toEqual([0]);
  expect(told).toEqual([SOME]);
});

test('keeps what is finished for seven days', async () => {
  const { given } = start([]);
  await settled();
  expect(given).toEqual([SWEEPING]);
  expect(SWEEPING).toMatchObject({ retention: 7 * 24 * 3_600_000, interval: 60_000 });
});
