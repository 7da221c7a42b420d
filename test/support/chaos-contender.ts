import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Deed, Ending } from './exec-check.ts';
import type { Random } from './random.ts';
import type { Sandbox } from './sandbox.ts';

const CHILD = fileURLToPath(new URL('./chaos-child.sh', import.meta.url));

/** One `leasectl exec` that wants the lease. */
export interface Contender {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds that its command works. */
  readonly work: number;
  readonly done: Deed[];
  /** What it wrote to stderr: its events. */
  readonly told: readonly string[];
  /** Undefined as long as it runs. */
  ending(): Ending | undefined;
  signal(signal: NodeJS.Signals): void;
}

export interface HireOptions {
  readonly name: string;
  /** The program. */
  readonly bin: string;
  /** The command that it is to run, up to `--`. */
  readonly args: readonly string[];
  readonly id: string | undefined;
  /** What the command ends with, when all goes well. */
  readonly code: number;
  /** Milliseconds that the command works. */
  readonly work: number;
  readonly machine: Sandbox;
  readonly random: Random;
  /** Where the service is, and where to write what. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts one, with habits of its own. */
export function hire(options: HireOptions): Contender {
  const { name, bin, args, id, code, work, machine, random } = options;
  const wait = waitOf(random);
  const flags = [
    ...['--grace', random.pick(['0s', '1s']), '--timeout', '6s', '--json'],
    ...(wait > 0 ? ['--wait', `${wait / 1_000}s`] : []),
  ];
  const background = random.pick(['', 'waited', 'left', 'left']);
  const since = performance.now();
  const child = spawn(process.execPath, [bin, ...args, ...flags, '--', 'bash', CHILD], {
    env: {
      ...machine.env,
      ...options.env,
      // The proxy knows it by that.
      LEASECTL_TOKEN: name,
      CHAOS_BY: name,
      CHAOS_WORK: (work / 1_000).toFixed(3),
      CHAOS_CODE: String(code),
      ...(random.chance(0.3) ? { CHAOS_STUBBORN: '1' } : {}),
      ...(background ? { CHAOS_BACKGROUND: background } : {}),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const done: Deed[] = [];
  const told: string[] = [];
  let ending: Ending | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => void told.push(text));
  // Not "close": what it left behind may hold its streams open.
  child.on('exit', (exitCode, signal) => {
    const took = Math.round(performance.now() - since);
    const isThrough = told.join('').includes('{"event":"finished"');
    ending = { by: name, id, code: exitCode, signal, took, wait, done, isThrough };
  });
  return {
    name,
    pid: pidOf(child),
    work,
    done,
    told,
    ending: () => ending,
    signal: (signal) => void child.kill(signal),
  };
}

/** Most wait for longer than all takes; some for a moment, and some not at all. */
function waitOf(random: Random): number {
  if (random.chance(0.8)) return 60_000;
  return random.chance(0.5) ? Math.round(random.between(1, 3)) * 1_000 : 0;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a contender could not be started');
  return pid;
}
