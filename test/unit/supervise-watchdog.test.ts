import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { later } from '../../src/supervise/moment.ts';
import { isAlive } from '../../src/supervise/process-group.ts';
import { type Order, runWatchdog } from '../../src/supervise/watchdog.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';
import {
  eventually,
  NO_GROUP,
  signalsTo,
  startGroup,
  startStubborn,
  stateOf,
} from '../support/process-groups.ts';

// Clocks only move when told to: what is still there at some moment was not killed before it.
vi.setConfig({ testTimeout: 30_000 });

/** Milliseconds since the beginning. */
interface Times {
  readonly stopAt: number | null;
  readonly deadline: number;
  readonly grace?: number;
  readonly secretFile?: string | null;
}

/** How often it looks. */
const TICK = 100;

function watching(group: number, pass?: typeof process.kill) {
  const clocks = new FakeClocks();
  const start = clocks.now();
  const orders = new PassThrough();
  const sent = signalsTo(group, pass);
  const over = vi.fn<() => void>();
  const done = runWatchdog(orders, clocks).then(over);
  const text = ({ stopAt, deadline, grace = 10_000, secretFile = null }: Times) => {
    const order: Order = {
      group,
      stopAt: stopAt === null ? null : later(start, stopAt),
      deadline: later(start, deadline),
      grace,
      secretFile,
    };
    return `${JSON.stringify(order)}\n`;
  };
  /** Writes, and waits until it is read. */
  const write = async (words: string) => {
    orders.write(words);
    await settled();
    await settled();
  };
  const watch = (times: Times) => write(text(times));
  /** What becomes of the orders when leasectl dies. */
  const cut = async () => {
    orders.end();
    await settled();
    await settled();
  };
  return { clocks, orders, sent, over, done, text, write, watch, cut };
}

async function watchingStubborn() {
  const command = await startStubborn();
  return { command, ...watching(command.group) };
}

const USUAL: Times = { stopAt: 47_000, deadline: 57_000 };

describe('when leasectl dies', () => {
  test('the command is told to end at once, and killed after its grace', async () => {
    const { command, clocks, watch, cut, sent, done } = await watchingStubborn();
    await watch(USUAL);
    await clocks.advance(5_000);
    expect(sent).toEqual([]);
    await cut();
    await clocks.advance(TICK);
    await command.says('TERM');
    await clocks.advance(9_900);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(TICK);
    await eventually(() => !isAlive(command.group));
    await clocks.until(done);
    expect(sent.slice(0, 2)).toEqual(['SIGTERM', 'SIGCONT']);
    expect(new Set(sent.slice(2))).toEqual(new Set(['SIGKILL']));
  });

  test('it ends when the command has ended', async () => {
    const command = await startGroup('exec sleep 60');
    const { clocks, watch, cut, sent, done } = watching(command.group);
    await watch(USUAL);
    await cut();
    await clocks.advance(TICK);
    expect(await command.exited).toEqual({ code: null, signal: 'SIGTERM' });
    await clocks.until(done);
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
  });

  test('nothing is left at the deadline, whatever the grace', async () => {
    const { command, clocks, watch, cut } = await watchingStubborn();
    await watch(USUAL);
    await clocks.advance(46_900);
    clocks.suspend(7_100);
    await cut();
    await clocks.advance(TICK);
    await command.says('TERM');
    // Three seconds are left.
    await clocks.advance(2_800);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(2 * TICK);
    await eventually(() => !isAlive(command.group));
  });

  test('what leasectl had stopped already has the time that it was given', async () => {
    const { command, clocks, watch, cut, sent } = await watchingStubborn();
    await watch({ stopAt: null, deadline: 3_000 });
    await cut();
    await clocks.advance(2_900);
    expect([sent, isAlive(command.group)]).toEqual([[], true]);
    await clocks.advance(2 * TICK);
    await eventually(() => !isAlive(command.group));
  });

  test('there may be nothing to watch yet', async () => {
    const { clocks, cut, done, sent } = watching(NO_GROUP);
    await clocks.advance(1_000);
    await cut();
    await clocks.until(done);
    expect(sent).toEqual([]);
  });

  test.each(['an error', 'nonsense'])('the last that came of it may be %s', async (what) => {
    const command = await startGroup('exec sleep 60');
    const { clocks, orders, watch, write, done } = watching(command.group);
    await watch(USUAL);
    if (what === 'nonsense') await write('{"group":\n');
    else orders.destroy(new Error('read ECONNRESET'));
    await settled();
    await clocks.advance(TICK);
    expect(await command.exited).toEqual({ code: null, signal: 'SIGTERM' });
    await clocks.until(done);
  });

  test('it may have been in the middle of an order', async () => {
    const { command, clocks, watch, write, text, cut, done } = await watchingStubborn();
    await watch(USUAL);
    await write(text({ stopAt: null, deadline: 90_000 }).slice(0, -1));
    await cut();
    await clocks.advance(TICK);
    await command.says('TERM');
    await clocks.advance(10_000);
    await eventually(() => !isAlive(command.group));
    await clocks.until(done);
  });

  test.runIf(process.platform === 'linux')('a command goes on that was stopped', async () => {
    const { command, clocks, watch, cut } = await watchingStubborn();
    await watch(USUAL);
    process.kill(-command.group, 'SIGSTOP');
    await eventually(() => stateOf(command.group) === 'T');
    await cut();
    await clocks.advance(TICK);
    await command.says('TERM');
  });
});

