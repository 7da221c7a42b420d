import { describe, expect, test } from 'vitest';
import {
  BEGIN,
  BEHIND,
  createWatched,
  happened,
  namesOf,
  PLACE,
  seen,
} from '../support/watching.ts';

describe('what is told', () => {
  test('a lease is seen, renewed, completed, and told of once each', () => {
    const { tell, row } = createWatched();
    expect(namesOf(tell(0, seen('k')))).toEqual(['seen k']);
    expect(namesOf(tell(100, seen('k', { at: BEGIN + 100 })))).toEqual([]);
    const renewed = happened('k', 'extended', { ttl: 60_000 });
    expect(namesOf(tell(1_000, renewed))).toEqual(['extended k']);
    expect(namesOf(tell(1_000, renewed))).toEqual([]);
    expect(row('k')).toMatchObject({ endsAt: BEGIN + 61_000, renewedAt: BEGIN + 1_000 });
    const completed = happened('k', 'completed', { version: 3, at: BEGIN + 2_000 });
    expect(namesOf(tell(2_000, completed))).toEqual(['completed k']);
    expect(row('k')).toMatchObject({ state: 'completed', told: 'finished', endsAt: undefined });
  });

  test('by looks alone it is the same', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k'));
    const later = { at: BEGIN + 5_000, version: 2, changedAt: undefined };
    const renewed = seen('k', { ...later, endsAt: BEGIN + 64_000 });
    expect(namesOf(tell(5_000, renewed))).toEqual(['extended k']);
    // The end less what the lease lasts.
    expect(row('k')?.renewedAt).toBe(BEGIN + 4_000);
    const failed = { state: 'failed', version: 3, finishedAt: BEGIN + 9_000 } as const;
    expect(namesOf(tell(9_000, seen('k', { ...later, ...failed })))).toEqual(['failed k']);
  });

  test('whole seconds of an answer are no renewal', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k', { version: undefined, changedAt: undefined }));
    const next = { at: BEGIN + 900, version: undefined, changedAt: undefined };
    expect(tell(900, seen('k', { ...next, endsAt: BEGIN + 60_900 }))).toEqual([]);
    expect(namesOf(tell(900, seen('k', { ...next, endsAt: BEGIN + 62_000 })))).toEqual([
      'extended k',
    ]);
    expect(row('k')?.endsAt).toBe(BEGIN + 62_000);
  });

  test('an older answer that comes late changes nothing', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k'));
    tell(1_000, happened('k', 'extended', { ttl: 60_000, version: 7 }));
    expect(tell(1_100, seen('k', { version: 6, at: BEGIN + 900 }))).toEqual([]);
    expect(row('k')).toMatchObject({ version: 7, endsAt: BEGIN + 61_000 });
  });

  test('but what no event tells', () => {
    const { tell, row } = createWatched();
    const renewed = { ttl: 60_000, version: 7, caller: 'token-of-ci' };
    expect(namesOf(tell(1_000, happened('k', 'extended', renewed)))).toEqual(['extended k']);
    const origin = { user: 'eve', host: 'build-7' };
    tell(1_100, seen('k', { version: 6, at: BEGIN + 900, holder: undefined, origin }));
    expect(row('k')).toMatchObject({
      version: 7,
      acquiredAt: BEGIN,
      origin,
      renewedAt: BEGIN + 1_000,
    });
  });

  test('what the service forgot, and counts anew, is news', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k', { version: 9 }));
    const anew = happened('k', 'acquired', { version: 1, at: BEGIN + 5_000, ttl: 1_000 });
    expect(namesOf(tell(5_000, anew))).toEqual(['acquired k']);
    expect(row('k')).toMatchObject({ version: 1, endsAt: BEGIN + 6_000 });
  });

  test('another holder has another rhythm', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k'));
    tell(1_000, happened('k', 'extended', { ttl: 60_000 }));
    expect(row('k')?.rhythm).toBe(1_000);
    const taken = { version: 3, fencingToken: 2, at: BEGIN + 70_000, ttl: 60_000, holder: 'b' };
    expect(namesOf(tell(70_000, happened('k', 'acquired', taken)))).toEqual(['acquired k']);
    expect(row('k')).toMatchObject({ rhythm: undefined, renewedAt: undefined, holder: 'b' });
  });

  test('by looks that tell no more than a handle, the next holder is another one', () => {
    const { tell, row } = createWatched();
    const untold = { fencingToken: undefined, acquiredAt: undefined, changedAt: undefined };
    tell(0, seen('k', { ...untold, origin: { host: 'build-7' } }));
    const later = { version: 4, at: BEGIN + 5_000, endsAt: BEGIN + 90_000, holder: undefined };
    const next = seen('k', { ...untold, ...later });
    const anothers = next.type === 'seen' ? { ...next, isAnothers: true } : next;
    expect(namesOf(tell(5_000, anothers))).toEqual(['acquired k']);
    expect(row('k')).toMatchObject({ origin: undefined, holder: undefined, version: 4 });
  });

  test('a refusal tells who asked, and changes nothing', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k'));
    const refused = happened('k', 'refused', { caller: 'other', reason: 'held', version: 1 });
    const [change] = tell(1_000, refused);
    expect(change).toMatchObject({ type: 'refused', by: 'other', reason: 'held' });
    expect(row('k')).toMatchObject({ state: 'held', version: 1 });
    expect(tell(1_000, happened('unknown', 'refused'))).toEqual([]);
    expect(row('unknown')).toBeUndefined();
  });
});

