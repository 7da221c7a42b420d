import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/domain/failure.ts';
import { type KeepEnd, type KeepOptions, keep } from '../../src/supervise/keeper.ts';
import type { Timetable } from '../../src/supervise/lease.ts';
import { FakeClocks, SlowClocks } from '../support/fake-clocks.ts';
import { type Answer, FakeLease, grants, refuses } from '../support/fake-lease.ts';

interface Setup {
  readonly clocks?: FakeClocks;
  readonly duration?: number;
  readonly answers?: readonly Answer[];
  /** For calls after the last answer. */
  readonly otherwise?: Answer;
  readonly grace?: number;
  readonly random?: () => number;
}

/** Keeps a lease of a minute, unless it says otherwise, with a stop 47 s after it was asked for. */
function keeping(setup: Setup = {}) {
  const { clocks = new FakeClocks(), duration = 60_000, grace = 10_000 } = setup;
  const { answers, otherwise, random } = setup;
  const start = clocks.now();
  const lease = new FakeLease(clocks, duration, answers, otherwise);
  const needless = new AbortController();
  const hurry = new AbortController();
  const timetables: Timetable[] = [];
  const failed: Failure[] = [];
  const renewed: number[] = [];
  const options: KeepOptions = {
    lease,
    clocks,
    grace,
    random: random ?? (() => 0),
    signal: needless.signal,
    hurry: hurry.signal,
    onTimetable: (timetable) => timetables.push(timetable),
    onRenewed: (grant) => renewed.push(grant.duration),
    onFailed: (failure) => failed.push(failure),
  };
  const end = keep(options);
  const elapsed = () => clocks.now().steady - start.steady;
  /** Lets time pass until it ends, and tells how and after how long. */
  const ended = async (): Promise<[KeepEnd['why'], number]> => {
    const { why } = await clocks.until(end);
    return [why, Math.round(elapsed())];
  };
  return { clocks, lease, needless, hurry, timetables, failed, renewed, end, elapsed, ended };
}

function failureIn(end: KeepEnd): Failure {
  if (end.why !== 'lost') throw new Error(`it is ${end.why}`);
  return end.failure;
}

const MINUTE = 60_000;

