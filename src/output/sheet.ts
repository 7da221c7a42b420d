import stringWidth from 'string-width';
import { visible } from '../terminal/visible.ts';
import { padded, wrapped } from './checks.ts';
import type { Paint, Style } from './style.ts';
import { cutMiddle } from './table.ts';

/** How good what a headline tells is. */
export type Tone = 'good' | 'doubtful' | 'bad';

export interface SheetRow {
  readonly label: string;
  /** What goes on in the next line where there is no room; or several lines, each cut to it. */
  readonly text: string | readonly string[];
  /** Whether that is to be copied as it is, and stays on one line. */
  readonly isCommand?: boolean;
}

export interface Sheet {
  readonly headline: string;
  readonly tone: Tone;
  readonly rows: readonly SheetRow[];
}

const GAP = 2;
/** Lines that one text takes at most, unless all of it is wanted. */
const MOST_LINES = 4;

/**
 * One thing on one screen: a headline, and below it what there is to know, each with its label. In a
 * pipe a line each, tab-separated.
 */
export function renderSheet({ headline, tone, rows }: Sheet, style: Style): string {
  const { isInteractive, isWide, paint, clean } = style;
  const safe = (text: string) => visible(clean(text));
  if (!isInteractive) {
    const lines = rows.flatMap(({ label, text }) => [text].flat().map((line) => [label, line]));
    return [['Diagnosis', headline], ...lines].map((line) => line.map(safe).join('\t')).join('\n');
  }
  const columns = isWide ? Number.POSITIVE_INFINITY : style.columns;
  const begin = Math.max(...rows.map(({ label }) => label.length)) + GAP;
  const room = columns - begin;
  const told = rows.map(({ label, text, isCommand }) => {
    const lines = isCommand || isWide ? [text].flat().map(safe) : linesOf(text, room, safe);
    const shown = lines.map((line) => (isCommand ? paint.bold(line) : line));
    return paint.bold(padded(label, begin)) + shown.join(`\n${' '.repeat(begin)}`);
  });
  const head = isWide ? [safe(headline)] : linesOf(headline, columns, safe);
  const painted = head.map((line) => PAINTED[tone](paint)(line));
  return [...painted, '', ...told].join('\n');
}

function linesOf(
  text: SheetRow['text'],
  room: number,
  safe: (text: string) => string,
): readonly string[] {
  if (typeof text !== 'string') return text.map((line) => cutMiddle(safe(line), room));
  const all = safe(text);
  // In lines that are broken between words there is less room than that.
  const cut = stringWidth(all) > room * MOST_LINES ? cutMiddle(all, room * (MOST_LINES - 1)) : all;
  return wrapped(cut, room);
}

const PAINTED: Readonly<Record<Tone, (paint: Paint) => Paint['red']>> = {
  good: ({ green }) => green,
  doubtful: ({ yellow }) => yellow,
  bad: ({ red }) => red,
};
