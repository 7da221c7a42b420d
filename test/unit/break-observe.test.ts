import { expect, test } from 'vitest';
import { observe } from '../../src/break/observe.ts';
import type { Sighting } from '../../src/insight/sighting.ts';
import type { LeaseView } from '../../src/look/lease.ts';
import { FakeClocks } from '../support/fake-clocks.ts';

/** Somewhere a lease is, that is as it is said at each time since the first look, in milliseconds. */
function place(isOurs: boolean, sightingAt: (time: number) => Partial<Sighting>) {
  const clocks = new FakeClocks();
  const begun = clocks.now().steady;
  const looks: number[] = [];
  const held = { kind: 'key', id: 'k', state: 'held', version: 1, at: 0 } as const;
  const view: LeaseView = {
    place: { service: 'onceonly', profile: 'p', location: 'l', isOurs, flag: undefined },
    reach: { profile: 'p', timeout: 1_000, version: '0' },
    address: { service: 'onceonly', profile: 'p', location: 'l', id: 'k' },
    kind: 'key',
    look: async () => {
      const time = clocks.now().steady - begun;
      looks.push(Math.round(time));
      return { sighting: { ...held, ...sightingAt(time) } };
    },
    history: async () => undefined,
    similar: async () => [],
  };
  const told: string[] = [];
  const shown: (string | undefined)[] = [];
  const ports = {
    clocks,
    tell: (line: string) => void told.push(line),
    show: (line: string | undefined) => void shown.push(line),
  };
  const during = async (time: number | undefined) => {
    const first = await view.look();
    looks.length = 0;
    return clocks.until(observe(view, first, time, ports));
  };
  return { during, looks, told, shown };
}

test('what is never renewed is looked at until the end, and in that moment, too', async () => {
  const { during, looks, shown } = place(true, () => ({}));
  expect(await during(1_750)).toMatchObject({ change: 'none', observed: 2 });
  expect(looks).toEqual([500, 1_000, 1_500, 1_750]);
  expect(shown.at(0)).toBe('Observing k: no renewal so far, 2s to go');
  expect(shown.at(-1)).toBeUndefined();
});

test('a renewal ends it at once, also one in the last moment', async () => {
  const early = place(true, (time) => ({ version: time < 700 ? 1 : 2 }));
  expect(await early.during(60_000)).toMatchObject({ change: 'renewed', observed: 1 });
  expect(early.looks).toEqual([500, 1_000]);
  const late = place(true, (time) => ({ version: time < 9_990 ? 1 : 2 }));
  expect(await late.during(10_000)).toMatchObject({ change: 'renewed', observed: 10 });
});

test('so does its end', async () => {
  const { during } = place(true, (time) => ({ state: time < 3_000 ? 'held' : 'expired' }));
  expect(await during(undefined)).toMatchObject({ change: 'ended', observed: 3 });
});

test('a service is looked at no more often than it wants', async () => {
  const { during, looks } = place(false, () => ({ retryAfter: 7_000 }));
  expect(await during(10_000)).toMatchObject({ change: 'none', observed: 10 });
  expect(looks).toEqual([7_000, 14_000]);
});

test('one that does not say is left alone for two seconds', async () => {
  const { during, looks } = place(false, () => ({}));
  await during(5_000);
  expect(looks).toEqual([2_000, 4_000, 5_000]);
});

test.each<[number, Partial<Sighting>]>([
  [10, { ttl: 10_000, endsAt: 4_000 }],
  [4, { endsAt: 4_000 }],
  [60, { ttl: 300_000 }],
  [60, {}],
  [1, { ttl: 10 }],
])('without being told, %i seconds are observed of %j', async (seconds, told) => {
  const { during } = place(true, () => told);
  expect((await during(undefined)).observed).toBe(seconds);
});

test('nothing is looked at where nothing is to be observed', async () => {
  const { during, looks, told, shown } = place(true, () => ({}));
  expect(await during(0)).toMatchObject({ change: 'none', observed: 0 });
  expect({ looks, told, shown }).toEqual({ looks: [], told: [], shown: [undefined] });
});

test.each([
  [60_000, 'Observing for 1m that nobody renews it.'],
  [
    20_000,
    'Observing for 20s that nobody renews it. Of 1m 30s that it lasts that is little: --observe 1m30s tells more.',
  ],
])('it is said for how long, and whether that is little: %i', async (time, words) => {
  const { during, told } = place(true, () => ({ ttl: 90_000 }));
  await during(time);
  expect(told).toEqual([words]);
});
