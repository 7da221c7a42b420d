import { describe, expect, test } from 'vitest';
import {
  compared,
  failing,
  interleaved,
  markdown,
  median,
  offBy,
  type Row,
  table,
} from '../bench/harness.mjs';

/** A row of a start that took so many times as long as it may at most. */
function start(times: number): Row {
  const base = { what: 'node -e 0', value: 20 };
  return compared('status KEY', 20 * 2 * times, 'ms', base, { most: 2 });
}

/** A row of a service that did such a part of what it has to do at least. */
function service(part: number): Row {
  const base = { what: 'transactions', value: 1_000 };
  return compared('acquire+complete', 1_000 * 0.5 * part, 'per second', base, { least: 0.5 });
}

describe('what becomes of a figure', () => {
  test('the median is the middle one, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 100])).toBe(7);
    expect(median([3])).toBe(3);
    expect(median([])).toBeNaN();
  });

  test('a ratio is how many times the base it is', () => {
    const row = compared('status KEY', 50, 'ms', { what: 'node -e 0', value: 20 }, undefined);
    expect(row).toMatchObject({ value: 50, unit: 'ms', ratio: 2.5 });
  });

  test.each([
    [start(1), 1],
    [start(1.9), 1.9],
    [start(0.5), 0.5],
    [service(1), 1],
    [service(0.5), 2],
    [service(2), 0.5],
    [{ what: 'memory', value: 120, unit: 'MiB', bound: { most: 80 } }, 1.5],
    [{ what: 'control', value: 25, unit: 'ms', bound: { least: 16, most: 20 } }, 1.25],
    [{ what: 'control', value: 8, unit: 'ms', bound: { least: 16, most: 20 } }, 2],
  ])('how far it is off: %o', (row, off) => {
    expect(offBy(row)).toBeCloseTo(off);
  });

  test('without a bound, or a value, nothing is off', () => {
    expect(offBy({ what: 'memory', value: 120, unit: 'MiB' })).toBeUndefined();
    expect(offBy({ what: 'redis', missing: 'there is none' })).toBeUndefined();
  });

  test('what is no number is off', () => {
    const base = { what: 'nothing', value: 0 };
    const row = compared('nothing', 0, 'ms', base, { most: 2 });
    expect(failing([row], true)).toEqual([row]);
  });

  test.each([
    ['by 1.9 passes in the short form', true, [start(1.9), service(1 / 1.9)], 0],
    ['by more than 2 fails in it', true, [start(2.01), service(1 / 2.01)], 2],
    ['by 1.9 fails in the long form', false, [start(1.9), service(1 / 1.9)], 2],
    ['by nothing passes', false, [start(1), service(1)], 0],
  ])('a ratio that is off %s', (_, isShort, rows, count) => {
    expect(failing(rows, isShort)).toHaveLength(count);
  });
});

describe('interleaved runs', () => {
  test('each is done once in each round, after one that does not count', async () => {
    const order: string[] = [];
    const work = (name: string) => (round: number) => {
      order.push(`${round} ${name}`);
      return round;
    };
    const values = await interleaved({ one: work('one'), other: work('other') }, 3);
    expect(values).toEqual({ one: [1, 2, 3], other: [1, 2, 3] });
    expect(order.slice(0, 2)).toEqual(['0 one', '0 other']);
    for (const round of [1, 2, 3]) {
      expect(order.slice(2 * round, 2 * round + 2).sort()).toEqual([
        `${round} one`,
        `${round} other`,
      ]);
    }
  });

  test('they do not always come in the same order', async () => {
    const firsts: string[] = [];
    let last = 0;
    const work = (name: string) => (round: number) => {
      if (round !== last) firsts.push(name);
      last = round;
      return round;
    };
    await interleaved({ one: work('one'), other: work('other') }, 64);
    expect(new Set(firsts)).toEqual(new Set(['one', 'other']));
  });
});

describe('the table', () => {
  test('tells what was measured beside what, and whether its bound holds', () => {
    const rows = [start(0.9), service(0.9), { what: 'redis', missing: 'there is none' }];
    const lines = table('Speed', rows).split('\n');
    expect(lines[1]).toMatch(/status KEY +36 ms +node -e 0: 20 ms +1\.80 +at most 2 +holds/);
    expect(lines[2]).toMatch(/450 per second .* 0\.45 +at least 0\.50 +DOES NOT HOLD/);
    expect(lines[3]).toMatch(/redis +- +not measured: there is none/);
  });
  test('has in the README what has a bound, and was measured', () => {
    const without = { what: 'memory', value: 120, unit: 'MiB' };
    const missing = { what: 'redis', missing: 'there is none', bound: { most: 2 } };
    expect(
      markdown([start(0.9), without, missing])
        .split('\n')
        .slice(2),
    ).toEqual(['| status KEY | 36 ms | node -e 0: 20 ms | 1.80 | at most 2 |', '']);
  });
});