describe('what time tells', () => {
  test('a lease is about to end, and ends, by the clock of its service', () => {
    const { tell, confirmed, row } = createWatched();
    tell(0, seen('k'));
    expect(confirmed(47_999)).toEqual([]);
    expect(namesOf(confirmed(48_000))).toEqual(['ending k']);
    expect(confirmed(59_999)).toEqual([]);
    expect(namesOf(confirmed(60_000))).toEqual(['expired k']);
    expect(row('k')).toMatchObject({ state: 'expired', told: 'ended' });
    // The service notes that later.
    const noted = happened('k', 'expired', { version: 1, at: BEGIN + 60_000 });
    expect(tell(70_000, noted)).toEqual([]);
  });

  test('who renewed regularly is late, and is well again when he does', () => {
    const { tell, confirmed, row } = createWatched();
    const hour = { ttl: 3_600_000, endsAt: BEGIN + 3_600_000 };
    tell(0, seen('k', hour));
    const renew = (version: number, after: number) =>
      tell(after, happened('k', 'extended', { ...hour, version, at: BEGIN + after }));
    renew(2, 10_000);
    // Once is no habit.
    expect(confirmed(60_000)).toEqual([]);
    tell(60_000, happened('k', 'acquired', { ...hour, version: 3, at: BEGIN + 60_000 }));
    renew(4, 70_000);
    renew(5, 80_000);
    expect(confirmed(96_000)).toEqual([]);
    expect(namesOf(confirmed(96_001))).toEqual(['late k']);
    renew(6, 96_100);
    expect(row('k')?.told).toBe('healthy');
  });

  test('who said that he would is late from the beginning', () => {
    const { tell, confirmed } = createWatched();
    const minute = { ttl: 60_000, endsAt: BEGIN + 60_000 };
    tell(0, seen('k', { ...minute, origin: { command: 'exec' } }), seen('by-hand', minute));
    expect(confirmed(31_000)).toEqual([]);
    expect(namesOf(confirmed(31_001))).toEqual(['late k']);
  });

  test('who never renewed is not late', () => {
    const { tell, confirmed } = createWatched();
    tell(0, seen('k', { ttl: 3_600_000, endsAt: BEGIN + 3_600_000 }));
    expect(confirmed(3_000_000)).toEqual([]);
  });

  test('alone is not believed: whoever is told late may hold leases that are renewed', () => {
    const { tell, tick, model, row } = createWatched();
    tell(0, seen('k'));
    expect(tick(59_000)).toEqual([]);
    expect(row('k')?.told).toBe('healthy');
    expect(model.takeDoubts().map(({ id }) => id)).toEqual(['k']);
    // It is not asked again all the time.
    tick(59_500);
    expect(model.takeDoubts()).toEqual([]);
    tick(60_000);
    expect(model.takeDoubts()).toHaveLength(1);
    const renewed = { version: 9, changedAt: BEGIN + 50_000, endsAt: BEGIN + 110_000 };
    expect(namesOf(tell(60_100, seen('k', { ...renewed, at: BEGIN + 60_100 })))).toEqual([
      'extended k',
    ]);
    expect(tick(60_100)).toEqual([]);
    expect(row('k')).toMatchObject({ told: 'healthy', state: 'held' });
    // And where nobody answers it stays unknown.
    tick(110_000);
    tick(120_001);
    expect(row('k')?.told).toBe('no_contact');
  });

  test('is set right by the next look, when a clock was set', () => {
    const { tell, tick, model, row } = createWatched();
    tell(0, seen('k', { ttl: 3_600_000, endsAt: BEGIN + 3_600_000 }));
    // This machine's clock goes an hour ahead; a second is over.
    expect(tick(3_601_000)).toEqual([]);
    expect(model.takeDoubts()).toHaveLength(1);
    const look = seen('k', { ttl: 3_600_000, endsAt: BEGIN + 3_600_000, at: BEGIN + 1_000 });
    expect(tell(3_601_000, look)).toEqual([]);
    expect(tick(3_601_500)).toEqual([]);
    expect(row('k')?.told).toBe('healthy');
    expect(model.takeDoubts()).toEqual([]);
  });

  test('what is over goes after a while, but not what was asked for', () => {
    const { tell, tick, confirmed, row } = createWatched((_p, _k, id) => id === 'asked');
    tell(0, seen('k'), seen('asked'), seen('lost'));
    const done = { at: BEGIN + 1_000 };
    tell(1_000, happened('k', 'completed', done), happened('asked', 'completed', done));
    tick(30_999);
    expect(row('k')).toBeDefined();
    tick(31_000);
    expect(row('k')).toBeUndefined();
    confirmed(60_000);
    tick(600_000 + 59_999);
    expect(row('lost')?.told).toBe('ended');
    tick(600_000 + 60_000);
    expect(row('lost')).toBeUndefined();
    expect(row('asked')?.told).toBe('finished');
  });

  test('of much that is over only the latest stays', () => {
    const { tell, tick, model, row } = createWatched();
    for (let number = 0; number < 600; number += 1) {
      const at = BEGIN + number;
      tell(number, seen(`k${number}`, { acquiredAt: at, changedAt: at }));
      const completed = happened(`k${number}`, 'completed', { at });
      tell(number, completed);
    }
    tick(1_000);
    expect(model.rows.size).toBe(500);
    expect(row('k99')).toBeUndefined();
    expect(row('k100')).toBeDefined();
  });
});

