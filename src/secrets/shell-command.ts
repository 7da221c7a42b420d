import { type ChildProcess, spawn } from 'node:child_process';

export interface ShellOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds that it has. */
  readonly timeout: number;
  /** Bytes that it may print on stdout. */
  readonly limit: number;
}

/** How a command ended. Its stderr is what it said last. */
export type ShellOutcome =
  | {
      readonly type: 'ended';
      readonly end: number | NodeJS.Signals;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly type: 'late' }
  | { readonly type: 'too_much' }
  | { readonly type: 'not_started'; readonly error: Error };

const IS_WINDOWS = process.platform === 'win32';
/** How much of its stderr is kept, in bytes. */
const LAST_WORDS = 4_096;
/** What is waited for in vain, in milliseconds, while another process holds its output open. */
const HELD_OPEN = 500;
/** What would end this process alone: the command is in a group of its own. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a line of shell, without stdin. All that it started is killed when it takes too long or prints
 * too much, and when this process exits; what it left running when it ended runs on.
 */
export function runShell(
  line: string,
  { env, timeout, limit }: ShellOptions,
): Promise<ShellOutcome> {
  const child = spawn(line, {
    shell: true,
    env,
    detached: !IS_WINDOWS,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  return new Promise((resolve) => {
    const settle = (outcome: ShellOutcome) => {
      clearTimeout(timer);
      clearTimeout(heldOpen);
      stopPassingOn();
      process.off('exit', onExit);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(outcome);
    };
    const kill = (type: 'late' | 'too_much') => {
      signalGroup(child, 'SIGKILL');
      settle({ type });
    };
    const onExit = () => signalGroup(child, 'SIGKILL');
    process.once('exit', onExit);
    const stopPassingOn = passSignalsOn(child);
    const timer = setTimeout(() => kill('late'), timeout);
    let heldOpen: NodeJS.Timeout | undefined;
    let stdout = Buffer.alloc(0);
    let stderr = Buffer.alloc(0);
    child.stdout.on('data', (part: Buffer) => {
      stdout = Buffer.concat([stdout, part]);
      if (stdout.length > limit) kill('too_much');
    });
    child.stderr.on('data', (part: Buffer) => {
      stderr = Buffer.concat([stderr, part]).subarray(-LAST_WORDS);
    });
    const ended = (code: number | null, signal: NodeJS.Signals | null) => {
      const end = signal ?? code ?? 0;
      settle({ type: 'ended', end, stdout: stdout.toString(), stderr: stderr.toString() });
    };
    child.on('error', (error) => settle({ type: 'not_started', error }));
    child.on('exit', (...exit) => {
      heldOpen = setTimeout(() => ended(...exit), HELD_OPEN);
    });
    child.on('close', ended);
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (IS_WINDOWS) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // All of it is gone, or runs as another user.
  }
}

/** Ends the command with this process. @returns stops that */
function passSignalsOn(child: ChildProcess): () => void {
  const end = (signal: NodeJS.Signals) => {
    signalGroup(child, 'SIGTERM');
    stop();
    // Nobody else hears it: then it is to do what it does by itself.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, end);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return stop;
}
