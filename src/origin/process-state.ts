import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Origin } from '../domain/origin.ts';

/** `unknown` also where the process is none that keeps a lease, or is not to be seen from here. */
export type ProcessState = 'running' | 'suspended' | 'gone' | 'unknown';

/** The machine that is looked at. */
export interface ProcessHost {
  readonly platform: string;
  readonly name: string;
  /** Undefined where there is no such thing. */
  readonly pidNamespace: string | undefined;
  /** Undefined where it takes too long to ask for it. */
  readonly bootId: string | undefined;
  readonly now: () => number;
  /** Where a process is told of, as `PID/stat`. */
  readonly proc: string;
}

/** Those that stay for as long as the lease is wanted. */
const KEEPERS = new Set(['exec', 'jobs exec', 'runner-jobs exec']);

/**
 * What became of the process that keeps a lease, as far as it can be seen from here. A pid means
 * nothing elsewhere, and a name of a host may be that of many: so on Linux the system has to be the
 * very one that the process ran on, and elsewhere this machine has to know it for its own.
 *
 * @param takenAt when it took the lease, by the clock of this machine
 * @param isOwn whether it is this machine's ledger that tells of the process
 */
export async function processState(
  origin: Origin,
  takenAt: number,
  isOwn: boolean,
  host?: ProcessHost,
): Promise<ProcessState> {
  const { pid, command } = origin;
  const isKeeper = command !== undefined && KEEPERS.has(command);
  if (!isKeeper || pid === undefined) return 'unknown';
  const here = host ?? thisHost();
  if (here.platform === 'linux') {
    const isHere =
      here.bootId !== undefined &&
      origin.boot_id === here.bootId &&
      origin.pid_namespace === here.pidNamespace;
    return isHere ? byProc(pid, origin.started, here) : 'unknown';
  }
  const isHere = isOwn && origin.host === here.name && here.platform !== 'win32';
  return isHere ? byPs(pid, takenAt, here.now) : 'unknown';
}

export function thisHost(): ProcessHost {
  const { pid_namespace: pidNamespace, boot_id: bootId } = thisProcess();
  const { platform } = process;
  return { platform, name: hostname(), pidNamespace, bootId, now: Date.now, proc: '/proc' };
}

/** What this process is known again by. */
export function thisProcess(): Pick<Origin, 'pid' | 'pid_namespace' | 'boot_id' | 'started'> {
  const { pid, platform } = process;
  if (platform !== 'linux') return { pid };
  return {
    pid,
    pid_namespace: told(() => readlinkSync('/proc/self/ns/pid')),
    boot_id: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    started: statOf('/proc/self/stat')?.started,
  };
}

interface Stat {
  readonly state: string;
  /** In ticks since the system began. */
  readonly started: number;
}

function statOf(file: string): Stat | undefined {
  // As UTF-8 a file is read in one step, whatever is in it.
  const text = told(() => readFileSync(file, 'utf8'));
  // The fields from the third on: those after the name, which may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields ?? [];
  return state === undefined ? undefined : { state, started: Number(fields?.[19]) };
}

function told(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function byProc(pid: number, started: number | undefined, { proc }: ProcessHost): ProcessState {
  const stat = statOf(`${proc}/${pid}/stat`);
  if (stat === undefined) return unseen(pid);
  // Pids are given out again. No clock that may be set decides that it is another one.
  if (started === undefined) return 'unknown';
  return stat.started === started ? stateIn(stat.state) : 'gone';
}

function stateIn(state: string): ProcessState {
  if (/^[ZXx]/.test(state)) return 'gone';
  return /^[Tt]/.test(state) ? 'suspended' : 'running';
}

/** What `ps` gets to tell, in milliseconds. */
const PS_TIME = 2_000;
/** Milliseconds. It tells times in seconds. */
const TOLERANCE = 2_000;

async function byPs(pid: number, takenAt: number, now: () => number): Promise<ProcessState> {
  const args = ['-o', 'stat=', '-o', 'etime=', '-p', String(pid)];
  const options = { timeout: PS_TIME, env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' } };
  const said = await new Promise<string>((resolve) => {
    execFile('ps', args, options, (_, stdout) => resolve(stdout));
  });
  const parts = /^\s*(\S+)\s+(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)\s*$/.exec(said);
  if (!parts) return unseen(pid);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(2)
    .map((part) => Number(part ?? 0));
  const age = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  // It may be another one, or the clock was set meanwhile.
  return now() - age > takenAt + TOLERANCE ? 'unknown' : stateIn(parts[1] ?? '');
}

/** One that is not told of: there is none, or it may not be looked at. */
function unseen(pid: number): ProcessState {
  try {
    process.kill(pid, 0);
    return 'unknown';
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    return isGone ? 'gone' : 'unknown';
  }
}
