import { expect, test } from 'vitest';
import { renewalsOf } from '../../src/insight/renewals.ts';
import { ago, event, facts, history, renewed } from '../support/insight.ts';

const acquired = event('acquired', 100);

test('intervals are those between the acquisition and each renewal', () => {
  const told = history(acquired, ...renewed(80, 60, 30, 10));
  expect(renewalsOf(facts({ version: 5 }, { history: told }))).toEqual({
    ...{ count: 4, lastAt: ago(10), usual: 20_000, longest: 30_000, isLate: false },
  });
});

test('a renewal is late when one and a half times the usual interval has passed', () => {
  const at = (seconds: number) =>
    renewalsOf(
      facts(
        {},
        {
          history: history(
            event('acquired', 60 + seconds),
            ...renewed(40 + seconds, 20 + seconds, seconds),
          ),
        },
      ),
    )?.isLate;
  expect([1, 20, 30, 31, 32, 300].map(at)).toEqual([false, false, false, false, true, true]);
});

test('one renewal makes no habit; but who keeps a lease is known to renew it', () => {
  const told = { history: history(acquired, ...renewed(99)) };
  expect(renewalsOf(facts({}, told))?.isLate).toBe(false);
  const kept = { ...told, origin: { command: 'exec' } };
  expect(renewalsOf(facts({}, kept))?.isLate).toBe(true);
  expect(renewalsOf(facts({}, { ...told, origin: { command: 'lease' } }))?.isLate).toBe(false);
  const young = { history: history(event('acquired', 30)), origin: { command: 'jobs exec' } };
  expect(renewalsOf(facts({}, young))).toMatchObject({ count: 0, isLate: false });
  const old = { history: history(event('acquired', 32)), origin: { command: 'jobs exec' } };
  expect(renewalsOf(facts({}, old))).toMatchObject({ count: 0, isLate: true });
});

test('what is forgotten is counted, but no interval goes across it', () => {
  const told = history(acquired, ...renewed(20, 10));
  const found = renewalsOf(facts({ version: 51 }, { history: told }));
  expect(found).toMatchObject({ count: 50, usual: 10_000, longest: 10_000 });
  const asked = event('cancel_requested', 5, { version: 4 });
  const stopping = history(acquired, ...renewed(20, 10), asked);
  expect(renewalsOf(facts({ version: 4 }, { history: stopping }))?.count).toBe(2);
});

test('only the acquisition in force counts', () => {
  const told = history(
    event('acquired', 200),
    event('extended', 150),
    event('acquired', 10, { fencingToken: 2, version: 4 }),
  );
  expect(renewalsOf(facts({ fencingToken: 2, version: 4 }, { history: told }))).toEqual({
    ...{ count: 0, lastAt: ago(10), usual: undefined, longest: undefined, isLate: false },
  });
});

test('without a history the end tells when it was renewed, and this machine how often', () => {
  expect(renewalsOf(facts({ endsAt: ago(-50) }))).toMatchObject({ lastAt: ago(10) });
  const held = {
    acquiredAt: ago(90),
    expiresAt: ago(-30),
    renewedAt: ago(30),
    renewals: 3,
  };
  const untimed = { acquiredAt: undefined, ttl: undefined };
  expect(renewalsOf(facts(untimed, { held }))).toEqual({
    ...{ count: 3, lastAt: ago(30), usual: 20_000, longest: undefined, isLate: false },
  });
});

test('nothing is said where nothing tells of it', () => {
  expect(renewalsOf(facts({ acquiredAt: undefined, ttl: undefined }))).toBeUndefined();
  expect(renewalsOf(facts({ state: 'expired' }))).toBeUndefined();
});
