import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { onTestFinished } from 'vitest';
import { until } from './exec-host.ts';
import { BIN, type Sandbox } from './sandbox.ts';

/** A person at a bash, with a real terminal. */
export interface Person {
  /** Presses keys. */
  press(keys: string): void;
  /** Types a line, and the return key. */
  type(line: string): void;
  /** Waits until this is on the screen, or above it; what matches last is told. */
  sees(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Answers a question: waits for it, and types. */
  answers(question: RegExp, answer?: string): Promise<void>;
  /** The screen and what was scrolled out of it, without empty lines at the end. */
  screen(): Promise<string>;
  /** All that was sent to the terminal. */
  sent(): string;
  resize(columns: number): void;
  /** Takes the terminal away. */
  close(): void;
  /** Waits for the prompt, and gives the code of the line before. */
  code(): Promise<number>;
}

export const RETURN = '\r';
export const DOWN = '\u001b[B';

const ROWS = 40;

/** @param columns how wide the terminal is */
export async function openTerminal({ directory, env }: Sandbox, columns = 80): Promise<Person> {
  const programs = join(directory, 'bin');
  mkdirSync(programs, { recursive: true });
  writeFileSync(
    join(programs, 'leasectl'),
    `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`,
  );
  chmodSync(join(programs, 'leasectl'), 0o700);
  const shell = spawn('bash', ['--norc', '--noprofile', '-i'], {
    name: 'xterm-256color',
    cols: columns,
    rows: ROWS,
    cwd: directory,
    env: {
      ...env,
      PATH: [programs, env['PATH']].join(delimiter),
      PS1: '$ ',
      HISTFILE: '',
      TERM: 'xterm-256color',
    },
  });
  const terminal = new xterm.Terminal({ cols: columns, rows: ROWS, allowProposedApi: true });
  onTestFinished(() => {
    shell.kill('SIGKILL');
    terminal.dispose();
  });
  let sent = '';
  shell.onData((data) => {
    sent += data;
    terminal.write(data);
  });
  const screen = async () => {
    await new Promise<void>((resolve) => terminal.write('', resolve));
    const { active } = terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) =>
      active.getLine(row)?.translateToString(true),
    );
    return lines.join('\n').trimEnd();
  };
  const sees = async (pattern: RegExp) => {
    const find = async () => (await screen()).match(pattern) ?? undefined;
    return until(find, `${pattern}`).catch(async (error: Error) => {
      throw new Error(`${error.message}; there is:\n${await screen()}`);
    });
  };
  const press = (keys: string) => shell.write(keys);
  const person: Person = {
    press,
    type: (line) => press(`${line}${RETURN}`),
    sees,
    answers: async (question, answer = '') => {
      await sees(question);
      press(`${answer}${RETURN}`);
    },
    screen,
    sent: () => sent,
    resize: (width) => {
      shell.resize(width, ROWS);
      terminal.resize(width, ROWS);
    },
    close: () => shell.kill(),
    code: async () => {
      await sees(/\n\$$/);
      press(`echo "[$?]"${RETURN}`);
      const [, code] = await sees(/\n\[(\d+)\]\n\$$/);
      return Number(code);
    },
  };
  await sees(/^\$$/);
  return person;
}
