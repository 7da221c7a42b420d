import { expect, test } from 'vitest';
import type { Happening } from '../../src/insight/facts.ts';
import { pastOf, refusalsIn } from '../../src/insight/past.ts';
import { timeLineOf } from '../../src/insight/time-line.ts';
import { ago, event, facts, history, renewed } from '../support/insight.ts';

const asked = (seconds: number, caller: string | undefined) =>
  event('refused', seconds, { caller, detail: { command: 'acquire', reason: 'held' } });
const words = (...events: readonly Happening[]) =>
  timeLineOf(history(...events), 20).map((step) => step.words);

test('what comes again and again is one step between two others', () => {
  expect(
    words(
      event('acquired', 100, { caller: 'a@x', detail: { ttl: 60 } }),
      ...renewed(80, 60, 40),
      asked(70, 'b@y'),
      asked(30, 'b@y'),
      asked(20, 'c@z'),
      event('expired', 10),
      event('acquired', 5, { caller: 'b@y', fencingToken: 2 }),
      asked(4, undefined),
    ),
  ).toEqual([
    'acquired by a@x, for 1m',
    'renewed 3 times, every 20s',
    'asked for in vain 3 times, by b@y, c@z',
    'ran out',
    'acquired by b@y',
    'asked for in vain',
  ]);
});

test('every kind of event has its words, and so has one that is not known', () => {
  const by = { caller: 'a@x' };
  expect(
    words(
      event('added', 90, by),
      event('released', 80, { ...by, detail: { error_code: 'oom' } }),
      event('cancel_requested', 70, by),
      event('broken', 60, { ...by, detail: { reason: 'gone' } }),
      event('failed', 50, { ...by, detail: { error_code: 'bad' } }),
      event('completed', 40, by),
      event('refused', 30, { ...by, detail: { command: 'extend', reason: 'expired' } }),
      event('blessed', 20, by),
    ),
  ).toEqual([
    'added by a@x',
    'given back by a@x: oom',
    'asked to stop by a@x',
    'broken by a@x: gone',
    'failed by a@x: bad',
    'completed by a@x',
    'refused to extend: expired, by a@x',
    'blessed by a@x',
  ]);
});

test('of many steps the latest are told, of many names the first', () => {
  const added = Array.from({ length: 30 }, (_, index) => event(`e${index}`, 100 - index));
  expect(timeLineOf(history(...added), 2).map(({ type }) => type)).toEqual(['e28', 'e29']);
  const [step] = words(...['a', 'b', 'c', 'd', 'e'].map((name, at) => asked(50 - at, name)));
  expect(step).toBe('asked for in vain 5 times, by a, b, c and 2 others');
});

test('what became of each acquisition is counted once', () => {
  const told = history(
    event('acquired', 90),
    event('expired', 80),
    event('acquired', 70, { fencingToken: 2 }),
    event('released', 60, { fencingToken: 2, detail: { error_code: 'oom' } }),
    event('acquired', 50, { fencingToken: 3 }),
    event('released', 40, { fencingToken: 3 }),
    event('acquired', 30, { fencingToken: 4 }),
    event('broken', 20, { fencingToken: 4 }),
    event('acquired', 10, { fencingToken: 5 }),
  );
  const past = (state: 'held' | 'expired') =>
    pastOf(facts({ state, fencingToken: 5 }, { history: told }));
  const known = { taken: 5, failed: 1, broken: 1 };
  expect(past('held')).toEqual({ ...known, lost: 1, failedInARow: 0 });
  expect(past('expired')).toEqual({ ...known, lost: 2, failedInARow: 1 });
  expect(pastOf(facts())).toBeUndefined();
});

test('only who asked for what was held counts as asking', () => {
  const other = event('refused', 5, { detail: { command: 'extend', reason: 'expired' } });
  expect(refusalsIn(history(asked(30, 'a'), asked(20, 'b'), asked(10, 'a'), other))).toEqual({
    ...{ count: 3, firstAt: ago(30), lastAt: ago(10) },
    callers: [
      { caller: 'a', count: 2, lastAt: ago(10) },
      { caller: 'b', count: 1, lastAt: ago(20) },
    ],
  });
  expect(refusalsIn(history(other))).toBeUndefined();
});
