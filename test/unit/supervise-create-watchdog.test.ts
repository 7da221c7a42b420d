import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWatchdog, type Expectation, type Order } from '../../src/supervise/watchdog.ts';

/** One started process: what was written to it, and how to end it. */
interface Started {
  /** The order that it was started with. */
  readonly order: string | undefined;
  readonly written: string[];
  end(): void;
}

function watched() {
  const started: Started[] = [];
  const givenUp = vi.fn<() => void>();
  const watchdog = createWatchdog((order) => {
    const written: string[] = [];
    const listeners: (() => void)[] = [];
    started.push({ order, written, end: () => listeners.forEach((listener) => void listener()) });
    return {
      write: (text) => written.push(text),
      onExit: (listener) => listeners.push(listener),
    };
  }, givenUp);
  return { watchdog, started, givenUp };
}

const at = (time: number) => ({ wall: time, steady: time });
const one: Order = {
  group: 7,
  stopAt: at(1_000),
  deadline: at(2_000),
  grace: 500,
  secretFile: null,
};
const { group: _, ...times } = one;
const expectation: Expectation = { ...times, environment: ['LEASECTL_KEY=k'] };
const other: Order = { ...one, stopAt: null };
const text = (order: Order | Expectation) => JSON.stringify(order);
const line = (order: Order | Expectation) => `${text(order)}\n`;

/** Another one is not started at once, for it may die at once, too. */
const RESTART = 200;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
});

describe("leasectl's end of the watchdog", () => {
  test('starts it before there is an order', () => {
    const { started } = watched();
    expect(started).toMatchObject([{ order: undefined, written: [] }]);
  });

  test('sends orders, each on a line of its own, and the release', () => {
    const { watchdog, started } = watched();
    watchdog.watch(one);
    watchdog.watch(other);
    watchdog.release();
    expect(started).toMatchObject([{ written: [line(one), line(other), 'release\n'] }]);
  });

  test('starts another one when it dies, and tells it the last order', () => {
    const { watchdog, started } = watched();
    watchdog.watch(one);
    watchdog.watch(other);
    started[0]?.end();
    vi.advanceTimersByTime(RESTART - 1);
    expect(started).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(started[1]).toMatchObject({ order: text(other), written: [] });
    watchdog.watch(one);
    expect(started[1]?.written).toEqual([line(one)]);
    expect(started[0]?.written).toHaveLength(2);
  });

  test('tells another one what is expected, until there is an order', () => {
    const { watchdog, started } = watched();
    watchdog.expect(expectation);
    started[0]?.end();
    vi.advanceTimersByTime(RESTART);
    expect(started[1]?.order).toBe(text(expectation));
    watchdog.watch(one);
    started[1]?.end();
    vi.advanceTimersByTime(RESTART);
    expect(started[2]?.order).toBe(text(one));
  });

  test('starts another one each time, and tells it what came in between', () => {
    const { watchdog, started } = watched();
    started[0]?.end();
    watchdog.watch(one);
    vi.advanceTimersByTime(RESTART);
    started[1]?.end();
    vi.advanceTimersByTime(RESTART);
    expect(started).toHaveLength(3);
    expect(started[2]?.order).toBe(text(one));
  });

  test('tells another one nothing when there is nothing', () => {
    const { started } = watched();
    started[0]?.end();
    vi.advanceTimersByTime(RESTART);
    expect(started).toMatchObject([{}, { order: undefined, written: [] }]);
  });

  test('is given up when it dies again and again', () => {
    const { watchdog, started, givenUp } = watched();
    watchdog.watch(one);
    for (let deaths = 0; deaths < 4; deaths += 1) {
      started.at(-1)?.end();
      vi.advanceTimersByTime(RESTART);
    }
    expect(started).toHaveLength(5);
    expect(givenUp).not.toHaveBeenCalled();
    started.at(-1)?.end();
    vi.advanceTimersByTime(10_000);
    expect(started).toHaveLength(5);
    expect(givenUp).toHaveBeenCalledTimes(1);
    // What is left must go on without it.
    watchdog.watch(other);
    watchdog.release();
  });

  test('is not given up when it dies now and then', () => {
    const { started, givenUp } = watched();
    for (let deaths = 0; deaths < 20; deaths += 1) {
      // Four times soon, and once late.
      if (deaths % 4 === 0) vi.advanceTimersByTime(10_001);
      started.at(-1)?.end();
      vi.advanceTimersByTime(RESTART);
    }
    expect(started).toHaveLength(21);
    expect(givenUp).not.toHaveBeenCalled();
    // The fifth in a row, of which the first one came late.
    started.at(-1)?.end();
    expect(givenUp).toHaveBeenCalledTimes(1);
  });

  test('starts no other one when it is released', () => {
    const { watchdog, started, givenUp } = watched();
    watchdog.watch(one);
    watchdog.release();
    started[0]?.end();
    vi.advanceTimersByTime(10_000);
    expect(started).toHaveLength(1);
    expect(givenUp).not.toHaveBeenCalled();
  });

  test('is not given up when it dies after its release', () => {
    const { watchdog, started, givenUp } = watched();
    for (let deaths = 0; deaths < 4; deaths += 1) {
      started.at(-1)?.end();
      vi.advanceTimersByTime(RESTART);
    }
    watchdog.release();
    started.at(-1)?.end();
    expect(givenUp).not.toHaveBeenCalled();
  });

  test('starts no other one when it is released in between', () => {
    const { watchdog, started } = watched();
    watchdog.watch(one);
    started[0]?.end();
    watchdog.release();
    vi.advanceTimersByTime(10_000);
    expect(started).toHaveLength(1);
  });
});
