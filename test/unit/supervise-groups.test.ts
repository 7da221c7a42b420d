import { describe, expect, test, vi } from 'vitest';
import { isAlive } from '../../src/supervise/process-group.ts';
import { refuses } from '../support/fake-lease.ts';
import {
  eventually,
  type StartedGroup,
  signalsTo,
  startGroup,
  startStubborn,
  stateOf,
} from '../support/process-groups.ts';
import { type SupervisionSetup, supervising } from '../support/supervising.ts';

/*
 * Real process groups under clocks that only move when they are told to: what is still there at some
 * moment was not killed before it.
 */

vi.setConfig({ testTimeout: 30_000 });

type Setup = Omit<SupervisionSetup, 'command'>;

/** Supervises one that says each signal, and goes on. */
async function stubborn(setup: Setup = {}) {
  const command = await startStubborn();
  return { command, ...(await supervising({ ...setup, command })) };
}

/** Waits until a group is gone, which takes real time, and lets so much pass that it is noticed. */
async function gone(
  { group, exited }: StartedGroup,
  { clocks, supervised }: Awaited<ReturnType<typeof supervising>>,
) {
  await eventually(() => !isAlive(group));
  await exited;
  return clocks.until(supervised);
}

/** It is looked so often whether it is gone, or has to be killed. */
const LOOK = 50;

const KILLED = { code: null, signal: 'SIGKILL' };

describe('the first signal', () => {
  test('comes once to the command, which has three seconds', async () => {
    const { command, ...supervision } = await stubborn();
    const { clocks, signals } = supervision;
    const sent = signalsTo(command.group);
    await clocks.advance(5_000);
    signals.send('SIGINT');
    await command.says('INT');
    await clocks.advance(2_999);
    expect([sent, isAlive(command.group)]).toEqual([['SIGINT', 'SIGCONT'], true]);
    await clocks.advance(LOOK);
    const { exit, stop } = await gone(command, supervision);
    expect([exit, stop?.by]).toEqual([KILLED, 'signal']);
    expect(command.lines().filter((line) => line !== 'CONT')).toEqual(['ready', 'INT']);
  });

  test('leaves as much time as its grace, if that is less', async () => {
    const { command, ...supervision } = await stubborn({ grace: 1_000 });
    const { clocks, signals } = supervision;
    signals.send('SIGHUP');
    await command.says('HUP');
    await clocks.advance(999);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(LOOK);
    expect(await gone(command, supervision)).toMatchObject({ exit: KILLED });
  });

  test('lets the command end in its own way', async () => {
    const command = await startGroup(
      "trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done",
    );
    await command.says('ready');
    const supervision = await supervising({ command });
    supervision.signals.send('SIGTERM');
    const { exit, stop } = await gone(command, supervision);
    expect([exit, stop]).toMatchObject([{ code: 9 }, { by: 'signal', signal: 'SIGTERM' }]);
    expect(supervision.since(supervision.clocks.now())).toBeLessThan(1_000);
  });
});

test('the second signal kills the command at once', async () => {
  const { command, ...supervision } = await stubborn();
  const { clocks, signals, stops } = supervision;
  signals.send('SIGINT');
  await command.says('INT');
  signals.send('SIGTERM');
  await clocks.advance(LOOK);
  expect(await gone(command, supervision)).toMatchObject({ exit: KILLED });
  expect(command.lines()).not.toContain('TERM');
  expect(stops).toMatchObject([{ by: 'signal', signal: 'SIGINT' }]);
  expect(supervision.since(clocks.now())).toBeLessThanOrEqual(3 * LOOK);
});

test("a signal that is the command's own affair only comes to it", async () => {
  const { command, clocks, signals } = await stubborn();
  signals.send('SIGUSR1');
  await command.says('USR1');
  await clocks.advance(15_000);
  expect(isAlive(command.group)).toBe(true);
});

describe('a lost lease', () => {
  test('leaves the command its grace', async () => {
    const { command, ...supervision } = await stubborn({ answers: refuses('lease_lost') });
    const { clocks } = supervision;
    await clocks.advance(20_000);
    await command.says('TERM');
    await clocks.advance(9_999);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(LOOK);
    const { exit, stop } = await gone(command, supervision);
    expect([exit, stop?.by]).toEqual([KILLED, 'loss']);
    expect(command.lines().filter((line) => line !== 'CONT')).toEqual(['ready', 'TERM']);
  });

  test('leaves nothing alive at its deadline', async () => {
    const { command, ...supervision } = await stubborn();
    const { clocks } = supervision;
    await clocks.advance(30_000);
    // Six seconds are left when it is noticed.
    clocks.suspend(20_750);
    await clocks.advance(250);
    await command.says('TERM');
    await clocks.advance(5_999);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(LOOK);
    expect(await gone(command, supervision)).toMatchObject({ exit: KILLED });
  });

  test('leaves no time at all when it is noticed after its deadline', async () => {
    const { command, ...supervision } = await stubborn();
    supervision.clocks.suspend(3_600_000);
    await supervision.clocks.advance(250);
    const { exit, stop } = await gone(command, supervision);
    expect([exit, stop?.by]).toEqual([KILLED, 'loss']);
  });

  test('takes no longer because a signal came before', async () => {
    const { command, ...supervision } = await stubborn({ answers: refuses('not_found') });
    const { clocks, signals } = supervision;
    await clocks.advance(19_000);
    signals.send('SIGINT');
    await clocks.advance(2_999);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(LOOK);
    const { exit, stop } = await gone(command, supervision);
    expect([exit, stop?.by]).toEqual([KILLED, 'loss']);
  });
});

