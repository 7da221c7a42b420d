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

const ME: Bearer = { name: 'me', namespace: 'a', scopes: ['admin'] };

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

test('any number of tokens is tried, and the oldest is forgotten', async () => {
  const { asked, callers } = setUp();
  for (let index = 0; index <= 10_000; index++) await callers.bearerOf(`t${index}`);
  await callers.bearerOf('t10000');
  await callers.bearerOf('t1');
  expect(asked).toHaveLength(10_001);
  await callers.bearerOf('t0');
  expect(asked).toHaveLength(10_002);
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
