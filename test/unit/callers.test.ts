import { expect, test } from 'vitest';
import type { Bearer } from '../../src/engine/access.ts';
import { createCallers } from '../../src/server/callers.ts';

function setUp(isGuarded = false) {
  let time = 0;
  const asked: string[] = [];
  const state = { isOpen: true, isAway: false };
  const bearers = new Map<string, Bearer>();
  const callers = createCallers({
    access: {
      bearerOf: async (token) => {
        asked.push(token);
        if (state.isAway) throw new Error('away');
        return bearers.get(token);
      },
      isOpen: async () => {
        asked.push('open?');
        if (state.isAway) throw new Error('away');
        return state.isOpen;
      },
    },
    elapsed: () => time,
    isGuarded,
  });
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { asked, bearers, callers, pass, state };
}

const ME: Bearer = { kind: 'token', name: 'me', namespace: 'a', scopes: ['admin'] };

test('a caller is known for a second, and one that is nobody is unknown for as long', async () => {
  const { asked, bearers, callers, pass } = setUp();
  bearers.set('t', ME);
  expect(await callers.bearerOf('t')).toBe(ME);
  bearers.delete('t');
  pass(999);
  expect(await callers.bearerOf('t')).toBe(ME);
  pass(1);
  expect(await callers.bearerOf('t')).toBeUndefined();
  bearers.set('t', ME);
  expect(await callers.bearerOf('t')).toBeUndefined();
  expect(asked).toEqual(['t', 't']);
});

test('who could not be found out is asked for again', async () => {
  const { bearers, callers, state } = setUp();
  bearers.set('t', ME);
  state.isAway = true;
  await expect(callers.bearerOf('t')).rejects.toThrow('away');
  state.isAway = false;
  expect(await callers.bearerOf('t')).toBe(ME);
});

test('who was known stays so while nothing can be found out, but not for ever', async () => {
  const { bearers, callers, pass, state } = setUp();
  bearers.set('t', ME);
  await callers.bearerOf('t');
  await callers.isOpen();
  bearers.delete('t');
  state.isAway = true;
  for (const _ of [1, 2]) {
    pass(300_000);
    expect(await callers.bearerOf('t')).toBe(ME);
    expect(await callers.isOpen()).toBe(true);
  }
  pass(1_000);
  await expect(callers.bearerOf('t')).rejects.toThrow('away');
  await expect(callers.isOpen()).rejects.toThrow('away');
  state.isAway = false;
  expect(await callers.bearerOf('t')).toBeUndefined();
});

test.each([
  ['somebody', 10_000, ME],
  ['nobody', 1_000, undefined],
])('of the tokens of %s the latest %i are remembered', async (_, most, bearer) => {
  const { asked, bearers, callers } = setUp();
  for (let index = 0; index <= most; index++) {
    if (bearer) bearers.set(`t${index}`, bearer);
    await callers.bearerOf(`t${index}`);
  }
  await callers.bearerOf(`t${most}`);
  await callers.bearerOf('t1');
  expect(asked).toHaveLength(most + 1);
  expect(await callers.bearerOf('t0')).toBe(bearer);
  expect(asked).toHaveLength(most + 2);
});

test('no number of guesses makes it forget who is somebody', async () => {
  const { asked, bearers, callers } = setUp();
  bearers.set('t', ME);
  await callers.bearerOf('t');
  for (let index = 0; index <= 10_000; index++) await callers.bearerOf(`guess ${index}`);
  expect(await callers.bearerOf('t')).toBe(ME);
  expect(asked.filter((token) => token === 't')).toHaveLength(1);
});

test('a token that is longer than any is nobody’s, and not looked for', async () => {
  const { asked, bearers, callers } = setUp();
  const [long, longest] = ['t'.repeat(129), 't'.repeat(128)];
  for (const token of [long, longest]) bearers.set(token, ME);
  expect(await callers.bearerOf(longest)).toBe(ME);
  expect(await callers.bearerOf(long)).toBeUndefined();
  expect(callers.wasKnown(long)).toBe(false);
  expect(asked).toEqual([longest]);
});

test('all who show a token at once ask for it once', async () => {
  const { asked, bearers, callers } = setUp();
  bearers.set('t', ME);
  const found = await Promise.all([1, 2, 3].map(() => callers.bearerOf('t')));
  expect(found).toEqual([ME, ME, ME]);
  expect(asked).toEqual(['t']);
});

test('who was somebody is familiar, until it is found to be nobody', async () => {
  const { bearers, callers, pass } = setUp();
  bearers.set('t', ME);
  expect(callers.wasKnown('t')).toBe(false);
  await callers.bearerOf('t');
  await callers.bearerOf('guess');
  expect([callers.wasKnown('t'), callers.wasKnown('guess')]).toEqual([true, false]);
  pass(60_000);
  expect(callers.wasKnown('t')).toBe(true);
  bearers.delete('t');
  await callers.bearerOf('t');
  expect(callers.wasKnown('t')).toBe(false);
});

test('once there is somebody to tell apart it stays closed', async () => {
  const { asked, callers, pass, state } = setUp();
  expect(await callers.isOpen()).toBe(true);
  state.isOpen = false;
  expect(await callers.isOpen()).toBe(true);
  pass(1_000);
  expect(await callers.isOpen()).toBe(false);
  state.isOpen = true;
  pass(100_000);
  expect(await callers.isOpen()).toBe(false);
  expect(asked).toEqual(['open?', 'open?']);
});

test('where it is guarded it was never open', async () => {
  const { asked, callers } = setUp(true);
  expect(await callers.isOpen()).toBe(false);
  expect(asked).toEqual([]);
});
