import stringWidth from 'string-width';
import type { Paint, Style } from './style.ts';
import { cutMiddle } from './table.ts';

/** What was looked at, how it is, and what to do about it: without any secret. */
export interface CheckRow {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly mend: string | undefined;
  /** Whether that is to be copied as it is. */
  readonly isCommand: boolean;
}

const HEAD = ['CHECK', 'STATUS', 'DETAIL'] as const;
const GAP = 2;
const STATUS_WIDTH = HEAD[1].length;
/** What names the checks gets no more than a third of the terminal. */
const SHARE = 1 / 3;
const MARK = '  → ';

/**
 * Checks, a line each under a head, and under what is wrong its mend. Details go on in the next line
 * where there is no room; a command to be copied stays on one line. In a pipe it is all tab-separated.
 */
export function renderChecks(rows: readonly CheckRow[], style: Style): string {
  const { isInteractive, hasHeader, isWide, paint } = style;
  const columns = isWide ? Number.POSITIVE_INFINITY : style.columns;
  if (!isInteractive) {
    const lines = rows.map((row) => [row.check, row.status, row.detail, row.mend ?? '']);
    const all = hasHeader ? [[...HEAD, 'MEND'], ...lines] : lines;
    return all.map((line) => line.join('\t')).join('\n');
  }
  const longest = Math.max(...rows.map(({ check }) => stringWidth(check)), HEAD[0].length);
  const width = Math.min(longest, Math.floor(columns * SHARE));
  const begin = width + STATUS_WIDTH + 2 * GAP;
  const line = (check: string, status: string, detail: string) =>
    [padded(check, width), status, detail].join(' '.repeat(GAP));
  const lines = rows.flatMap((row) => {
    const details = wrapped(row.detail, columns - begin).join(`\n${' '.repeat(begin)}`);
    const status = PAINTED[row.status](paint)(row.status.padEnd(STATUS_WIDTH));
    const told = line(cutMiddle(row.check, width), status, details);
    return [told, ...mendLines(row, columns)];
  });
  const head = hasHeader ? [paint.bold(line(...HEAD))] : [];
  return [...head, ...lines].join('\n');
}

const PAINTED: Readonly<Record<CheckRow['status'], (paint: Paint) => Paint['red']>> = {
  ok: ({ green }) => green,
  warn: ({ yellow }) => yellow,
  fail: ({ red }) => red,
};

function mendLines({ mend, isCommand }: CheckRow, columns: number): string[] {
  if (mend === undefined) return [];
  const lines = isCommand ? [mend] : wrapped(mend, columns - MARK.length);
  return [MARK + lines.join(`\n${' '.repeat(MARK.length)}`)];
}

export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** Lines of at most so many columns, broken between words, and within those that are longer. */
export function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((whole) => pieces(whole, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stringWidth(longer) <= room) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** Parts of a word that have room; those of a path end where one of its names does, if they can. */
function pieces(word: string, room: number): string[] {
  if (stringWidth(word) <= room) return [word];
  let head = '';
  for (const character of word) {
    if (head !== '' && stringWidth(head + character) > room) break;
    head += character;
  }
  const slash = head.lastIndexOf('/') + 1;
  const end = slash > head.length / 2 ? slash : head.length;
  return [word.slice(0, end), ...pieces(word.slice(end), room)];
}
