import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { later } from '../../src/supervise/moment.ts';
import { isAlive, leaderWith } from '../../src/supervise/process-group.ts';
import { type Expectation, runWatchdog } from '../../src/supervise/watchdog.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';
import { NO_GROUP, signalsTo, startGroup } from '../support/process-groups.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

vi.setConfig({ testTimeout: 30_000 });

/** How often the watchdog looks, and for how long, in milliseconds. */
const TICK = 100;
const SEARCH = 1_000;

/** An environment of which there is no other. */
const environment = () => [`EXPECTED=${randomUUID()}`, 'EXPECTED_TOO=it is = ü'];

/** A command that leads a session and has this in its environment. */
async function startWith(entries: readonly string[], then = 'exec sleep 60') {
  const words = entries.map((entry) => `'${entry}'`).join(' ');
  const command = await startGroup(`exec env ${words} sh -c 'echo ready; ${then}'`);
  await command.says('ready');
  return command;
}

function expecting(entries: readonly string[], secretFile: string | null = null) {
  const clocks = new FakeClocks();
  const orders = new PassThrough();
  const done = runWatchdog(orders, clocks);
  const now = clocks.now();
  const order: Expectation = {
    environment: entries,
    stopAt: later(now, 47_000),
    deadline: later(now, 57_000),
    grace: 10_000,
    secretFile,
  };
  const write = async (text: string) => {
    orders.write(text);
    await settled();
    await settled();
  };
  const cut = async () => {
    orders.end();
    await settled();
    await settled();
  };
  return { clocks, done, order, write, cut, watch: () => write(`${JSON.stringify(order)}\n`) };
}

describe.runIf(process.platform === 'linux')('a command of which no group was told', () => {
  test('is found by its environment, where it leads a session', async () => {
    const entries = environment();
    expect(leaderWith(entries)).toBeUndefined();
    const { group, says } = await startWith(entries, 'setsid sleep 60 & echo other $!; wait');
    await says('other');
    expect(leaderWith(entries)).toBe(group);
    expect(leaderWith([...entries, 'EXPECTED=other'])).toBeUndefined();
    expect(leaderWith(entries.slice(0, 1))).toBe(group);
  });

  test('is ended when leasectl dies', async () => {
    const entries = environment();
    const { exited } = await startWith(entries);
    const { clocks, done, watch, cut } = expecting(entries);
    await watch();
    await cut();
    await clocks.advance(TICK);
    expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
    await clocks.until(done);
  });

  test('is looked for until it is seen', async () => {
    const entries = environment();
    const { clocks, done, watch, cut } = expecting(entries);
    await watch();
    await cut();
    await clocks.advance(SEARCH - TICK);
    const { exited } = await startWith(entries);
    await clocks.advance(TICK);
    expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
    await clocks.until(done);
  });

  test('may not have been started: it is not looked for for ever, and its secret is removed', async () => {
    const secretFile = join(temporaryDirectory(), 'job.json');
    writeFileSync(secretFile, '{}');
    const { clocks, done, watch, cut } = expecting(environment(), secretFile);
    await watch();
    const before = clocks.now().steady;
    await cut();
    await clocks.until(done);
    expect(clocks.now().steady - before).toBeLessThanOrEqual(SEARCH + 2 * TICK);
    expect(existsSync(secretFile)).toBe(false);
  });

  test('is told to end, and killed, when leasectl hangs', async () => {
    const entries = environment();
    const { group, says } = await startWith(
      entries,
      'trap "echo TERM" TERM; while :; do sleep 0.02; done',
    );
    const { clocks, done, watch, cut } = expecting(entries);
    await watch();
    await clocks.advance(47_000);
    expect(isAlive(group)).toBe(true);
    await clocks.advance(300);
    await says('TERM');
    await clocks.advance(9_600);
    expect(isAlive(group)).toBe(true);
    await clocks.advance(3 * TICK);
    await vi.waitFor(() => expect(isAlive(group)).toBe(false));
    await cut();
    await clocks.until(done);
  });

  test('is killed when the deadline is past by then', async () => {
    const entries = environment();
    const { clocks, done, watch, cut } = expecting(entries);
    await watch();
    await clocks.advance(57_000);
    const { exited } = await startWith(entries);
    await clocks.advance(TICK);
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
    await cut();
    await clocks.until(done);
  });

  test('is left alone when leasectl has released the watchdog', async () => {
    const entries = environment();
    const { group } = await startWith(entries);
    const { clocks, done, watch, write } = expecting(entries);
    await watch();
    await write('release\n');
    await clocks.until(done);
    expect(isAlive(group)).toBe(true);
  });

  test('is of no interest any more when a group has been told', async () => {
    const entries = environment();
    const { group } = await startWith(entries);
    const { clocks, done, order, watch, write, cut } = expecting(entries);
    const sent = signalsTo(NO_GROUP);
    await watch();
    await write(`${JSON.stringify({ ...order, group: NO_GROUP })}\n`);
    await cut();
    await clocks.until(done);
    expect([isAlive(group), sent]).toEqual([true, ['SIGTERM', 'SIGCONT']]);
  });
});
