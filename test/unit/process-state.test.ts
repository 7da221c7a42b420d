import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Origin } from '../../src/domain/origin.ts';
import { processState, thisHost, thisProcess } from '../../src/origin/process-state.ts';

const here = thisHost();

async function startProcess(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['60']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error('nothing was started');
  return Object.assign(child, { pid });
}

const startOf = (pid: number) =>
  Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19]);

const originOf = (pid: number): Origin => ({
  host: here.name,
  pid,
  pid_namespace: here.pidNamespace,
  boot_id: here.bootId,
  started: startOf(pid),
  command: 'exec',
});

describe.each(['linux', 'darwin'])('as %s tells it', (platform) => {
  const host = { ...here, platform };

  test('a process runs, is suspended, goes on, and is gone', async () => {
    const child = await startProcess();
    const origin = originOf(child.pid);
    const look = () => processState(origin, Date.now(), true, host);
    expect(await look()).toBe('running');
    child.kill('SIGSTOP');
    await expect.poll(look).toBe('suspended');
    child.kill('SIGCONT');
    await expect.poll(look).toBe('running');
    child.kill('SIGKILL');
    await expect.poll(look).toBe('gone');
  });
});

describe('on Linux', () => {
  test('one with the pid of another is not that, whatever the clocks say', async () => {
    const { pid } = await startProcess();
    const origin = originOf(pid);
    const later = { ...origin, started: Number(origin.started) - 1 };
    expect(await processState(later, Date.now() + 60_000, false)).toBe('gone');
    for (const takenAt of [0, Date.now() + 1e12]) {
      expect(await processState(origin, takenAt, false)).toBe('running');
    }
  });

  test.each<[string, Origin]>([
    ['of another system, also of one by the same name', { boot_id: 'another' }],
    ['of a system that was not told', { boot_id: undefined }],
    ['of another container', { pid_namespace: 'pid:[1]' }],
    ['that was not told', { pid: undefined }],
    ['of which it was not told when it began', { started: undefined }],
    ['of a command that ends at once', { command: 'lease' }],
    ['of a command that was not told', { command: undefined }],
  ])('nothing is known of a process %s', async (_, change) => {
    const { pid } = await startProcess();
    const origin = { ...originOf(pid), ...change };
    expect(await processState(origin, Date.now(), true)).toBe('unknown');
    expect(await processState(originOf(pid), Date.now(), false)).toBe('running');
  });

  test('where the system has no number of its own nothing is known', async () => {
    const { pid } = await startProcess();
    const bare = { ...here, bootId: undefined };
    const origin = { ...originOf(pid), boot_id: undefined };
    expect(await processState(origin, Date.now(), true, bare)).toBe('unknown');
  });

  test('what the system does not tell of is not taken for gone, unless it is', async () => {
    const child = await startProcess();
    const origin = originOf(child.pid);
    const look = () => processState(origin, Date.now(), true, { ...here, proc: '/nowhere' });
    expect(await look()).toBe('unknown');
    child.kill('SIGKILL');
    await expect.poll(look).toBe('gone');
  });

  test('this process is known again', async () => {
    const origin = { ...thisProcess(), command: 'jobs exec' };
    expect(await processState(origin, Date.now(), false)).toBe('running');
  });
});

describe('elsewhere', () => {
  const host = { ...here, platform: 'darwin' };

  test('only what this machine noted by itself is known', async () => {
    const { pid } = await startProcess();
    const look = (change: Origin, isOwn: boolean) =>
      processState({ ...originOf(pid), ...change }, Date.now(), isOwn, host);
    expect(await look({}, false)).toBe('unknown');
    expect(await look({ host: 'elsewhere' }, true)).toBe('unknown');
    expect(await look({}, true)).toBe('running');
  });

  test('one that seems to have begun later may be another one, or the clock was set', async () => {
    const { pid } = await startProcess();
    const ago = Date.now() - 10_000;
    expect(await processState(originOf(pid), ago, true, host)).toBe('unknown');
  });

  test('nobody tells on Windows', async () => {
    const { pid } = await startProcess();
    const windows = { ...here, platform: 'win32' };
    expect(await processState(originOf(pid), Date.now(), true, windows)).toBe('unknown');
  });
});
