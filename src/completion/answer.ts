import { visible } from '../terminal/visible.ts';
import { quoteRest } from './bash-quote.ts';
import { readWord, splitBash } from './bash-words.ts';
import type { Candidate, Reply } from './candidates.ts';
import type { Line } from './line.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A shell's question: what was typed, and how to write the answer for its script. */
export interface Question {
  readonly line: Line;
  readonly write: (reply: Reply) => string;
}

/** Lists the files whose paths begin in a certain way; those of directories end with `/`. */
export type ListFiles = (start: string) => readonly string[];

/**
 * Reads what the script of a shell gives.
 *
 * @param given from bash the line up to the cursor, and the part of it that readline is going to
 *   replace; from the others all words up to the cursor, without their quotes
 */
export function readQuestion(
  shell: Shell,
  given: readonly string[],
  listFiles: ListFiles,
): Question {
  if (shell === 'bash') return readBash(given, listFiles);
  const write = shell === 'zsh' ? writeZsh : writeFish;
  return { line: lineOf(given.slice(0, -1), given.at(-1) ?? ''), write };
}

/** @param words before the current one, with `leasectl` and the variables that are set for it */
function lineOf(words: readonly string[], current: string): Line {
  const command = words.findIndex((word) => !/^\w+=/.test(word));
  return { words: words.slice(command + 1), current };
}

/**
 * Lines: the kind, then words as they have to stand on the line. bash completes the names of files
 * by itself (`files`, where it can be asked to), unless something stands before them (`paths`).
 */
function readBash([text = '', replaced = '']: readonly string[], listFiles: ListFiles): Question {
  const { words, current, isRedirected } = splitBash(text);
  const start = current.raw.length - replaced.length;
  const kept = readWord(current.raw.slice(0, start));
  const isUnderstood = current.raw.endsWith(replaced) && kept.raw.length === start;
  const lines = (kind: string, values: readonly string[]) => {
    const fitting = values.filter((value) => value.startsWith(current.value));
    const rest = fitting.map((value) => quoteRest(value.slice(kept.value.length), kept.quote));
    return [kind, ...rest, ''].join('\n');
  };
  const write = (reply: Reply): string => {
    if (!isUnderstood) return '';
    if (reply.kind === 'command') return 'command\n';
    const { prefix } = reply;
    if (reply.kind === 'words') {
      return lines(
        'words',
        representable(reply.candidates).map(({ value }) => prefix + value),
      );
    }
    const files = listFiles(current.value.slice(prefix.length)).map((file) => prefix + file);
    return lines(prefix.length > kept.value.length ? 'paths' : 'files', files);
  };
  const line = lineOf(
    words.map(({ value }) => value),
    current.value,
  );
  return { line, write: isRedirected ? () => write({ kind: 'files', prefix: '' }) : write };
}

/** No shell can have it in a word. */
function representable(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ value }) => !value.includes('\0'));
}

/**
 * zsh quotes what it inserts. Fields that end with NUL: the kind, the prefix, then words, each with
 * how it is shown, and a description.
 */
function writeZsh(reply: Reply): string {
  if (reply.kind === 'command') return fields('command', '');
  if (reply.kind === 'files') return fields('files', reply.prefix);
  const words = shown(reply.candidates).flatMap(({ value, description = '' }) => [
    value,
    visible(value),
    visible(description),
  ]);
  return fields('words', reply.prefix, ...words);
}

/** fish quotes what it inserts, too; a description follows a tab. */
function writeFish(reply: Reply): string {
  if (reply.kind === 'command') return fields('command', '');
  if (reply.kind === 'files') return fields('files', reply.prefix);
  const lines = shown(reply.candidates)
    // It would leave a ~ at the beginning without quotes, too.
    .filter(({ value }) => !value.includes('\t') && !value.startsWith('~'))
    .map(({ value, description }) => {
      const word = reply.prefix + value;
      return description ? `${word}\t${visible(description)}` : word;
    });
  return fields('words', reply.prefix, ...lines);
}

/** zsh and fish spell control characters out, but show as it is what changes the order of a text. */
function shown(candidates: readonly Candidate[]): Candidate[] {
  return representable(candidates).filter(
    ({ value }) => visible(value.replace(/\p{Cc}/gu, '')) === value.replace(/\p{Cc}/gu, ''),
  );
}

function fields(...texts: readonly string[]): string {
  return texts.map((text) => `${text}\0`).join('');
}
