import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timetableOf } from '../../src/supervise/lease.ts';
import type { Moment } from '../../src/supervise/moment.ts';

const SECOND = 1_000;
const DAY = 24 * 3_600 * SECOND;
const sentAt: Moment = { wall: Date.parse('2026-11-22T03:40:12Z'), steady: 5_000_000 };

/** The times of a lease, in milliseconds since it was asked for. */
function timesOf(duration: number, grace: number, jitter = 0) {
  const {
    renewAt,
    stopAt,
    deadline,
    grace: most,
  } = timetableOf({ sentAt, duration }, grace, jitter);
  const since = ({ wall, steady }: Moment) => {
    expect(wall - sentAt.wall).toBeCloseTo(steady - sentAt.steady, 3);
    return steady - sentAt.steady;
  };
  return { renewAt: since(renewAt), stopAt: since(stopAt), deadline: since(deadline), grace: most };
}

describe('the timetable of a lease', () => {
  test.each([
    [60 * SECOND, { renewAt: 20_000, stopAt: 47_000, deadline: 57_000, grace: 10_000 }],
    // A third of the time at most is for stopping.
    [15 * SECOND, { renewAt: 5_000, stopAt: 9_250, deadline: 14_250, grace: 5_000 }],
    [3 * SECOND, { renewAt: 1_000, stopAt: 1_750, deadline: 2_750, grace: 1_000 }],
    [
      30 * DAY,
      { renewAt: 10 * DAY, stopAt: 30 * DAY - 15_000, deadline: 30 * DAY - 5_000, grace: 10_000 },
    ],
  ])('of %d ms leaves time for all', (duration, times) => {
    expect(timesOf(duration, 10 * SECOND)).toEqual(times);
  });

  test.each([
    [0.5 * SECOND, 62.5],
    [1 * SECOND, 125],
    [2 * SECOND, 250],
    [5 * SECOND, 250],
    [6 * SECOND, 300],
    [100 * SECOND, 5_000],
    [DAY, 5_000],
  ])('of %d ms keeps %d ms for what is late', (duration, margin) => {
    expect(timesOf(duration, 10 * SECOND).deadline).toBe(duration - margin);
  });

  test('has all renewals at other times, and none too late', () => {
    expect(timesOf(60 * SECOND, 0, 0.5).renewAt).toBe(19_000);
    expect(timesOf(60 * SECOND, 0, 0.999).renewAt).toBeCloseTo(18_002, 0);
  });

  test('stops at the deadline what needs no time to stop', () => {
    const { stopAt, deadline, grace } = timesOf(60 * SECOND, 0);
    expect(stopAt).toBe(deadline);
    expect(grace).toBe(0);
  });

  test('is in order, and has its margins, whatever the lease and the grace', () => {
    const durations = fc.oneof(
      fc.integer({ min: SECOND, max: 30 * DAY }),
      fc.integer({ min: SECOND, max: 200 * SECOND }),
    );
    const graces = fc.oneof(
      fc.integer({ min: 0, max: 60 * SECOND }),
      fc.integer({ min: 0, max: DAY }),
    );
    const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(durations, graces, jitters, (duration, wanted, jitter) => {
        const { renewAt, stopAt, deadline, grace } = timesOf(duration, wanted, jitter);
        expect(grace).toBe(Math.min(wanted, duration / 3));
        expect(deadline - stopAt).toBeCloseTo(grace, 3);
        expect(duration - deadline).toBeGreaterThanOrEqual(Math.min(duration / 8, 250) - 0.001);
        expect(duration - deadline).toBeLessThanOrEqual(5_000.001);
        expect(renewAt).toBeLessThanOrEqual(duration / 3 + 0.001);
        expect(renewAt).toBeGreaterThanOrEqual((duration / 3) * 0.9 - 0.001);
        // For the first attempt, and some more.
        expect(stopAt - renewAt).toBeGreaterThanOrEqual(duration / 5);
      }),
    );
  });
});
