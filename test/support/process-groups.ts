import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { onTestFinished, vi } from 'vitest';
import type { Exit } from '../../src/supervise/process-group.ts';

/** No process has such an id on Linux, nor elsewhere. */
export const NO_GROUP = 2 ** 22 + 1;

export interface StartedGroup {
  readonly group: number;
  readonly exited: Promise<Exit>;
  /** What it has written so far, in lines. */
  lines(): string[];
  /** Waits for a line, and returns the last word of it. */
  says(start: string): Promise<string>;
}

/** Says each signal that it gets, and goes on. */
export const STUBBORN = [
  ...['INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2', 'CONT'].map(
    (name) => `trap 'echo ${name}' ${name}`,
  ),
  'echo ready',
  'while :; do sleep 0.02; done',
].join('\n');

/** Starts bash with a script as the leader of a group of its own, which does not outlive the test. */
export async function startGroup(script: string): Promise<StartedGroup> {
  const child: ChildProcess = spawn('bash', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child, 'spawn');
  const { pid, stdout } = child;
  if (pid === undefined || !stdout) throw new Error('bash was not started');
  onTestFinished(() => killNow(pid));
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  const lines = () => text.split('\n').slice(0, -1);
  const exited = new Promise<Exit>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const says = (start: string) =>
    eventually(() =>
      lines()
        .find((line) => line.startsWith(start))
        ?.split(' ')
        .at(-1),
    );
  return { group: pid, exited, lines, says };
}

/** Starts one that says each signal, and waits until it can. */
export async function startStubborn(): Promise<StartedGroup> {
  const group = await startGroup(STUBBORN);
  await group.says('ready');
  return group;
}

/** Waits until something is there, and returns it. */
export function eventually<T>(find: () => T | undefined | false): Promise<T> {
  const look = () => {
    const found = find();
    if (found === undefined || found === false) throw new Error('it has not come');
    return found;
  };
  return vi.waitFor(look, { interval: 5, timeout: 10_000 });
}

/** The state of a process as Linux tells it, e.g. `T` for one that is stopped; undefined when gone. */
export function stateOf(pid: number): string | undefined {
  try {
    return /.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * The signals that are sent to a group from now on, in this process.
 *
 * @param pass what is done with them; as usual, if it is not given
 */
export function signalsTo(group: number, pass: typeof process.kill = realKill()): string[] {
  const sent: string[] = [];
  const kill = realKill();
  const spy = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    if (pid !== -group || signal === 0) return kill(pid, signal);
    sent.push(String(signal));
    return pass(pid, signal);
  });
  onTestFinished(() => spy.mockRestore());
  return sent;
}

function realKill(): typeof process.kill {
  return process.kill.bind(process);
}

function killNow(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
