import { readdirSync, readFileSync } from 'node:fs';
import { type Clocks, isPast, later } from './moment.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How often it is looked whether a process group is gone, in milliseconds. */
export const LOOK_INTERVAL = 50;
/** What is left after SIGKILL is in the kernel's hands: it is not waited for longer than this. */
const LAST_LOOK = 2_000;

/**
 * Sends a signal to all processes of a group.
 *
 * @param group the id of the group, which is that of its leader
 * @returns false when the group is gone
 */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // EPERM: all that is left runs as another user, out of reach, as after sudo.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
    throw error;
  }
}

/** Whether anything of a group still runs. */
export function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  return process.platform !== 'linux' || isRunning(group, group) || hasRunning(group);
}

/** Where nobody buries the dead, as in a container without an init, they stay members of the group. */
function hasRunning(group: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isRunning(Number(name), group));
}

/** Whether a process is a running member of a group. */
function isRunning(pid: number, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The fields from the third on: those after the name, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, , its] = fields;
    if (Number(its) !== group) return false;
    // Of one whose main thread has ended others may run: the 20th field counts them.
    return (state !== 'Z' && state !== 'X') || Number(fields[17]) > 1;
  } catch {
    // It ended in the meantime.
    return false;
  }
}

/** Kills all of a group at once, and waits until it is gone. */
export async function killGroup(group: number, clocks: Clocks): Promise<void> {
  const never = new AbortController().signal;
  const end = later(clocks.now(), LAST_LOOK);
  do {
    // Again and again: what is killed may have brought forth another one.
    signalGroup(group, 'SIGKILL');
    await clocks.sleep(LOOK_INTERVAL, never);
  } while (isAlive(group) && !isPast(end, clocks.now()));
}
