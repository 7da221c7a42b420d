import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createSandbox, outcomeOf, type Sandbox } from '../support/sandbox.ts';

const breaking = ['break', 'k', '--reason', 'r', '--yes', '--observe', '1s'];

/** Keeps a lease for a while. */
async function keeping({ start }: Sandbox) {
  // Its watchdog runs by then, too.
  const line = 'sleep 1; echo runs; sleep 60';
  const keeper = start(['exec', 'k', '--ttl', '20s', '--shell', '--', line]);
  await once(keeper.stdout ?? keeper, 'data');
  return keeper;
}

test.each<[string, NodeJS.Signals | undefined, string]>([
  ['runs', undefined, 'runs: end that, and it is free.'],
  ['is suspended', 'SIGSTOP', 'is suspended: to let it go on, kill -CONT PID.'],
  ['is gone', 'SIGKILL', 'is gone.'],
])('of one of this machine it is said that its process %s', async (_, signal, words) => {
  const sandbox = createSandbox();
  const keeper = await keeping(sandbox);
  const ended = outcomeOf(keeper);
  if (signal) keeper.kill(signal);
  if (signal === 'SIGKILL') await ended;
  const said = `It is kept by process ${keeper.pid} of this machine, which ${words}`;
  const { code, stderr } = await sandbox.run(breaking);
  expect(code).toBe(0);
  expect(stderr).toContain(said.replace('PID', String(keeper.pid)));
  keeper.kill('SIGCONT');
  keeper.kill('SIGTERM');
  await ended;
});

test('and of one that no process keeps that its handle is here', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'k', '--ttl', '20s']);
  const said = 'This machine took it itself, and has its handle';
  expect((await sandbox.run(breaking)).stderr).toContain(said);
  await sandbox.json(['lease', 'k', '--ttl', '20s']);
  const elsewhere = { env: { XDG_STATE_HOME: `${sandbox.directory}/elsewhere` } };
  expect((await sandbox.run(breaking, elsewhere)).stderr).not.toContain(said);
});

test.each([
  ['is', '1', true],
  ['is not', '2', false],
])('that it %s the last try is said before it is broken', async (_, tries, isLast) => {
  const { json, run } = createSandbox();
  const added = await json(['admin', 'runner-jobs', 'add', '--max-tries', tries]);
  await json(['runner-jobs', 'lease', '--runner-id', 'r']);
  const [{ id }] = [added].flat().map(Object);
  const { code, stderr } = await run(['break', id, '--reason', 'r', '--yes', '--force']);
  expect([code, stderr.includes('nobody gets it any more')]).toEqual([0, isLast]);
});
