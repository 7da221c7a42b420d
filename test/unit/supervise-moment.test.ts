import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  earlier,
  isPast,
  later,
  left,
  type Moment,
  sleepUntil,
  systemClocks,
} from '../../src/supervise/moment.ts';
import { FakeClocks, PastWatch } from '../support/fake-clocks.ts';

const at = (wall: number, steady: number): Moment => ({ wall, steady });
const never = new AbortController().signal;

describe('a moment', () => {
  test('is as near as the clock says that is further on', () => {
    expect(left(at(1_000, 100), at(400, 90))).toBe(10);
    expect(left(at(1_000, 100), at(993, 0))).toBe(7);
    expect(left(at(1_000, 100), at(1_200, 0))).toBe(-200);
  });

  test('is past when it is so by either clock', () => {
    expect(isPast(at(1_000, 100), at(999, 99))).toBe(false);
    expect(isPast(at(1_000, 100), at(0, 100))).toBe(true);
    expect(isPast(at(1_000, 100), at(1_000, 0))).toBe(true);
  });

  test('moves on by both clocks', () => {
    expect(later(at(1_000, 100), 50)).toEqual(at(1_050, 150));
  });

  test('comes before another one if less is left until it', () => {
    const one = at(1_000, 500);
    const other = at(2_000, 400);
    expect(earlier(one, other, at(0, 0))).toBe(other);
    expect(earlier(one, other, at(900, 0))).toBe(one);
    expect(earlier(other, one, at(900, 0))).toBe(one);
  });
});

/** Sleeps, and tells at which moment it was over. */
function sleeper(milliseconds: number, signal = never) {
  const clocks = new FakeClocks();
  const start = clocks.now();
  const slept = sleepUntil(later(start, milliseconds), clocks, signal).then(
    clocks.now.bind(clocks),
  );
  return { clocks, start, slept };
}

/** It looks four times a second whether the wall clock has jumped. */
const TICK = 250;

describe('sleeping until a moment', () => {
  test('ends at the moment, however long that is', async () => {
    const month = 30 * 24 * 3_600_000;
    const { clocks, start, slept } = sleeper(month);
    // What a timer cannot count ends at once.
    await clocks.advance(10_000);
    clocks.suspend(month - 11_000);
    await clocks.advance(999);
    expect(clocks.sleepers).toBe(1);
    await clocks.advance(1);
    expect(left(later(start, month), await slept)).toBe(0);
  });

  test.each(['setWall', 'suspend'] as const)('notices within a tick: %s', async (jump) => {
    const { clocks, start, slept } = sleeper(60_000);
    await clocks.advance(10_001);
    clocks[jump](50_000);
    const { steady } = await clocks.until(slept);
    expect(steady - start.steady).toBeGreaterThanOrEqual(10_001);
    expect(steady - start.steady).toBeLessThanOrEqual(10_001 + TICK);
  });

  test('is no longer because the wall clock was set back', async () => {
    const { clocks, start, slept } = sleeper(60_000);
    await clocks.advance(100);
    clocks.setWall(-3_600_000);
    const { steady } = await clocks.until(slept);
    expect(steady - start.steady).toBe(60_000);
  });

  test('ends at once when the signal is aborted', async () => {
    const needless = new AbortController();
    const { clocks, start, slept } = sleeper(60_000, needless.signal);
    await clocks.advance(100);
    needless.abort();
    expect((await slept).steady - start.steady).toBe(100);
    expect(clocks.sleepers).toBe(0);
    await sleepUntil(later(clocks.now(), 60_000), clocks, needless.signal);
  });

  test('is not begun when the moment is past', async () => {
    const clocks = new FakeClocks();
    await sleepUntil(at(0, Number.POSITIVE_INFINITY), clocks, never);
    await sleepUntil(at(Number.POSITIVE_INFINITY, 0), clocks, never);
    expect(clocks.sleepers).toBe(0);
  });

  test('takes neither more nor less than the larger of what the clocks say', async () => {
    const jumps = fc.array(
      fc.record({
        after: fc.integer({ min: 0, max: 5_000 }),
        by: fc.integer({ min: -20_000, max: 20_000 }),
      }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), jumps, async (milliseconds, jumps) => {
        const { clocks, start, slept } = sleeper(milliseconds);
        const watch = new PastWatch(clocks, later(start, milliseconds));
        const end = slept.then(() => watch.lateness);
        for (const { after, by } of jumps) {
          await clocks.advance(after);
          clocks.setWall(by);
        }
        // Never before it is past, and no later than a tick.
        expect(await clocks.until(end)).toBeGreaterThanOrEqual(0);
        expect(await end).toBeLessThanOrEqual(TICK);
      }),
    );
  });
});

describe("the system's clocks", () => {
  test('tell the time', () => {
    const { wall, steady } = systemClocks.now();
    expect(Math.abs(wall - Date.now())).toBeLessThan(1_000);
    expect(Math.abs(steady - Number(process.hrtime.bigint()) / 1e6)).toBeLessThan(1_000);
    expect(systemClocks.now().steady).toBeGreaterThan(steady);
  });

  test('let one sleep', async () => {
    const { steady } = systemClocks.now();
    await systemClocks.sleep(20, never);
    expect(systemClocks.now().steady - steady).toBeGreaterThanOrEqual(19);
  });

  test('wake who need not sleep any longer', async () => {
    const needless = new AbortController();
    const slept = systemClocks.sleep(60_000, needless.signal);
    needless.abort();
    await slept;
    await systemClocks.sleep(60_000, needless.signal);
  });
});
