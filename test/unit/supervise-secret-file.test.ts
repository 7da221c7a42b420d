import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { later } from '../../src/supervise/moment.ts';
import { type Order, runWatchdog } from '../../src/supervise/watchdog.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';
import { NO_GROUP, startGroup } from '../support/process-groups.ts';

let secretFile: string;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'leasectl-secret-'));
  secretFile = join(directory, 'job.json');
  writeFileSync(secretFile, '{"token":"secret"}');
  onTestFinished(() => rmSync(directory, { recursive: true }));
});

function watching(group: number) {
  const clocks = new FakeClocks();
  const orders = new PassThrough();
  const done = runWatchdog(orders, clocks);
  const now = clocks.now();
  const order: Order = {
    group,
    stopAt: later(now, 47_000),
    deadline: later(now, 57_000),
    grace: 10_000,
    secretFile,
  };
  const write = async (words: string) => {
    orders.write(words);
    await settled();
    await settled();
  };
  const watch = (change: Partial<Order> = {}) =>
    write(`${JSON.stringify({ ...order, ...change })}\n`);
  return { clocks, orders, done, write, watch };
}

test('a secret is removed when leasectl has died, and the command, too', async () => {
  const { group, exited } = await startGroup('exec sleep 60');
  const { clocks, orders, done, watch } = watching(group);
  await watch();
  await clocks.advance(1_000);
  expect(existsSync(secretFile)).toBe(true);
  orders.end();
  await settled();
  await clocks.advance(100);
  await exited;
  await clocks.until(done);
  expect(existsSync(secretFile)).toBe(false);
});

test('a secret is no matter of the watchdog when it is released', async () => {
  const { clocks, orders, done, write, watch } = watching(NO_GROUP);
  await watch();
  await write('release\n');
  orders.end();
  await clocks.until(done);
  expect(existsSync(secretFile)).toBe(true);
});

test('there may be no secret, or none any more', async () => {
  const { clocks, orders, done, watch } = watching(NO_GROUP);
  await watch({ secretFile: null });
  orders.end();
  await clocks.until(done);
  expect(existsSync(secretFile)).toBe(true);
  const other = watching(NO_GROUP);
  await other.watch();
  rmSync(secretFile);
  other.orders.end();
  await other.clocks.until(other.done);
});

test('a secret is removed also when the watchdog had killed the command before leasectl died', async () => {
  const { clocks, orders, done, watch } = watching(NO_GROUP);
  await watch();
  // Leasectl hangs beyond the deadline, and is killed then.
  await clocks.advance(60_000);
  orders.end();
  await clocks.until(done);
  expect(existsSync(secretFile)).toBe(false);
});
