import { expect, test } from 'vitest';
import { isTooDeep, MAX_DEPTH } from '../../src/domain/json.ts';

const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;

test.each([
  ['as deep as allowed', nested(MAX_DEPTH), false],
  ['deeper', nested(MAX_DEPTH + 2), true],
  ['long', `[${'[],'.repeat(1_000)}1]`, false],
  ['with brackets in a string', JSON.stringify('['.repeat(1_000)), false],
  ['with quotes in a string', JSON.stringify({ '\\"[': '"['.repeat(1_000) }), false],
])('what is too deep: %s', (_, json, isDeep) => {
  expect(isTooDeep(json)).toBe(isDeep);
});

test('a string that does not end is looked at once', () => {
  const begun = performance.now();
  expect(isTooDeep(`{"a":"${'\\"'.repeat(1_000_000)}`)).toBe(false);
  // From each quote on anew it took minutes.
  expect(performance.now() - begun).toBeLessThan(5_000);
});
