import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';
import type { Shell } from '../../src/completion/answer.ts';
import { until } from './exec-host.ts';
import { BIN, type Sandbox } from './sandbox.ts';

/** A person's interactive shell that completes leasectl, on a terminal of its own. */
export interface CompletingShell {
  /** Where it works. */
  readonly directory: string;
  /** Types this, TAB and return. @returns the arguments that leasectl is then run with */
  argsAfter(typed: string): Promise<string[]>;
  /** Types this, and TAB twice, and waits until this is shown. Then it is of no more use. */
  shows(typed: string, pattern: RegExp): Promise<string>;
}

const TAB = '\t';
const READY = 'ready-to-type';

interface Start {
  readonly args: readonly string[];
  /** Lines that switch the completion on as the README says, and settle how the shell looks. */
  readonly lines: readonly string[];
}

const STARTS: Readonly<Record<Shell, Start>> = {
  bash: {
    args: ['--norc', '--noprofile', '-i'],
    lines: ['bind "set completion-query-items 0"', 'eval "$(leasectl completion bash)"'],
  },
  zsh: {
    args: ['-f', '-i'],
    lines: [
      'unsetopt prompt_sp',
      'source <(leasectl completion zsh)',
      'zstyle ":completion:*" list-prompt ""',
    ],
  },
  fish: {
    args: ['--no-config', '-i'],
    lines: ['function fish_prompt; end', 'leasectl completion fish | source'],
  },
};

/** Whether the shell is on this machine; in CI it has to be. */
export function isInstalled(shell: Shell): boolean {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['LEASECTL_TEST_ALL'] === '1') throw new Error(`${shell} is not installed`);
    return false;
  }
}

export async function openCompletingShell(
  shell: Shell,
  sandbox: Sandbox,
): Promise<CompletingShell> {
  const directory = join(sandbox.directory, 'here');
  const given = join(sandbox.directory, 'given');
  mkdirSync(directory, { recursive: true });
  const bin = installStandIn(sandbox, given);
  const { args, lines } = STARTS[shell];
  const terminal = spawn(shell, [...args], {
    name: 'xterm',
    cols: 200,
    rows: 50,
    cwd: directory,
    env: {
      ...sandbox.env,
      PATH: [bin, sandbox.env['PATH']].join(delimiter),
      LC_ALL: 'C.UTF-8',
      TERM: 'xterm',
      PS1: '',
      HISTFILE: '',
    },
  });
  onTestFinished(() => {
    terminal.kill('SIGKILL');
  });
  let sent = '';
  terminal.onData((data) => {
    sent += data;
  });
  const seen = (pattern: RegExp) =>
    until(() => pattern.exec(sent)?.[0], `${pattern}`).catch((error: Error) => {
      throw new Error(`${error.message} in ${shell}; it showed ${JSON.stringify(sent)}`);
    });
  const type = (keys: string) => {
    sent = '';
    terminal.write(keys);
  };
  const settle = async () => {
    // What the shell prints, and not what was typed.
    type(`printf '%s-to-%s\\n' ready type\r`);
    await seen(new RegExp(READY));
  };
  for (const line of lines) {
    type(`${line}\r`);
    await settle();
  }
  return {
    directory,
    argsAfter: async (typed) => {
      rmSync(given, { force: true });
      type(`${typed}${TAB}\r`);
      await until(
        () => existsSync(given),
        `leasectl after ${JSON.stringify(typed)} in ${shell}`,
      ).catch((error: Error) => {
        throw new Error(`${error.message}; it showed ${JSON.stringify(sent)}`);
      });
      return readFileSync(given, 'utf8').split('\0').slice(0, -1);
    },
    shows: async (typed, pattern) => {
      type(`${typed}${TAB}${TAB}`);
      return seen(pattern);
    },
  };
}

/** A leasectl that completes, and else only notes what it is given. */
function installStandIn({ directory }: Sandbox, given: string): string {
  const bin = join(directory, 'bin');
  mkdirSync(bin, { recursive: true });
  const file = join(bin, 'leasectl');
  writeFileSync(
    file,
    `#!/bin/sh
case $1 in __complete | completion) exec '${process.execPath}' '${BIN}' "$@" ;; esac
printf '%s\\0' "$@" > '${given}.new' && mv '${given}.new' '${given}'
`,
  );
  chmodSync(file, 0o755);
  return bin;
}
