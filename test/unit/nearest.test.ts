import { expect, test } from 'vitest';
import { allNearest, nearest } from '../../src/domain/nearest.ts';

test.each([
  ['leese', ['lease', 'extend'], 'lease'],
  ['prd', ['staging', 'prod'], 'prod'],
  ['stauts', ['status', 'result'], 'status'],
  ['deploy-prd', ['deploy-prod', 'deploy-staging'], 'deploy-prod'],
  // Too far, or too short to be told from anything.
  ['xyzzy', ['lease'], undefined],
  ['ls', ['rm', 'l'], undefined],
  ['', ['a'], undefined],
  ['prd', ['p', 'production'], undefined],
  // It is there: nothing else is meant.
  ['prod', ['prod', 'prob'], undefined],
  ['lease', [], undefined],
])('%s of %j', async (typed, words, expected) => {
  expect(await nearest(typed, words)).toBe(expected);
});

test('several may be equally near', async () => {
  expect(await allNearest('lob', ['job', 'lab', 'locks'])).toEqual(['job', 'lab']);
});

test('a very long word is compared with nothing that is far away', async () => {
  expect(await nearest('x'.repeat(1_000_000), ['lease', 'x'])).toBeUndefined();
});
