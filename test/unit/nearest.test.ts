import { expect, test } from 'vitest';
import { asQuestion, didYouMean, nearest, nearestCommands } from '../../src/domain/nearest.ts';

test.each([
  ['leese', ['lease', 'extend'], ['lease']],
  ['prd', ['staging', 'prod'], ['prod']],
  ['stauts', ['status', 'result'], ['status']],
  ['deploy-prd', ['deploy-prod', 'deploy-staging'], ['deploy-prod']],
  ['lob', ['job', 'lab', 'locks'], ['job', 'lab']],
  // Too far, or too short to be told from anything.
  ['xyzzy', ['lease'], []],
  ['ls', ['rm', 'l'], []],
  ['', ['a'], []],
  ['prd', ['p', 'production'], []],
  ['lease', [], []],
])('%s of %j', async (typed, words, expected) => {
  expect(await nearest(typed, words)).toEqual(expected);
});

test('a very long word is compared with nothing that is far away', async () => {
  expect(await nearest('x'.repeat(1_000_000), ['lease', 'x'])).toEqual([]);
});

const COMMANDS = ['lease', 'exec', 'jobs claim', 'jobs list', 'profile list', 'admin jobs add'];

test.each([
  ['leese', ['lease']],
  ['leese hello world', ['lease']],
  ['job claim', ['jobs claim']],
  ['jobs clam j-1', ['jobs claim']],
  ['claim jobs', ['jobs claim']],
  ['claim job', ['jobs claim']],
  ['claim', ['jobs claim']],
  ['claom', ['jobs claim']],
  ['list', ['jobs list', 'profile list']],
  ['jobs add', ['admin jobs add']],
  ['ex', []],
  ['jobs nothing', []],
])('%j may mean %j', async (typed, expected) => {
  expect(await nearestCommands(typed.split(' '), COMMANDS)).toEqual(expected);
});

test('what may be meant is asked', async () => {
  expect(await didYouMean('prd', ['prod'])).toBe('Did you mean prod?');
  expect(await didYouMean('prd', [])).toBe('');
  expect(asQuestion(['a', 'b', 'c', 'd'])).toBe('Did you mean a, b or c?');
  expect(asQuestion(['a', 'b'])).toBe('Did you mean a or b?');
});