describe('a place', () => {
  test('that does not answer any more is told once, and nothing is concluded from that', () => {
    const { tell, tick, confirmed, row } = createWatched();
    tell(0, seen('k'));
    const lost = { type: 'contact', place: PLACE, problem: 'gone' } as const;
    expect(namesOf(tell(1_000, lost, lost))).toEqual(['contact_lost']);
    tick(2_000);
    expect(row('k')?.told).toBe('no_contact');
    expect(namesOf(tell(3_000, { ...lost, problem: undefined }))).toEqual(['contact_restored']);
    tick(3_000);
    expect(row('k')?.told).toBe('healthy');
    tell(4_000, lost);
    expect(tick(60_000)).toEqual([]);
    expect(row('k')).toMatchObject({ told: 'no_contact', state: 'held' });
    tell(61_000, { ...lost, problem: undefined });
    expect(namesOf(confirmed(61_000))).toEqual(['expired k']);
  });

  test('that lists all it has does not hold what is not among it', () => {
    const { tell, row } = createWatched();
    tell(0, seen('k'), seen('over', { endsAt: BEGIN + 8_000 }), seen('gone'), seen('newer'));
    const renewed = { ttl: 60_000, at: BEGIN + 10_000 };
    tell(10_000, happened('newer', 'extended', renewed));
    const at = BEGIN + 9_000;
    const [kept] = [seen('k', { at })].flatMap((update) =>
      update.type === 'seen' ? [update.sighting] : [],
    );
    const listed = { type: 'listed', place: PLACE, sightings: kept ? [kept] : [], at } as const;
    expect(namesOf(tell(10_000, listed))).toEqual(['expired over', 'unseen gone']);
    expect([row('k')?.state, row('gone')?.state, row('newer')?.state]).toEqual([
      'held',
      'untold',
      'held',
    ]);
  });

  test('with nothing to tell is believed what this machine noted', () => {
    const { tell, tick, row } = createWatched();
    // By this machine's clock.
    const HERE = BEGIN - BEHIND;
    const own = { acquiredAt: HERE, expiresAt: HERE + 60_000 };
    const look = seen('job', { state: 'untold', version: undefined, endsAt: undefined, at: HERE });
    const withNote = look.type === 'seen' ? { ...look, own } : look;
    expect(namesOf(tell(0, withNote))).toEqual(['seen job']);
    expect(row('job')).toMatchObject({ state: 'held', endsAt: HERE + 60_000 });
    const renewed = { ...own, renewedAt: HERE + 9_000, expiresAt: HERE + 69_000 };
    const later = seen('job', { state: 'untold', version: undefined, at: HERE + 9_500 });
    const next = later.type === 'seen' ? { ...later, own: renewed } : later;
    expect(namesOf(tell(9_500, next))).toEqual(['extended job']);
    const last = seen('job', { state: 'untold', version: undefined, at: HERE + 69_000 });
    tell(69_000, last.type === 'seen' ? { ...last, own: renewed } : last);
    expect(namesOf(tick(69_000))).toEqual(['expired job']);
  });
});

test('what is over when it is first seen is only of interest to who asked for it', () => {
  const { tell, row } = createWatched((_place, _kind, id) => id === 'asked');
  const over = { state: 'completed', finishedAt: BEGIN - 5_000 } as const;
  expect(namesOf(tell(0, seen('old', over), seen('asked', over)))).toEqual(['seen asked']);
  expect(row('old')).toBeUndefined();
});