describe('a lease that is kept', () => {
  test('tells its timetable at once', () => {
    const { timetables, lease, clocks } = keeping();
    expect(timetables).toHaveLength(1);
    expect(timetables[0]?.stopAt.steady).toBe(clocks.now().steady + 47_000);
    expect(lease.calls).toEqual([]);
  });

  test('is renewed after a third of the time, again and again', async () => {
    const kept = keeping({ answers: grants(MINUTE, MINUTE, 30_000, MINUTE) });
    await kept.clocks.advance(19_999);
    expect(kept.lease.times).toEqual([]);
    await kept.clocks.advance(60_001);
    expect(kept.lease.times).toEqual([20_000, 40_000, 60_000, 70_000]);
    expect(kept.renewed).toEqual([MINUTE, MINUTE, 30_000, MINUTE]);
    expect(kept.timetables.map(({ stopAt }) => stopAt.steady - 5_000_000)).toEqual([
      47_000,
      67_000,
      87_000,
      60_000 + 18_500,
      70_000 + 47_000,
    ]);
  });

  test('is renewed up to a tenth earlier than that', async () => {
    const jitters = [0.5, 0.999, 0];
    const random = () => jitters.shift() ?? 0;
    const kept = keeping({ answers: grants(MINUTE, MINUTE), random });
    await kept.clocks.advance(60_000);
    expect(kept.lease.times).toEqual([19_000, 19_000 + 18_002, 37_002 + 20_000]);
  });

  test('has its time counted from when a renewal was sent', async () => {
    const kept = keeping({ answers: [{ after: 5_000, brings: { duration: MINUTE } }] });
    await kept.clocks.advance(40_000);
    expect(kept.lease.times).toEqual([20_000, 40_000]);
  });

  test('is tried again soon when a renewal fails, and less often when it fails again', async () => {
    const kept = keeping({ otherwise: { brings: 'unavailable' }, random: () => 0.5 });
    await kept.clocks.advance(46_000);
    const delays = kept.lease.times.map((time, index, times) => time - (times[index - 1] ?? 0));
    expect(delays.slice(0, 9)).toEqual([19_000, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect(kept.failed).toHaveLength(kept.lease.calls.length);
    expect(kept.failed[0]).toBe(kept.lease.calls[0]?.failure);
  });

  test('is not tried again by all at once', async () => {
    const soon = keeping({ otherwise: { brings: 'unavailable' } });
    await soon.clocks.advance(21_000);
    expect(soon.lease.times).toEqual([20_000, 20_100, 20_300, 20_700]);
    const late = keeping({ otherwise: { brings: 'unavailable' }, random: () => 0.999 });
    await late.clocks.advance(19_600);
    expect(late.lease.times).toEqual([18_002, 18_302, 18_901]);
  });

  test('is tried often enough when its time is short', async () => {
    const kept = keeping({ duration: 1_000, otherwise: { brings: 'unavailable' }, grace: 0 });
    expect(await kept.ended()).toEqual(['lost', 875]);
    // A tenth of the time, less the half that chance takes here.
    expect(kept.lease.times.slice(0, 4)).toEqual([333, 433, 483, 533]);
  });

  test('is tried again soon after it went well in between', async () => {
    const answers = [...refuses('unavailable', 'bad_response', 'unavailable'), ...grants(MINUTE)];
    const kept = keeping({ answers, otherwise: { brings: 'unavailable' } });
    await kept.clocks.advance(40_900);
    expect(kept.lease.times).toEqual([20_000, 20_100, 20_300, 20_700, 40_700, 40_800]);
  });

  test('leaves some time for another call when one hangs', async () => {
    const kept = keeping({ duration: 30_000 });
    await kept.clocks.advance(10_000);
    // Two thirds of what is left until the stop.
    expect(kept.lease.calls[0]?.limit).toBe(5_667);
    const long = keeping({ duration: 3_600_000 });
    await long.clocks.advance(1_200_000);
    expect(long.lease.calls[0]?.limit).toBe(15_000);
    const short = keeping({ duration: 3_000 });
    await short.clocks.advance(1_000);
    expect(short.lease.calls[0]?.limit).toBe(750);
    const middle = keeping({ duration: 3_000, grace: 0 });
    await middle.clocks.advance(2_000);
    expect(middle.lease.calls[0]?.limit).toBe(1_167);
  });
});

describe('a lease is lost', () => {
  test.each(['lease_lost', 'not_found', 'conflict'] as const)(
    'at once when the service says so: %s',
    async (code) => {
      const kept = keeping({ answers: [{ after: 300, brings: code }] });
      expect(await kept.ended()).toEqual(['lost', 20_300]);
      expect(failureIn(await kept.end)).toBe(kept.lease.calls[0]?.failure);
      expect(kept.failed).toEqual([]);
    },
  );

  test.each([
    'unavailable',
    'bad_response',
    'unauthorized',
    'limit_exceeded',
    'invalid_request',
    'held',
    'internal',
  ] as const)('only when its time is over after other failures: %s', async (code) => {
    const kept = keeping({ otherwise: { brings: code } });
    expect(await kept.ended()).toEqual(['lost', 47_000]);
    const failure = failureIn(await kept.end);
    expect(failure.code).toBe('lease_lost');
    expect(failure.message).toBe(
      `The lease could not be renewed in time. It answered with ${code}.`,
    );
    expect(failure.cause).toBe(kept.failed.at(-1));
    // To the last.
    expect(kept.lease.times.at(-1)).toBeGreaterThan(44_000);
  });

  test('when its time is over while a call hangs', async () => {
    const kept = keeping();
    expect(await kept.ended()).toEqual(['lost', 47_000]);
    expect(failureIn(await kept.end).message).toBe('The lease could not be renewed in time.');
    expect(kept.lease.calls).toHaveLength(1);
  });

  test('when an answer comes too late, whatever it is', async () => {
    const answer = { after: 27_001, brings: { duration: MINUTE } };
    const kept = keeping({ answers: [answer] });
    expect(await kept.ended()).toEqual(['lost', 47_000]);
    await kept.clocks.advance(10_000);
    expect(kept.timetables).toHaveLength(1);
    expect(kept.renewed).toEqual([]);
  });

  test('not when an answer comes at the last moment', async () => {
    const kept = keeping({ answers: [{ after: 26_999, brings: { duration: MINUTE } }] });
    expect(await kept.ended()).toEqual(['lost', 20_000 + 47_000]);
  });

  test.each(['suspend', 'setWall'] as const)(
    'when the wall clock jumps beyond: %s',
    async (jump) => {
      const kept = keeping({ otherwise: { brings: { duration: MINUTE } } });
      await kept.clocks.advance(30_100);
      kept.clocks[jump](MINUTE);
      const [why, at] = await kept.ended();
      expect([why, kept.lease.times]).toEqual(['lost', [20_000]]);
      expect(at).toBeLessThanOrEqual(30_100 + 250);
    },
  );

  test('when the wall clock jumps beyond while a call is under way', async () => {
    const kept = keeping();
    await kept.clocks.advance(20_100);
    kept.clocks.suspend(27_000);
    expect(await kept.ended()).toEqual(['lost', 20_250]);
  });

  test('no later because the wall clock is set back', async () => {
    const kept = keeping({ otherwise: { brings: 'unavailable' } });
    await kept.clocks.advance(10_000);
    kept.clocks.setWall(-3_600_000);
    expect(await kept.ended()).toEqual(['lost', 47_000]);
  });

  test('when what it brings is over already', async () => {
    const kept = keeping({ answers: [{ after: 20_000, brings: { duration: 15_000 } }] });
    expect(await kept.ended()).toEqual(['lost', 40_000]);
  });
});

test('a lease that the service wants back is renewed, and not kept', async () => {
  const kept = keeping({ answers: [{ brings: { duration: MINUTE, isCanceled: true } }] });
  expect(await kept.ended()).toEqual(['canceled', 20_000]);
  expect(kept.timetables).toHaveLength(2);
  expect(kept.renewed).toEqual([MINUTE]);
});

describe('a lease that is needed no longer', () => {
  test('is let go at once', async () => {
    const kept = keeping();
    await kept.clocks.advance(5_000);
    kept.needless.abort();
    expect(await kept.ended()).toEqual(['released', 5_000]);
    expect(kept.lease.calls).toEqual([]);
    expect(kept.clocks.sleepers).toBe(0);
  });

  test('waits for the answer that is under way', async () => {
    const kept = keeping({ answers: [{ after: 800, brings: { duration: MINUTE } }] });
    await kept.clocks.advance(20_100);
    kept.needless.abort();
    expect(await kept.ended()).toEqual(['released', 20_800]);
    expect(kept.renewed).toEqual([]);
    expect(kept.clocks.sleepers).toBe(0);
  });

  test('does not wait for it when there is no time', async () => {
    const kept = keeping();
    await kept.clocks.advance(20_100);
    kept.needless.abort();
    await kept.clocks.advance(1_000);
    kept.hurry.abort();
    expect(await kept.ended()).toEqual(['released', 21_100]);
  });

  test('does not wait for longer than the call may take', async () => {
    const kept = keeping({ duration: 3_000 });
    await kept.clocks.advance(1_100);
    kept.needless.abort();
    expect(await kept.ended()).toEqual(['released', 1_100 + 750]);
  });
});

test('a call has some time, also one that is late', async () => {
  const limits: number[] = [];
  for (let grace = 900; grace < 1_000; grace += 1) {
    const { clocks, lease, end } = keeping({
      clocks: new SlowClocks(),
      duration: 3_000,
      otherwise: { brings: 'unavailable' },
      grace,
    });
    await clocks.until(end);
    limits.push(...lease.calls.map(({ limit }) => limit));
  }
  expect(Math.min(...limits)).toBe(1);
});

const bug = new TypeError('this is no failure');

test('a bug gets out of a renewal that is needed no longer', async () => {
  const kept = keeping({ answers: [{ after: 100, brings: bug }] });
  await kept.clocks.advance(20_050);
  kept.needless.abort();
  await expect(kept.clocks.until(kept.end)).rejects.toBe(bug);
});

test('a bug gets out', async () => {
  const kept = keeping({ answers: [{ after: 100, brings: bug }] });
  await expect(kept.clocks.until(kept.end)).rejects.toBe(bug);
  expect(kept.elapsed()).toBe(20_100);
});
