import { readdirSync, readFileSync } from 'node:fs';
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
 * Sends a signal to all that runs of a command.
 *
 * @param leader the id of the command's first process, of its group, and of its session
 */
export function signalAll(leader: number, signal: NodeJS.Signals): void {
  const groups = new Set([leader, ...membersOf(leader).map(({ group }) => group)]);
  for (const group of groups) signalGroup(group, signal);
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // ESRCH: it is gone. EPERM: all that is left runs as another user, out of reach, as after sudo.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Whether anything of a command still runs. The dead whom nobody has buried do not count. */
export function isAlive(leader: number): boolean {
  if (process.platform === 'linux') {
    const first = statOf(leader);
    const isFirst = first?.session === leader && !first.hasEnded;
    return isFirst || membersOf(leader).some(({ hasEnded }) => !hasEnded);
  }
  try {
    return process.kill(-leader, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
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
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
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
