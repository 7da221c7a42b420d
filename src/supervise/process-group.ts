import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { type Clocks, isPast, later } from './moment.ts';

/*
 * A command leads a session of its own, and in it a process group. What it starts may go into other
 * groups of that session, as below `timeout`. On Linux all of the session is looked after; elsewhere
 * nobody tells which processes are in it, and only the leader's own group is.
 */

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How often it is looked whether a command is gone, in milliseconds. */
export const LOOK_INTERVAL = 50;
/** What is left after SIGKILL is in the kernel's hands: it is not waited for longer than this. */
const LAST_LOOK = 2_000;

/**
 * Sends signals, one after the other, to all that runs of a command.
 *
 * @param leader the id of the command's first process, of its group, and of its session
 */
export function signalAll(leader: number, ...signals: readonly NodeJS.Signals[]): void {
  const groups = new Set([leader, ...membersOf(leader).map(({ group }) => group)]);
  for (const group of groups) {
    for (const signal of signals) signalGroup(group, signal);
  }
}

/** @returns whether there is such a group; its dead whom nobody has buried count, too */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // ESRCH: it is gone. EPERM: all that is left runs as another user, out of reach, as after sudo.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    return code === 'EPERM';
  }
}

/**
 * Whether certainly nothing is left of a command: all processes of the system are looked at once, which
 * takes a while, and what its group brings forth meanwhile counts, too.
 */
export function isGone(leader: number): boolean {
  return !isAlive(leader) && !signalGroup(leader, 0);
}

/** Whether anything of a command still runs. The dead whom nobody has buried do not count. */
export function isAlive(leader: number): boolean {
  if (process.platform === 'linux') {
    const first = statOf(leader);
    const isFirst = first?.session === leader && !first.hasEnded;
    return isFirst || membersOf(leader).some(({ hasEnded }) => !hasEnded);
  }
  return signalGroup(leader, 0);
}

/**
 * The first process of a command, which has all this in its environment; where the system does not
 * tell, none.
 *
 * @param entries as `NAME=value`
 */
export function leaderWith(entries: readonly string[]): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const pids = readdirSync('/proc').map(Number);
  return pids.find((pid) => pid > 0 && statOf(pid)?.session === pid && hasAll(pid, entries));
}

function hasAll(pid: number, entries: readonly string[]): boolean {
  try {
    const environment = new Set(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0'));
    return entries.every((entry) => environment.has(entry));
  } catch {
    // It is another user's, or ended in the meantime.
    return false;
  }
}

interface Stat {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  readonly hasEnded: boolean;
}

/** The processes of a session; none where the system does not tell. */
function membersOf(session: number): Stat[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return stat?.session === session ? [stat] : [];
  });
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readStat(pid);
    // The fields from the third on: those after the name, which may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, , group, session] = fields;
    // Of one whose main thread has ended others may run: the 20th field counts them.
    const isDead = state === 'X' || (state === 'Z' && Number(fields[17]) <= 1);
    return { pid, group: Number(group), session: Number(session), hasEnded: isDead };
  } catch {
    // It ended in the meantime.
    return undefined;
  }
}

/** Longer than the kernel makes it. */
const statBuffer = Buffer.alloc(4096);

/** With half of the calls that reading a file takes: there may be hundreds of processes. */
function readStat(pid: number): string {
  const descriptor = openSync(`/proc/${pid}/stat`, 'r');
  try {
    return statBuffer.toString('latin1', 0, readSync(descriptor, statBuffer));
  } finally {
    closeSync(descriptor);
  }
}

/** Kills all of a command at once, and waits until it is gone. */
export async function killAll(leader: number, clocks: Clocks): Promise<void> {
  const never = new AbortController().signal;
  const end = later(clocks.now(), LAST_LOOK);
  do {
    // Again and again: what is killed may have brought forth another one.
    signalAll(leader, 'SIGKILL');
    await clocks.sleep(LOOK_INTERVAL, never);
  } while (isAlive(leader) && !isPast(end, clocks.now()));
}
