import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { onTestFinished } from 'vitest';
import { Leftovers } from './leftovers.ts';
import { BIN, createSandbox, type Outcome, outcomeOf, type Sandbox } from './sandbox.ts';

/** What a watchdog, or what is being killed, may take to be gone, in milliseconds. */
const LINGERING = 2_000;
/** How often it is looked for the children of what runs, and for what is waited for. */
const NOTE_INTERVAL = 50;
const LOOK_INTERVAL = 20;

/** A process that was started, and what it has written so far. */
export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when it has ended and its streams are closed. */
  readonly outcome: Promise<Outcome>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  /** Waits until it has written to stdout what matches, and gives what the first group caught. */
  says(pattern: RegExp): Promise<string>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Text for stdin, which is then at its end. */
  readonly input?: string;
  readonly stdio?: StdioOptions;
}

/** A sandbox for commands that run under leases. When a test is over, nothing of them may be left. */
export interface ExecHost extends Sandbox {
  /** Has a `leasectl` in its PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts leasectl. */
  leasectl(args: readonly string[], options?: StartOptions): Started;
  /** Starts a line of bash, which may run `leasectl`. */
  bash(line: string, options?: StartOptions): Started;
  /** Takes note of a process whose children may outlive it. */
  watch(pid: number): void;
  file(name: string): string;
  /** What is kept for commands that ran, or run. */
  workFiles(): string[];
  /** The ids of which the ledger has a handle. */
  held(): string[];
}

export function createExecHost(): ExecHost {
  const sandbox = createSandbox();
  const { directory } = sandbox;
  const marker = ['EXEC_TEST', randomUUID()] as const;
  const leftovers = new Leftovers(marker.join('='));
  const watched: number[] = [];
  const noting = setInterval(() => leftovers.note(watched), NOTE_INTERVAL);
  onTestFinished(async () => {
    const remaining = await leftovers.remaining(LINGERING);
    clearInterval(noting);
    leftovers.kill();
    if (remaining.length > 0) throw new Error(`left behind:\n${remaining.join('\n')}`);
  });
  const program = join(directory, 'leasectl');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(program, 0o700);
  const env = {
    ...sandbox.env,
    PATH: [directory, sandbox.env['PATH']].join(delimiter),
    [marker[0]]: marker[1],
  };
  const start = (file: string, args: readonly string[], options: StartOptions = {}) => {
    const started = startProcess(file, args, env, options);
    watched.push(started.pid);
    return started;
  };
  return {
    ...sandbox,
    env,
    leasectl: (args, options) => start(process.execPath, [BIN, ...args], options),
    bash: (line, options) => start('bash', ['-c', line], options),
    run: (args, options = {}) => start(process.execPath, [BIN, ...args], options).outcome,
    watch: (pid) => void watched.push(pid),
    file: (name) => join(directory, name),
    workFiles: () => {
      const root = join(directory, 'state', 'leasectl', 'work');
      return existsSync(root) ? readdirSync(root, { recursive: true }).map(String) : [];
    },
    held: () => {
      const db = new Database(sandbox.ledgerFile);
      const rows = db.prepare('SELECT id FROM handles ORDER BY id').all();
      db.close();
      return rows.map((row) => String(Object(row).id));
    },
  };
}

function startProcess(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { env: more = {}, input, stdio = 'pipe' }: StartOptions,
): Started {
  const child = spawn(file, args, { env: { ...env, ...more }, stdio });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} could not be started`);
  // A command that ends without reading leaves a broken pipe: not what is tested.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input ?? '');
  const outcome = outcomeOf(child);
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString('latin1');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  return {
    pid,
    child,
    outcome,
    stdout: () => out,
    stderr: () => err,
    kill: (signal) => void child.kill(signal),
    says: async (pattern) => {
      const says = () => pattern.exec(out);
      const ended = () => child.exitCode !== null || child.signalCode !== null;
      const found = await until(() => says() ?? (ended() ? 'nothing' : undefined), `${pattern}`);
      if (found === 'nothing') throw new Error(`it ended without ${pattern}: ${out}${err}`);
      return found[1] ?? '';
    },
  };
}

/**
 * Waits for a condition.
 *
 * @param look gives undefined or false as long as it is not met
 * @param what for the message when it never is
 */
export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  patience = 15_000,
): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await delay(LOOK_INTERVAL);
  }
}

/** The state of a process as the kernel tells it, e.g. `T` when it is stopped; undefined when it is gone. */
export function processState(pid: number | string): string | undefined {
  const stat = contentOf(`/proc/${pid}/stat`);
  const state = stat?.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === 'Z' || state === 'X' ? undefined : state;
}

export function childrenOf(pid: number | string): string[] {
  const text = contentOf(`/proc/${pid}/task/${pid}/children`) ?? '';
  return text.split(' ').filter(Boolean);
}

export function commandLineOf(pid: number | string): string {
  return (contentOf(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

/** The watchdog that a leasectl has now. */
export function watchdogOf(pid: number | string): Promise<number> {
  const find = () => childrenOf(pid).find((child) => commandLineOf(child).includes('guard.js'));
  return until(find, 'a watchdog').then(Number);
}

export function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
