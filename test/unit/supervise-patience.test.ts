import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { type Look, type WaitOptions, waitFor } from '../../src/supervise/patience.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';

const held = new Failure('held', 'Somebody else holds it.', { service: 'onceonly' });

/** Waits for something that is found at some look, counted from 1; never without a number. */
function waiting(
  options: Partial<WaitOptions<string>> = {},
  {
    foundAt = Number.POSITIVE_INFINITY,
    retryAfter,
  }: { foundAt?: number; retryAfter?: number } = {},
) {
  const clocks = new FakeClocks();
  const start = clocks.now();
  const elapsed = () => clocks.now().steady - start.steady;
  const needless = new AbortController();
  const looks: number[] = [];
  const rests: number[] = [];
  const pauses: number[] = [];
  const found = waitFor<string>({
    look: async (rest): Promise<Look<string>> => {
      looks.push(elapsed());
      rests.push(rest);
      return looks.length >= foundAt ? { found: 'it' } : { failure: held, retryAfter };
    },
    clocks,
    patience: undefined,
    interval: undefined,
    random: () => 0,
    signal: needless.signal,
    onWait: (failure, pause) => {
      expect(failure).toBe(held);
      pauses.push(pause);
    },
    ...options,
  });
  const failure = () =>
    clocks.until(
      found.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
  return { clocks, needless, looks, rests, pauses, found, elapsed, failure };
}

describe('what is waited for', () => {
  test('is there at once', async () => {
    const { looks, found, pauses } = waiting({}, { foundAt: 1 });
    expect([await found, looks, pauses]).toEqual(['it', [0], []]);
  });

  test('is looked for less and less often, without end', async () => {
    const { clocks, looks, rests, pauses, found } = waiting({}, { foundAt: 10 });
    expect(await clocks.until(found)).toBe('it');
    expect(pauses.slice(0, 4)).toEqual([500, 750, 1_125, 1_687.5]);
    expect(pauses.slice(6)).toEqual([5_000, 5_000, 5_000]);
    expect(looks).toHaveLength(10);
    expect(new Set(rests)).toEqual(new Set([Number.POSITIVE_INFINITY]));
    expect(looks[2]).toBe(500 + 750);
  });

  test('is not looked for by all at once, and never sooner', async () => {
    const { clocks, pauses, found } = waiting({ random: () => 0.8 }, { foundAt: 3 });
    await clocks.until(found);
    expect(pauses).toEqual([600, 900]);
  });

  test('is looked for when the service says', async () => {
    const { clocks, looks, found } = waiting(
      { random: () => 0.4 },
      { foundAt: 4, retryAfter: 7_000 },
    );
    await clocks.until(found);
    expect(looks.map(Math.round)).toEqual([0, 7_700, 15_400, 23_100]);
  });

  test('is looked for when the service says, though that be sooner than usual', async () => {
    const { clocks, looks, found } = waiting({}, { foundAt: 3, retryAfter: 100 });
    await clocks.until(found);
    expect(looks).toEqual([0, 100, 200]);
  });

  test.each<[string, Partial<WaitOptions<string>>, number | undefined]>([
    ['the service', {}, 0],
    ['who waits', { interval: 1 }, undefined],
  ])('is not looked for without a pause, whatever %s says', async (_, options, retryAfter) => {
    const { clocks, looks, found } = waiting(options, {
      foundAt: 4,
      ...(retryAfter === 0 && { retryAfter }),
    });
    await clocks.until(found);
    expect(looks).toEqual([0, 100, 200, 300]);
  });

  test('is looked for at intervals that were asked for', async () => {
    const { clocks, looks, found } = waiting({ interval: 3_000 }, { foundAt: 4 });
    await clocks.until(found);
    expect(looks).toEqual([0, 3_000, 6_000, 9_000]);
  });

  test.each([
    [1_000, 3_000],
    [8_000, 8_000],
  ])(
    'is looked for no sooner than the service says, or the interval: %d',
    async (retryAfter, pause) => {
      const { clocks, looks, found } = waiting({ interval: 3_000 }, { foundAt: 2, retryAfter });
      await clocks.until(found);
      expect(looks).toEqual([0, pause]);
    },
  );

  test('is not found by a look that fails', async () => {
    const bug = new TypeError('this is no failure');
    const { failure } = waiting({ look: () => Promise.reject(bug) });
    expect(await failure()).toBe(bug);
  });
});

describe('when the time is over', () => {
  test('it is looked for a last time', async () => {
    const { looks, rests, pauses, failure } = waiting({ patience: 2_000 });
    expect(await failure()).toMatchObject({
      code: 'wait_timeout',
      message: 'Somebody else holds it. It was waited for 2s.',
      service: 'onceonly',
      cause: held,
    });
    expect(looks).toEqual([0, 500, 1_250, 2_000]);
    expect(pauses).toEqual([500, 750, 750]);
    expect(rests).toEqual([2_000, 1_500, 750, 0]);
  });

  test('it may be found by the last look', async () => {
    const { clocks, found } = waiting({ patience: 2_000 }, { foundAt: 4 });
    expect(await clocks.until(found)).toBe('it');
  });

  test('the service may want more time', async () => {
    const { looks, failure } = waiting({ patience: 2_000 }, { retryAfter: 60_000 });
    expect(await failure()).toMatchObject({ code: 'wait_timeout' });
    expect(looks).toEqual([0, 2_000]);
  });

  test('the machine may have slept', async () => {
    const { clocks, looks, failure } = waiting({ patience: 600_000 });
    await clocks.advance(400);
    clocks.suspend(600_000);
    expect(await failure()).toMatchObject({ code: 'wait_timeout' });
    expect(looks).toEqual([0, 500]);
  });

  test('the wall clock may have been set back', async () => {
    const { clocks, elapsed, failure } = waiting({ patience: 60_000 });
    await clocks.advance(400);
    clocks.setWall(-3_600_000);
    await failure();
    expect(elapsed()).toBe(60_000);
  });

  test('without patience one look is told as it is', async () => {
    const { looks, pauses, failure } = waiting({ patience: 0 });
    expect(await failure()).toBe(held);
    expect([looks, pauses]).toEqual([[0], []]);
  });
});

test('a wait that is needed no longer ends at once', async () => {
  const { clocks, needless, found, looks, elapsed } = waiting({}, { retryAfter: 60_000 });
  await clocks.advance(30_000);
  needless.abort();
  await settled();
  expect(clocks.sleepers).toBe(0);
  expect([await found, elapsed(), looks]).toEqual([undefined, 30_000, [0]]);
});

test('nothing is told of a wait that was given up during a look', async () => {
  const clocks = new FakeClocks();
  const look = async () => {
    await clocks.sleep(1_000, new AbortController().signal);
    return { failure: held, retryAfter: undefined };
  };
  const { needless, found, pauses } = waiting({ clocks, look });
  await clocks.advance(500);
  needless.abort();
  expect(await clocks.until(found)).toBe(undefined);
  expect(pauses).toEqual([]);
});
