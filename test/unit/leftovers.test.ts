import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Leftovers } from '../support/leftovers.ts';

/** Far longer than it takes: what is looked for ends when it is killed. */
const PATIENCE = 10_000;

/** @returns a shell, when it has told something */
async function startShell(script: string, env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const shell = spawn('sh', ['-c', script], { env: { PATH: process.env['PATH'], ...env } });
  onTestFinished(() => void shell.kill('SIGKILL'));
  await once(shell.stdout, 'data');
  return shell;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe.skipIf(process.platform !== 'linux')('what is left behind', () => {
  test('is found by its environment, and by its parent', async () => {
    const id = randomUUID();
    const leftovers = new Leftovers(`CHAOS_RUN=${id}`);
    // A grandchild with the variable; and a child without, as the watchdog is.
    const script = 'sh -c "sleep 101 & wait" & env -i sleep 102 & echo; wait';
    const shell = await startShell(script, { CHAOS_RUN: id });
    await expect
      .poll(async () => {
        leftovers.note([shell.pid ?? 0]);
        return leftovers.remaining(0);
      })
      .toEqual(expect.arrayContaining([expect.stringMatching(/ sleep 102$/)]));
    await kill(shell);
    const remaining = await leftovers.remaining(0);
    expect(remaining.map((process) => process.replace(/^\d+ /, '')).sort()).toEqual([
      'sh -c sleep 101 & wait',
      'sleep 101',
      'sleep 102',
    ]);
    leftovers.kill();
    expect(await leftovers.remaining(PATIENCE)).toEqual([]);
  });

  test('is nothing of somebody else’s', async () => {
    const leftovers = new Leftovers(`CHAOS_RUN=${randomUUID()}`);
    await startShell('echo; exec sleep 103', { CHAOS_RUN: randomUUID() });
    expect(await leftovers.remaining(0)).toEqual([]);
  });
});
