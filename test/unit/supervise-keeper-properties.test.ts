import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import { type KeepEnd, keep } from '../../src/supervise/keeper.ts';
import type { Grant, Timetable } from '../../src/supervise/lease.ts';
import { isPast, left, type Moment } from '../../src/supervise/moment.ts';
import { FakeClocks, PastWatch } from '../support/fake-clocks.ts';
import { type Answer, FakeLease } from '../support/fake-lease.ts';

/** What happens to one lease. */
interface Story {
  readonly duration: number;
  readonly grace: number;
  readonly jitter: number;
  readonly answers: readonly Answer[];
  readonly otherwise: Answer;
  /** What the wall clock does, and how long after the jump before. */
  readonly jumps: readonly { readonly after: number; readonly by: number }[];
}

const duration = fc.oneof(
  fc.integer({ min: 1_000, max: 10_000 }),
  fc.integer({ min: 1_000, max: 120_000 }),
);
const refusal = fc.constantFrom(
  ...(['unavailable', 'unavailable', 'bad_response', 'unauthorized', 'internal'] as const),
  ...(['lease_lost', 'not_found', 'conflict'] as const),
);
const brings = fc.oneof(
  { weight: 6, arbitrary: fc.record({ duration }) },
  { weight: 1, arbitrary: fc.record({ duration, isCanceled: fc.boolean() }) },
  { weight: 4, arbitrary: refusal },
);
/** At once, soon, or so late that others were there before. */
const after = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 2_000 }),
  fc.integer({ min: 0, max: 90_000 }),
);
const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ after, brings }) },
  { weight: 1, arbitrary: fc.constant('hangs' as const) },
);
const jump = fc.record({
  after: fc.integer({ min: 0, max: 60_000 }),
  by: fc.oneof(
    fc.integer({ min: -500, max: 500 }),
    fc.integer({ min: -30_000, max: 30_000 }),
    fc.integer({ min: -4_000_000, max: 4_000_000 }),
  ),
});
const story: fc.Arbitrary<Story> = fc.record({
  duration,
  grace: fc.integer({ min: 0, max: 30_000 }),
  jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  answers: fc.array(answer, { maxLength: 10 }),
  otherwise: fc.constantFrom<Answer>('hangs', { brings: 'unavailable' }),
  jumps: fc.oneof(fc.constant([]), fc.array(jump, { maxLength: 4 })),
});

/** One thing that the keeper told, or asked for. */
interface Told {
  readonly what: 'timetable' | 'renewed' | 'failed' | 'called' | 'ended';
  readonly at: Moment;
  /** For how long the stop in force was past then, in milliseconds; undefined when it was not. */
  readonly lateness: number | undefined;
}

interface Play {
  readonly end: KeepEnd;
  readonly told: readonly Told[];
  readonly timetables: readonly Timetable[];
  readonly failures: readonly Failure[];
  readonly lease: FakeLease;
  /** The stop in force at each call. */
  readonly stops: readonly Moment[];
}

/** Plays a story to its end: there is none in which the lease is kept for ever. */
async function play(story: Story): Promise<Play> {
  const clocks = new FakeClocks();
  const lease = new FakeLease(clocks, story.duration, story.answers, story.otherwise);
  const told: Told[] = [];
  const timetables: Timetable[] = [];
  const failures: Failure[] = [];
  const stops: Moment[] = [];
  let watch: PastWatch | undefined;
  const tell = (what: Told['what']) =>
    told.push({ what, at: clocks.now(), lateness: watch?.lateness });
  const keeping = keep({
    lease: {
      granted: lease.granted,
      renew: (limit: number): Promise<Grant> => {
        tell('called');
        stops.push(timetables.at(-1)?.stopAt ?? clocks.now());
        return lease.renew(limit);
      },
      end: () => Promise.reject(new Error('the keeper ends nothing')),
    },
    clocks,
    grace: story.grace,
    random: () => story.jitter,
    signal: new AbortController().signal,
    hurry: new AbortController().signal,
    onTimetable: (timetable) => {
      tell('timetable');
      timetables.push(timetable);
      watch ??= new PastWatch(clocks, timetable.stopAt);
      watch.moment = timetable.stopAt;
    },
    onRenewed: () => tell('renewed'),
    onFailed: (failure) => {
      tell('failed');
      failures.push(failure);
    },
  });
  const jumping = (async () => {
    for (const { after, by } of story.jumps) {
      await clocks.sleep(after, new AbortController().signal);
      clocks.setWall(by);
    }
  })();
  const end = await clocks.until(keeping.finally(() => tell('ended')));
  await clocks.until(jumping);
  return { end, told, timetables, failures, lease, stops };
}

const check = (holds: (play: Play, story: Story) => void, stories = story) =>
  fc.assert(
    fc.asyncProperty(stories, async (story) => {
      holds(await play(story), story);
    }),
    { numRuns: 150 },
  );

