import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { describeFaults, type Faults, parseFaults } from '../../src/server/faults.ts';

const NEW_SEED = 7;
const parse = (text: string) => parseFaults(text, () => NEW_SEED);
const NONE = {
  lose: undefined,
  rateLimit: 0,
  latency: undefined,
  dropAnswer: 0,
  seed: NEW_SEED,
};

async function failureOf(text: string): Promise<Failure> {
  const error: unknown = await parse(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`${text} did not fail as it should`);
}

describe('parseFaults', () => {
  test('reads all that there are', async () => {
    const text = 'lose=10s,rate-limit=5%,latency=200ms..2s,drop-answer=1%,seed=42';
    const faults: Faults = {
      lose: { low: 10_000, high: 10_000 },
      rateLimit: 5,
      latency: { low: 200, high: 2_000 },
      dropAnswer: 1,
      seed: 42,
    };
    expect(await parse(text)).toEqual(faults);
    expect(describeFaults(faults)).toBe(text);
  });

  test.each<[string, Partial<Faults>]>([
    ['lose=1.5s', { lose: { low: 1_500, high: 1_500 } }],
    ['lose=5s..1m', { lose: { low: 5_000, high: 60_000 } }],
    [' latency = 1ms .. 100s ', { latency: { low: 1, high: 100_000 } }],
    ['rate-limit=100%', { rateLimit: 100 }],
    ['drop-answer=0.5%, seed=0', { dropAnswer: 0.5, seed: 0 }],
    [
      'seed=4294967295,lose=24h',
      { lose: { low: 86_400_000, high: 86_400_000 }, seed: 2 ** 32 - 1 },
    ],
  ])('reads %j', async (text, expected) => {
    expect(await parse(text)).toEqual({ ...NONE, ...expected });
  });

  test.each([
    ['', 'there is no fault ""'],
    ['lose=10s,', 'there is no fault ""'],
    ['Lose=10s', 'there is no fault "Lose"'],
    ['lose', 'lose is no usable time: ""'],
    ['lose=10', 'lose is no usable time: "10"'],
    ['lose=0s', 'lose is no usable time: "0s"'],
    ['lose=25h', 'lose is no usable time: "25h"'],
    ['lose=0.1ms', 'lose is no usable time: "0.1ms"'],
    ['latency=2s..1s', 'latency is no usable time: "2s..1s"'],
    ['latency=1s..2s..3s', 'latency is no usable time: "1s..2s..3s"'],
    ['latency=100001ms', 'latency is no usable time: "100001ms"'],
    ['latency=-1s', 'latency is no usable time: "-1s"'],
    ['rate-limit=5', 'rate-limit is no usable part: "5"'],
    ['rate-limit=0%', 'rate-limit is no usable part: "0%"'],
    ['rate-limit=0.0009%', 'rate-limit is no usable part: "0.0009%"'],
    ['rate-limit=101%', 'rate-limit is no usable part: "101%"'],
    ['drop-answer=1e1%', 'drop-answer is no usable part: "1e1%"'],
    ['lose=1s,seed=-1', 'seed is no usable number: "-1"'],
    ['lose=1s,seed=4294967296', 'seed is no usable number: "4294967296"'],
    ['seed=1', 'a seed alone makes no fault'],
    ['lose=1s,lose=2s', 'lose is given twice'],
  ])('refuses %j', async (text, words) => {
    const { code, message, hint } = await failureOf(text);
    expect(code).toBe('usage');
    expect(message).toContain(`--fault: ${words}`);
    expect(hint).toMatch(/\S/);
  });

  test('tells how long each may last', async () => {
    expect((await failureOf('lose=25h')).hint).toMatch(/; at most 24h\.$/);
    expect((await failureOf('latency=2m')).hint).toMatch(/; at most 100s\.$/);
  });

  test('tells what is known, and what may have been meant', async () => {
    const { hint } = await failureOf('drop-anser=1%');
    expect(hint).toMatch(/^Did you mean drop-answer\? Known are lose, rate-limit, latency, /);
  });

  test('takes any text without another error than its own', async () => {
    const word = fc.constantFrom(
      'lose',
      'latency',
      'seed',
      'rate-limit',
      '=',
      ',',
      '..',
      '1s',
      '%',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word).map((words) => words.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const error: unknown = await parse(given).catch((thrown: unknown) => thrown);
        return !(error instanceof Error) || error instanceof Failure;
      }),
    );
  });

  test('reads what describeFaults writes', async () => {
    const span = (max: number) => {
      const time = fc.integer({ min: 1, max });
      return fc.tuple(time, time).map(([one, other]) => ({
        low: Math.min(one, other),
        high: Math.max(one, other),
      }));
    };
    const chance = fc.integer({ min: 0, max: 100_000 }).map((part) => part / 1_000);
    const faults = fc.record({
      lose: fc.option(span(86_400_000), { nil: undefined }),
      rateLimit: chance,
      latency: span(100_000),
      dropAnswer: chance,
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    await fc.assert(
      fc.asyncProperty(faults, async (made) => {
        expect(await parse(describeFaults(made))).toEqual(made);
      }),
    );
  });
});