describe('when leasectl hangs', () => {
  test('the command is told to end a little later than leasectl should have done that', async () => {
    const { command, clocks, watch, sent } = await watchingStubborn();
    await watch(USUAL);
    await clocks.advance(47_100);
    expect(sent).toEqual([]);
    await clocks.advance(TICK);
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
    await command.says('TERM');
    await clocks.advance(9_700);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(TICK);
    await eventually(() => !isAlive(command.group));
    expect(sent.slice(0, 3)).toEqual(['SIGTERM', 'SIGCONT', 'SIGKILL']);
  });

  test('a short grace is not spent on waiting for it', async () => {
    const { clocks, watch, sent } = await watchingStubborn();
    await watch({ stopAt: 1_000, deadline: 1_300, grace: 300 });
    await clocks.advance(1_000);
    expect(sent).toEqual([]);
    await clocks.advance(TICK);
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
  });

  test('the command is killed at the deadline, stopped or not', async () => {
    const { command, clocks, watch, sent } = await watchingStubborn();
    await watch({ stopAt: null, deadline: 3_000 });
    await clocks.advance(2_999);
    expect([sent, isAlive(command.group)]).toEqual([[], true]);
    await clocks.advance(1);
    await eventually(() => !isAlive(command.group));
    // And nobody who has the same id by chance.
    await clocks.advance(TICK);
    const count = sent.length;
    await clocks.advance(1_000);
    expect(sent).toHaveLength(count);
    expect(new Set(sent)).toEqual(new Set(['SIGKILL']));
  });

  test('what outlives that is killed again', async () => {
    const { group } = await startStubborn();
    const kill = process.kill.bind(process);
    let isFirst = true;
    const { clocks, watch, sent } = watching(group, (pid, signal) => {
      const isPassed = !isFirst;
      isFirst = false;
      return isPassed ? kill(pid, signal) : true;
    });
    await watch({ stopAt: null, deadline: 3_000 });
    await clocks.advance(3_000);
    expect([sent, isAlive(group)]).toEqual([['SIGKILL'], true]);
    await clocks.advance(TICK);
    await eventually(() => !isAlive(group));
  });

  test.each(['suspend', 'setWall'] as const)(
    'or so when the machine wakes up too late: %s',
    async (jump) => {
      const { command, clocks, watch, sent } = await watchingStubborn();
      await watch(USUAL);
      clocks[jump](57_000);
      await clocks.advance(TICK);
      await eventually(() => !isAlive(command.group));
      expect(sent).toContain('SIGKILL');
      expect(sent).not.toContain('SIGTERM');
      expect(command.lines()).toEqual(['ready']);
    },
  );
});

describe('an order', () => {
  test('takes the place of the one before', async () => {
    const { clocks, watch, sent } = await watchingStubborn();
    await watch(USUAL);
    await clocks.advance(20_000);
    await watch({ stopAt: 67_000, deadline: 77_000 });
    await clocks.advance(47_100);
    expect(sent).toEqual([]);
    await clocks.advance(TICK);
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
  });

  test('may leave less time than the one before', async () => {
    const { command, clocks, watch } = await watchingStubborn();
    await watch(USUAL);
    await watch({ stopAt: null, deadline: 1_000 });
    await clocks.advance(1_000);
    await eventually(() => !isAlive(command.group));
  });

  test('comes in pieces, or with others', async () => {
    const { clocks, write, text, sent } = await watchingStubborn();
    const later = text({ stopAt: 2_000, deadline: 9_000 });
    await write(text({ stopAt: 1_000, deadline: 9_000 }) + later.slice(0, 20));
    await write(later.slice(20));
    await clocks.advance(2_100);
    expect(sent).toEqual([]);
    await clocks.advance(TICK);
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
  });
});

describe('a release', () => {
  test('leaves everything as it is', async () => {
    const { command, clocks, watch, write, done, sent } = await watchingStubborn();
    await watch(USUAL);
    await write('release\n');
    await clocks.until(done);
    expect([sent, isAlive(command.group)]).toEqual([[], true]);
    expect(clocks.sleepers).toBe(0);
  });

  test('comes with the order before it', async () => {
    const { command, write, text, clocks, cut, done, sent } = await watchingStubborn();
    await write(`${text({ stopAt: 0, deadline: 60_000 })}release\n`);
    await cut();
    await clocks.until(done);
    expect(isAlive(command.group)).toBe(true);
    expect(sent).not.toContain('SIGKILL');
  });

  test('is the end, and nothing else is', async () => {
    const { clocks, watch, write, over, done } = watching(NO_GROUP);
    await watch({ stopAt: 1_000, deadline: 2_000 });
    await clocks.advance(10_000);
    await watch({ stopAt: 11_000, deadline: 12_000 });
    await clocks.advance(10_000);
    expect(over).not.toHaveBeenCalled();
    await write('release\n');
    await clocks.until(done);
  });
});