/** A jump of the wall clock is noticed so many milliseconds later at most. */
const TICK = 250;
const FINAL: readonly string[] = ['lease_lost', 'not_found', 'conflict'];

test('nothing goes on for more than a tick after the stop is past by either clock', () =>
  check(({ told }) => {
    for (const { lateness = 0 } of told) expect(lateness).toBeLessThanOrEqual(TICK + 1);
  }));

test('a lease is lost because its time is over, or because the service said so, not otherwise', () =>
  check(({ end, told, lease, failures }) => {
    const last = lease.calls.at(-1);
    if (end.why === 'canceled') {
      expect(told.at(-2)?.what).toBe('renewed');
      return;
    }
    if (end.why !== 'lost') throw new Error('nobody released it');
    if (end.failure === last?.failure) {
      expect(FINAL).toContain(end.failure.code);
      return;
    }
    expect(end.failure.code).toBe('lease_lost');
    expect(end.failure.cause).toBe(failures.at(-1));
    expect(told.at(-1)?.lateness).toBeGreaterThanOrEqual(0);
  }));

test('what the service says for good is believed at once', () =>
  check(({ end, told, lease }) => {
    const last = lease.calls.at(-1);
    const isRefused = end.why === 'lost' && end.failure === last?.failure;
    if (isRefused || end.why === 'canceled') {
      expect(told.at(-1)?.at.steady).toBe(last?.answeredAt?.steady);
    }
    for (const { failure } of lease.calls.slice(0, -1)) {
      if (failure) expect(FINAL).not.toContain(failure.code);
    }
  }));

test('a call is made while there is time, and has no more than that', () =>
  check(({ lease, stops }) => {
    for (const [index, { at, limit }] of lease.calls.entries()) {
      const rest = left(stops[index] ?? at, at);
      expect(rest).toBeGreaterThan(0);
      expect(limit).toBeGreaterThanOrEqual(Math.min(rest, 1_000));
      expect(limit).toBeLessThanOrEqual(Math.ceil(rest));
    }
  }));

test('a renewal that failed is soon tried again', () =>
  check(({ told }, { duration, answers }) => {
    const durations = answers.flatMap((it) =>
      it !== 'hangs' && typeof it.brings === 'object' && 'duration' in it.brings
        ? it.brings.duration
        : [],
    );
    const most = Math.max(200, Math.min(5_000, Math.max(duration, ...durations) / 10));
    for (const [index, { what, at }] of told.entries()) {
      const next = told[index + 1];
      if (what !== 'failed' || !next) continue;
      expect(['called', 'ended']).toContain(next.what);
      expect(next.at.steady - at.steady).toBeLessThanOrEqual(1.5 * most + TICK);
    }
  }));

test('each timetable leaves the grace, and ends before the lease', () =>
  check(({ timetables, lease }, { grace, duration }) => {
    for (const { stopAt, deadline, grace: most } of timetables) {
      expect(left(deadline, stopAt)).toBeCloseTo(most, 3);
      expect(most).toBeLessThanOrEqual(grace);
    }
    expect(timetables[0]?.grace).toBe(Math.min(grace, duration / 3));
    const [first] = timetables;
    const end = { wall: lease.granted.sentAt.wall + duration, steady: 0 };
    expect(first && first.deadline.wall < end.wall).toBe(true);
  }));

test('a lease is kept whose renewals are granted in time, some after failures', () => {
  const granted = fc.record({
    after: fc.integer({ min: 0, max: 100 }),
    brings: fc.record({ duration: fc.integer({ min: 4_000, max: 120_000 }) }),
  });
  const failing: fc.Arbitrary<Answer[]> = fc.array(
    fc.record({ brings: fc.constant('unavailable' as const) }),
    { maxLength: 2 },
  );
  const answers = fc
    .array(fc.tuple(failing, granted), { maxLength: 8 })
    .map((all) => all.flatMap(([failed, granted]) => [...failed, granted]));
  const stories = fc.record({
    duration: fc.integer({ min: 4_000, max: 120_000 }),
    grace: fc.integer({ min: 0, max: 30_000 }),
    jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    answers,
    otherwise: fc.constant<Answer>('hangs'),
    // Back, which must not make anything late.
    jumps: fc.array(
      jump.map(({ after, by }) => ({ after, by: -Math.abs(by) })),
      { maxLength: 3 },
    ),
  });
  return check(({ lease, told, timetables }, { answers }) => {
    const grants = told.filter(({ what }) => what === 'renewed');
    expect(grants).toHaveLength(
      answers.filter((it) => it !== 'hangs' && typeof it.brings === 'object').length,
    );
    expect(lease.calls).toHaveLength(answers.length + 1);
    const [last, end] = [timetables.at(-1), told.at(-1)];
    expect(last && end && isPast(last.stopAt, end.at)).toBe(true);
  }, stories);
});
