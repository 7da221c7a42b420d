import { readdirSync, readFileSync } from 'node:fs';

/*
 * The processes of this machine, as Linux's /proc tells of them. Whatever ends while it is looked at
 * counts as gone.
 */

/** A process that was seen, known again by when it started: ids are given out again. */
export interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  readonly started: string;
}

/** Those that run, and none that only wait for somebody to take note of their end. */
export function listProcesses(): SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => lookAt(Number(name)) ?? []);
}

function lookAt(pid: number): SeenProcess | undefined {
  const stat = read(pid, 'stat');
  // The name stands in brackets and may hold anything; what is counted comes behind it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields ?? [];
  if (!fields || state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), started: fields[19] ?? '' };
}

export function isStillThere({ pid, started }: SeenProcess): boolean {
  return lookAt(pid)?.started === started;
}

export function commandOf({ pid }: SeenProcess): string {
  return (read(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim();
}

/** Whether a process was started with this in its environment, as `NAME=value`. */
export function hasVariable({ pid }: SeenProcess, variable: string): boolean {
  return read(pid, 'environ')?.split('\0').includes(variable) ?? false;
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