describe('what a command left running', () => {
  test('is told to end, too', async () => {
    const command = await startGroup('sleep 60 & exit 4');
    const sent = signalsTo(command.group);
    const supervision = await supervising({ command });
    expect(await gone(command, supervision)).toMatchObject({
      exit: { code: 4, signal: null },
      stop: undefined,
    });
    expect(sent).toEqual(['SIGTERM', 'SIGCONT']);
  });

  test('is killed after its grace, and waited for', async () => {
    const command = await startGroup("(trap '' TERM; echo ready; exec sleep 60) & exit 0");
    await command.says('ready');
    const supervision = await supervising({ command, grace: 1_000 });
    const { clocks, order } = supervision;
    await command.exited;
    await clocks.advance(999);
    expect(order()).toMatchObject({ stopAt: null, deadline: 1_000 });
    expect([isAlive(command.group), supervision.watchdog.told]).toEqual([
      true,
      expect.not.arrayContaining(['release']),
    ]);
    await clocks.advance(LOOK);
    expect(await gone(command, supervision)).toMatchObject({
      exit: { code: 0 },
      stop: undefined,
    });
  });
});

test('a signal makes haste with what a command left running, and is not why it ended', async () => {
  const command = await startGroup("(trap '' TERM INT; echo ready; exec sleep 60) & exit 0");
  await command.says('ready');
  const supervision = await supervising({ command });
  const { clocks, signals, order, stops } = supervision;
  await command.exited;
  await clocks.advance(1_000);
  expect(order().deadline).toBe(10_000);
  signals.send('SIGINT');
  expect(order().deadline).toBe(4_000);
  await clocks.advance(3_000 + LOOK);
  expect(await gone(command, supervision)).toMatchObject({ exit: { code: 0 }, stop: undefined });
  expect(stops).toEqual([]);
});

test('a bug kills the whole group', async () => {
  const bug = new TypeError('this is no failure');
  const { command, ...supervision } = await stubborn({ answers: [{ brings: bug }] });
  await supervision.clocks.advance(20_000);
  await expect(gone(command, supervision)).rejects.toBe(bug);
  expect(await command.exited).toEqual(KILLED);
  expect(command.lines()).toEqual(['ready']);
});

describe.runIf(process.platform === 'linux')('Ctrl-Z', () => {
  test('stops the command until leasectl goes on', async () => {
    const { command, clocks, signals } = await stubborn();
    signals.send('SIGTSTP');
    await eventually(() => stateOf(command.group) === 'T');
    clocks.suspend(10_000);
    signals.goOn();
    await command.says('CONT');
    await eventually(() => stateOf(command.group) !== 'T');
  });

  test('leaves a command its grace that goes on when it has to stop', async () => {
    const { command, ...supervision } = await stubborn();
    const { clocks, signals } = supervision;
    signals.send('SIGTSTP');
    await eventually(() => stateOf(command.group) === 'T');
    clocks.suspend(50_000);
    signals.goOn();
    await command.says('TERM');
    await clocks.advance(6_999);
    expect(isAlive(command.group)).toBe(true);
    await clocks.advance(LOOK);
    expect(await gone(command, supervision)).toMatchObject({ exit: KILLED });
  });

  test.each(['goOn', 'SIGCONT'] as const)(
    'is the end of a command that goes on after its deadline: %s',
    async (how) => {
      const { command, ...supervision } = await stubborn();
      const { clocks, signals } = supervision;
      const sent = signalsTo(command.group);
      signals.send('SIGTSTP');
      await eventually(() => stateOf(command.group) === 'T');
      clocks.suspend(57_000);
      if (how === 'goOn') signals.goOn();
      else signals.send('SIGCONT');
      const { exit, stop } = await gone(command, supervision);
      expect([exit, stop?.by]).toEqual([KILLED, 'loss']);
      expect(new Set(sent)).toEqual(new Set(['SIGSTOP', 'SIGKILL']));
      expect(command.lines()).toEqual(['ready']);
    },
  );

  test.each(['signal', 'loss'] as const)(
    'is the end of a command that was being stopped, after its grace: %s',
    async (by) => {
      const { command, clocks, signals } = await stubborn({ otherwise: { brings: 'lease_lost' } });
      if (by === 'loss') await clocks.advance(20_000);
      else signals.send('SIGINT');
      await command.says(by === 'loss' ? 'TERM' : 'INT');
      signals.send('SIGTSTP');
      await eventually(() => stateOf(command.group) === 'T');
      const sent = signalsTo(command.group);
      clocks.suspend(10_000);
      signals.goOn();
      await eventually(() => !isAlive(command.group));
      expect(new Set(sent)).toEqual(new Set(['SIGKILL']));
    },
  );

  test('by somebody else does not keep a command from its end', async () => {
    const { command, clocks } = await stubborn({ answers: refuses('lease_lost') });
    process.kill(-command.group, 'SIGSTOP');
    await eventually(() => stateOf(command.group) === 'T');
    await clocks.advance(20_000);
    await command.says('TERM');
  });
});
