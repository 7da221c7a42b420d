import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Failure, FailureCode } from '../../src/domain/failure.ts';
import { finish } from '../../src/supervise/finish.ts';
import type { Ending } from '../../src/supervise/lease.ts';
import { later, left } from '../../src/supervise/moment.ts';
import { FakeClocks } from '../support/fake-clocks.ts';
import { type Answer, FakeLease, refuses } from '../support/fake-lease.ts';

const ENDING: Ending = { way: 'failed', code: 'exit:3', exit: 3 };

/** Finishes a lease for which there are so many milliseconds. */
function finishing(time: number, answers: readonly Answer[], random = 0.5) {
  const clocks = new FakeClocks();
  const start = clocks.now();
  const lease = new FakeLease(clocks, 60_000, answers);
  const deadline = later(start, time);
  const over = new AbortController();
  const failed: Failure[] = [];
  const options = {
    clocks,
    deadline,
    over: over.signal,
    random: () => random,
    onFailed: (failure: Failure) => failed.push(failure),
  };
  const finished = finish(lease, ENDING, options);
  const elapsed = () => clocks.now().steady - start.steady;
  /** Lets time pass until it is over, and tells the failure, if there is one, and after how long. */
  const ended = async () => {
    const failure = await clocks.until(
      finished.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    return { failure, after: elapsed() };
  };
  return { clocks, lease, ended, deadline, over, failed };
}

const RECORDED: Answer = { brings: { duration: 0 } };

/** What a call may be late with its own failure, in milliseconds. */
const LATENESS = 100;

describe('a lease is finished', () => {
  test('with one call when the service records it', async () => {
    const { lease, ended } = finishing(60_000, [RECORDED]);
    expect(await ended()).toEqual({ failure: undefined, after: 0 });
    expect(lease.calls).toMatchObject([{ ending: ENDING, limit: 5_000 }]);
  });

  test.each(['unavailable', 'bad_response', 'unauthorized', 'limit_exceeded'] as const)(
    'again and again, as long as the service has not decided: %s',
    async (code) => {
      const failures = refuses(code, code, code, code, code, code);
      const { lease, ended, failed } = finishing(60_000, [...failures, RECORDED]);
      expect(await ended()).toEqual({ failure: undefined, after: 7_000 });
      expect(lease.times).toEqual([0, 200, 600, 1_400, 3_000, 5_000, 7_000]);
      expect(failed).toEqual(lease.calls.slice(0, -1).map(({ failure }) => failure));
      expect(new Set(lease.calls.map(({ ending }) => ending))).toEqual(new Set([ENDING]));
    },
  );

  test.each([
    [0, [0, 100, 300]],
    [0.9, [0, 280, 840]],
  ])('not by all at once: %d', async (random, times) => {
    const { lease, ended } = finishing(
      60_000,
      [...refuses('unavailable', 'unavailable'), RECORDED],
      random,
    );
    await ended();
    expect(lease.times).toEqual(times);
  });

  test.each<FailureCode>(['lease_lost', 'not_found', 'conflict', 'invalid_request', 'usage'])(
    'never again once the service has refused it: %s',
    async (code) => {
      const { lease, ended, failed } = finishing(60_000, refuses('unavailable', code));
      const { failure } = await ended();
      expect(failure).toBe(lease.calls[1]?.failure);
      expect(failed).toEqual([lease.calls[0]?.failure]);
      expect(lease.calls).toHaveLength(2);
    },
  );
});

describe('when the time is over', () => {
  test('it is told what failed last', async () => {
    const { lease, ended } = finishing(
      1_000,
      refuses('unavailable', 'unavailable', 'bad_response'),
    );
    const { failure, after } = await ended();
    expect(after).toBe(1_000);
    expect(lease.times).toEqual([0, 200, 600]);
    expect(failure).toBe(lease.calls[2]?.failure);
  });

  test.each([0, -1_000])('nothing is called any more: %d', async (time) => {
    const { lease, ended } = finishing(time, [RECORDED]);
    expect(await ended()).toMatchObject({ failure: { code: 'unavailable' }, after: 0 });
    expect(lease.calls).toEqual([]);
  });

  test('a call that hangs holds up nobody', async () => {
    const { lease, ended } = finishing(3_000, []);
    const { failure, after } = await ended();
    expect(failure).toMatchObject({ code: 'unavailable', outcomeUnknown: true });
    expect(after).toBeLessThanOrEqual(3_000 + LATENESS);
    expect(lease.calls).toMatchObject([{ limit: 3_000 }]);
  });

  test('each call had more than the one before', async () => {
    const { lease, ended } = finishing(60_000, []);
    await ended();
    expect(lease.calls.map(({ limit }) => limit)).toEqual([5_000, 10_000, 20_000, 23_300]);
  });

  test('the machine may have slept', async () => {
    const { clocks, lease, ended } = finishing(60_000, refuses('unavailable'));
    await clocks.advance(100);
    clocks.suspend(60_000);
    expect(await ended()).toMatchObject({ failure: lease.calls[0]?.failure, after: 200 });
    expect(lease.calls).toHaveLength(1);
  });
});

describe('when it is given up', () => {
  test('nothing is called any more', async () => {
    const { clocks, lease, over, ended } = finishing(60_000, refuses('bad_response'));
    await clocks.advance(100);
    over.abort();
    expect(await ended()).toEqual({ failure: lease.calls[0]?.failure, after: 100 });
    expect(lease.calls).toHaveLength(1);
    expect(clocks.sleepers).toBe(0);
  });

  test('a call that is under way is not waited for', async () => {
    const { clocks, lease, over, ended } = finishing(60_000, []);
    await clocks.advance(1_100);
    over.abort();
    const failure = { code: 'unavailable', outcomeUnknown: true };
    expect(await ended()).toMatchObject({ failure, after: 1_100 });
    expect(lease.calls).toHaveLength(1);
    expect(clocks.sleepers).toBe(0);
  });
});

test('another call takes the place of one that hangs', async () => {
  const { lease, ended } = finishing(60_000, ['hangs', RECORDED]);
  expect(await ended()).toEqual({ failure: undefined, after: 5_000 + LATENESS + 200 });
  expect(lease.calls).toHaveLength(2);
});

test("an answer counts that comes in the call's last moment", async () => {
  const { ended } = finishing(60_000, [{ after: 5_000, brings: 'lease_lost' }]);
  expect(await ended()).toMatchObject({ failure: { code: 'lease_lost' }, after: 5_000 });
});

test('a bug gets out', async () => {
  const bug = new TypeError('this is no failure');
  const { ended } = finishing(60_000, [{ after: 100, brings: bug }]);
  expect((await ended()).failure).toBe(bug);
});

test('no call is made after the deadline, and none holds it up, whatever happens', async () => {
  const answer: fc.Arbitrary<Answer> = fc.oneof(
    fc.constant('hangs' as const),
    fc.record({
      after: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 })),
      brings: fc.constantFrom<FailureCode>('unavailable', 'bad_response'),
    }),
  );
  const jump = fc.record({
    after: fc.integer({ min: 0, max: 10_000 }),
    by: fc.integer({ min: -100_000, max: 100_000 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 30_000 }),
      fc.array(answer, { maxLength: 20 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.option(jump, { nil: undefined }),
      async (time, answers, random, jump) => {
        const { clocks, lease, ended, deadline } = finishing(time, answers, random);
        if (jump) {
          clocks
            .sleep(jump.after, new AbortController().signal)
            .then(() => clocks.setWall(jump.by));
        }
        const { failure, after } = await ended();
        expect(failure).toMatchObject({ code: expect.stringMatching(/unavailable|bad_response/) });
        expect(after).toBeLessThanOrEqual(time + LATENESS + 1);
        expect(left(deadline, clocks.now())).toBeLessThanOrEqual(0);
        for (const { at, limit } of lease.calls) {
          expect(left(deadline, at)).toBeGreaterThan(0);
          expect(limit).toBeLessThanOrEqual(Math.ceil(left(deadline, at)));
        }
      },
    ),
  );
});
