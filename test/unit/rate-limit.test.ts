import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateLimit } from '../../src/server/rate-limit.ts';

test('a second’s requests at once, then as many as it says, each caller for itself', () => {
  let now = 0;
  const { take } = createRateLimit(2, () => now);
  expect([take('a'), take('a'), take('a')]).toEqual([undefined, undefined, 1]);
  expect(take('b')).toBeUndefined();
  now = 500;
  expect([take('a'), take('a')]).toEqual([undefined, 1]);
  now = 100_000;
  expect([take('a'), take('a'), take('a')]).toEqual([undefined, undefined, 1]);
});

test('to look how long it takes counts nothing', () => {
  let now = 0;
  const { take, wait } = createRateLimit(1, () => now);
  expect([wait('a'), wait('a'), take('a')]).toEqual([undefined, undefined, undefined]);
  expect([wait('a'), wait('b')]).toEqual([1, undefined]);
  now = 1_000;
  expect([wait('a'), take('a'), wait('a')]).toEqual([undefined, undefined, 1]);
});

test('who is refused does not come later for it', () => {
  let now = 0;
  const { take } = createRateLimit(1, () => now);
  take('a');
  for (let again = 0; again < 10; again += 1) expect(take('a')).toBe(1);
  now = 1_000;
  expect(take('a')).toBeUndefined();
});

test('never more than the rate over any time, and one more second', () => {
  const step = fc.record({ wait: fc.nat(3_000), caller: fc.constantFrom('a', 'b') });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step), (rate, steps) => {
      let now = 0;
      const { take } = createRateLimit(rate, () => now);
      let made = 0;
      for (const { wait, caller } of steps) {
        now += wait;
        if (take(caller) === undefined && caller === 'a') made += 1;
      }
      expect(made).toBeLessThanOrEqual(rate + (now * rate) / 1000);
    }),
  );
});

test('forgets those who do not ask any more, and none who was refused', () => {
  let now = 0;
  const { take } = createRateLimit(1, () => now);
  for (let caller = 0; caller < 1_000; caller += 1) take(`old ${caller}`);
  now = 900;
  take('busy');
  now = 1_000;
  expect(take('new')).toBeUndefined();
  expect(take('busy')).toBe(1);
});
