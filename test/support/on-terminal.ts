import { spawn } from '@lydell/node-pty';
import type { Seen } from './canary-machine.ts';
import { watchChildrenOf } from './canary-watch.ts';
import { BIN } from './sandbox.ts';

interface Options {
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly cwd: string;
}

/** Shell: stdin is what the variable says, and leasectl's own streams are the terminal. */
const LINE = 'printf %s "$TYPED" | { unset TYPED; exec "$@"; }';

/** Runs leasectl where people see what it says, but nobody can be asked. All counts as stdout. */
export async function runOnTerminal(
  words: readonly string[],
  { env, input, cwd }: Options,
): Promise<Seen> {
  const line = ['-c', LINE, 'sh', process.execPath, BIN, ...words];
  const terminal = spawn('/bin/sh', line, {
    name: 'xterm-256color',
    cols: 80,
    rows: 30,
    cwd,
    env: { ...env, TERM: 'xterm-256color', TYPED: input },
  });
  const watched = watchChildrenOf(terminal.pid);
  let stdout = '';
  terminal.onData((data) => {
    stdout += data;
  });
  const code = await new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => resolve(exitCode));
  });
  // Its own environment, and the shell's, are what was given to them.
  const own = [process.execPath, BIN, ...words].join('\0');
  const children = watched.stop().filter(({ commandLine }) => !commandLine.includes(own));
  return { code, signal: null, stdout, stderr: '', children };
}
