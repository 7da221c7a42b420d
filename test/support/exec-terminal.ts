import { writeFileSync } from 'node:fs';
import { spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';
import { type ExecHost, until } from './exec-host.ts';

/** A person's interactive bash, on a terminal of its own. */
export interface TypedShell {
  /** Types a line, and the return key. */
  type(line: string): void;
  /** Presses keys, e.g. `CTRL_C`. */
  press(keys: string): void;
  /** Waits until what was shown since the last line was typed has this in it. */
  shows(pattern: RegExp): Promise<string>;
  /** What was sent to the terminal since the last line was typed. */
  sent(): string;
  /** What a person sees, without empty lines at the end. */
  screen(): string;
  resize(columns: number, rows: number): void;
  /** Takes the terminal away. */
  close(): void;
  /** Waits for the prompt, and gives the code of the line before. */
  code(): Promise<number>;
}

export const CTRL_C = '\u0003';
export const CTRL_Z = '\u001a';
export const CTRL_BACKSLASH = '\u001c';
export const CTRL_D = '\u0004';
const PROMPT = '$ ';

export async function openShell(host: ExecHost): Promise<TypedShell> {
  const settings = host.file('inputrc');
  writeFileSync(settings, 'set enable-bracketed-paste off\n');
  const terminal = spawn('bash', ['--norc', '--noprofile', '-i'], {
    name: 'xterm-256color',
    cols: 100,
    rows: 30,
    cwd: host.directory,
    env: { ...host.env, PS1: PROMPT, HISTFILE: '', INPUTRC: settings, TERM: 'xterm-256color' },
  });
  host.watch(terminal.pid);
  onTestFinished(() => {
    terminal.kill('SIGKILL');
  });
  let all = '';
  let typedAt = 0;
  terminal.onData((data) => {
    all += data;
  });
  const sent = () => all.slice(typedAt);
  const shows = async (pattern: RegExp) => {
    const found = await until(() => pattern.exec(sent()) ?? undefined, `${pattern}`).catch(
      (error: Error) => {
        throw new Error(`${error.message}; it showed ${JSON.stringify(sent())}`);
      },
    );
    return found[1] ?? '';
  };
  const type = (line: string) => {
    typedAt = all.length;
    terminal.write(`${line}\r`);
  };
  await shows(/\$ $/);
  return {
    type,
    press: (keys) => terminal.write(keys),
    shows,
    sent,
    screen: () => screenOf(all),
    resize: (columns, rows) => terminal.resize(columns, rows),
    close: () => terminal.kill(),
    code: async () => {
      await shows(/(^|\n|\r)\S*\$ $/);
      type('echo "[$?]"');
      return Number(await shows(/\n\[(\d+)\]/));
    },
  };
}

const ERASE = '\u001b[K';

/** The lines that are seen: as much of a terminal as a shell and leasectl need. */
function screenOf(sent: string): string {
  const lines: string[] = [''];
  let column = 0;
  const put = (text: string) => lines.splice(-1, 1, text);
  for (let at = 0; at < sent.length; at += 1) {
    const line = lines.at(-1) ?? '';
    const character = sent[at] ?? '';
    if (sent.startsWith(ERASE, at)) {
      put(line.slice(0, column));
      at += ERASE.length - 1;
    } else if (character === '\r') column = 0;
    else if (character === '\n') lines.push('');
    else {
      put(line.slice(0, column).padEnd(column) + character + line.slice(column + 1));
      column += 1;
    }
  }
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}
