import { hostname } from 'node:os';
import { spawn } from '@lydell/node-pty';
import { BIN, type Sandbox } from './sandbox.ts';

const WIDTHS = [80, 140] as const;

interface Shown {
  readonly code: number;
  readonly text: string;
}

/** It stays there until all that it showed was seen. */
const LINE = '"$@"; printf "<end %s>" "$?"; read _';

/** Runs leasectl on a terminal of its own. */
export function runWide(
  { env, directory }: Sandbox,
  args: readonly string[],
  cols: number,
): Promise<Shown> {
  return new Promise((resolve) => {
    const terminal = spawn('/bin/sh', ['-c', LINE, 'sh', process.execPath, BIN, ...args], {
      name: 'xterm-256color',
      ...{ cols, rows: 50, cwd: directory },
      env: { ...env, TERM: 'xterm-256color' },
    });
    let text = '';
    terminal.onData((data) => {
      text += data;
      const [end, code] = /<end (\d+)>$/.exec(text) ?? [];
      if (end === undefined) return;
      terminal.kill('SIGKILL');
      resolve({ code: Number(code), text: settled(text.slice(0, -end.length)) });
    });
  });
}

const ERASE = '\r\u001b[K';

/** What is left on the screen: without what was shown only while something was waited for. */
function settled(text: string): string {
  const [first = '', ...parts] = text.split(ERASE);
  const kept = parts.map((part, index) =>
    index === parts.length - 1 || part.includes('\n') ? part : '',
  );
  return [first, ...kept].join('').replaceAll('\r', '');
}

/**
 * What people see of a command at two widths, with colors and without: with nothing in it that is
 * another at the next run.
 */
export async function screensOf(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const views = WIDTHS.flatMap((columns) =>
    [['--no-color'], []].map((flags) => ({ columns, flags })),
  );
  const parts = await Promise.all(
    views.map(async ({ columns, flags }) => {
      const { code, text } = await runWide(sandbox, [...args, ...flags], columns);
      const name = `${columns} columns, ${flags.length > 0 ? 'no colors' : 'colors'}`;
      return `=== ${name}, exit code ${code}\n${constant(withMarks(text), sandbox)}`;
    }),
  );
  return parts.join('\n');
}

/** Colors as they can be read. */
function withMarks(text: string): string {
  return text.replaceAll('\u001b[', '{').replace(/(\{\d+)m/g, '$1}');
}

/** Made the same for every run: times, ids, processes, this machine. */
function constant(text: string, { directory }: Sandbox): string {
  return text
    .replaceAll(directory, 'DIRECTORY')
    .replaceAll(`@${hostname()}`, '@HOST')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00/g, '2026-11-22 12:00:00 +00:00')
    .replace(/\b(r?job)_[0-9a-z]{18,}/g, '$1_ID')
    .replace(/(process|-CONT) \d+/g, '$1 4711')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:4000')
    .replace(/(\b\d+(\.\d+)?[dhms]( \d+[hms])? ago|just now|\bnow\b) */g, 'AGO ')
    .replace(/\b\d+(\.\d+)?[dhms]( \d+[hms])?\b/g, 'TIME')
    .replace(/\b\d+ times/g, 'N times')
    .replace(/AGO ([),.:;?]|$)/gm, 'AGO$1');
}
