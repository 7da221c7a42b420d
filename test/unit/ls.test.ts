import { describe, expect, test } from 'vitest';
import type { Facts, HeldHere } from '../../src/insight/facts.ts';
import type { Sighting } from '../../src/insight/sighting.ts';
import { isLost, isStuck, listed, SORTS, sorted, timesOf, unasked } from '../../src/list/listed.ts';
import { renderLeases } from '../../src/list/view.ts';
import { PLAIN, type Style } from '../../src/output/style.ts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const SECOND = 1_000;

const held = (change: Partial<HeldHere> = {}): HeldHere => ({
  acquiredAt: NOW - 40 * SECOND,
  expiresAt: NOW + 20 * SECOND,
  renewals: 0,
  ...change,
});

function lease(sighting: Partial<Sighting> = {}, facts: Partial<Facts> = {}, profile = 'local') {
  const all: Facts = {
    sighting: { kind: 'key', id: 'k', state: 'held', at: NOW, ...sighting },
    history: undefined,
    held: held(),
    origin: undefined,
    process: 'unknown',
    ...facts,
  };
  return listed(all, { service: 'leasectl', profile });
}

describe('when a lease was renewed', () => {
  const ours = { acquiredAt: NOW - 40 * SECOND, endsAt: NOW + 20 * SECOND, ttl: 60 * SECOND };

  test.each<[string, ReturnType<typeof lease>, number | undefined]>([
    ['is not told of one that never was', lease(ours), undefined],
    ['is when its time was given', lease({ ...ours, endsAt: NOW + 50 * SECOND }), -10],
    ['is what this machine noted', lease({}, { held: held({ renewedAt: NOW - 5_000 }) }), -5],
    ['is not known of others’, where nothing tells it', lease({}, { held: undefined }), undefined],
    [
      'is the later of both',
      lease({ ...ours, endsAt: NOW + 58_000 }, { held: held({ renewedAt: NOW - 5_000 }) }),
      -2,
    ],
  ])('%s', (_, one, seconds) => {
    const { renewedAt } = timesOf(one);
    expect(renewedAt).toBe(seconds === undefined ? undefined : NOW + seconds * SECOND);
  });

  test('what the service does not tell of the times is as this machine knows it', () => {
    const times = { takenAt: NOW - 40 * SECOND, endsAt: NOW + 20 * SECOND, ttl: 60 * SECOND };
    expect(timesOf(lease())).toMatchObject(times);
    const renewed = held({ renewedAt: NOW - 10 * SECOND, expiresAt: NOW + 50 * SECOND });
    expect(timesOf(lease({}, { held: renewed })).ttl).toBe(60 * SECOND);
  });
});

describe('a lease', () => {
  test('that somebody else has is lost to this machine, and fine for all others', () => {
    const other = lease({}, { held: undefined });
    expect([isLost(other, true), isLost(other, false)]).toEqual([true, false]);
    expect([isStuck(other, true), isStuck(other, false)]).toEqual([true, false]);
  });

  test.each<[Partial<Facts>, boolean]>([
    [{ process: 'running' }, false],
    [{ process: 'suspended' }, true],
    [{ process: 'gone' }, true],
  ])('whose holder is %j is stuck: %s', (facts, stuck) => {
    expect(isStuck(lease({}, facts), true)).toBe(stuck);
  });

  test('that nobody was asked about is held until its time is over', () => {
    const told = { service: 'onceonly', profile: 'prod', failure: undefined };
    const facts = lease({ state: 'untold' }).diagnosis.facts;
    const { diagnosis } = unasked(facts, told);
    expect(diagnosis.name).toBe('healthy');
    const over = { ...facts, held: held({ expiresAt: NOW }) };
    expect(unasked(over, told).diagnosis.name).toBe('expired');
  });
});

test('they come in the order that is asked for, and those that are alike by their ids', () => {
  const leases = [
    lease({ id: 'b', endsAt: NOW + 9, acquiredAt: NOW - 1 }, {}, 'y'),
    lease({ id: 'c', endsAt: NOW + 5, acquiredAt: NOW - 2 }, { process: 'gone' }, 'x'),
    lease({ id: 'a', endsAt: NOW + 9, acquiredAt: NOW - 3 }, {}, 'y'),
    lease({ id: 'd' }, { held: held({ renewedAt: NOW, expiresAt: NOW + 1 }) }, 'z'),
  ];
  const order = SORTS.map((by) => [
    by,
    sorted(leases, by, true)
      .map(({ diagnosis }) => diagnosis.facts.sighting.id)
      .join(''),
  ]);
  expect(Object.fromEntries(order)).toEqual({
    end: 'dcab',
    taken: 'dacb',
    renewed: 'acbd',
    id: 'abcd',
    profile: 'cabd',
    state: 'cabd',
  });
});

describe('on a terminal', () => {
  const style = (columns: number): Style => ({
    columns,
    isInteractive: true,
    isWide: false,
    isUtc: false,
    hasHeader: true,
    paint: { ...PLAIN, red: (text) => `<${text}>` },
    clean: (text) => text,
  });
  const leases = [
    lease({ id: 'deploy-prod', endsAt: NOW + 30 * SECOND, ttl: 60 * SECOND }),
    lease({ id: 'n', endsAt: NOW + 15 * SECOND, ttl: 60 * SECOND }, { process: 'gone' }),
    lease({ id: 'x', state: 'completed' }),
  ];

  test('bars run down, and what is stuck is red', () => {
    expect(`\n${renderLeases(leases, true, style(80))}\n`).toMatchInlineSnapshot(`
      "
      ┌─────────────┬─────────┬──────────────┬─────────┬─────────┬─────────────┬────────┐
      │ ID          │ SERVICE │ LEFT         │ TAKEN   │ RENEWED │ STATE       │ HOLDER │
      │ deploy-prod │ local   │ ███░░░ 30s   │ 40s ago │ 30s ago │ held        │        │
      │ n           │ local   │ <█▌░░░░ 15s> │ 40s ago │         │ <held>      │ <gone> │
      │ x           │ local   │ <>           │ 40s ago │         │ <completed> │ <>     │
      └─────────────┴─────────┴──────────────┴─────────┴─────────┴─────────────┴────────┘
      "
    `);
  });

  test('there are none where there is no room for them', () => {
    expect(renderLeases(leases, true, style(50))).not.toMatch(/[█░]/);
    expect(renderLeases([], true, style(80))).toBe('');
  });
});
