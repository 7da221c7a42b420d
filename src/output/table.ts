import Table from 'cli-table3';
import stringWidth from 'string-width';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';

/** No lines between the rows: a table is to be read at a glance. */
const LAYOUT = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/**
 * A label and its value; rows without a value are left out. What is `whole` is shown as it is: never
 * cut, and also when it is a secret.
 */
export type Detail = readonly [
  label: string,
  value: string | number | null | undefined,
  whole?: 'whole',
];

/** A whole number with its thousands apart: `1,000,000`. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** One thing with its properties, a line each: a box on a terminal, tab-separated in a pipe. */
export function renderDetails(details: readonly Detail[], style: Style): string {
  const { isInteractive, columns, isWide, paint, clean } = style;
  const rows = details.flatMap(([label, value, whole]) => {
    if (value === null || value === undefined) return [];
    const text = whole ? String(value) : clean(String(value));
    return [{ label, value: visible(text), isWhole: whole !== undefined || isWide }];
  });
  if (!isInteractive) return rows.map(({ label, value }) => `${label}\t${value}`).join('\n');
  const room = columns - Math.max(...rows.map(({ label }) => label.length)) - frameOf(2);
  const table = new Table(LAYOUT);
  for (const { label, value, isWhole } of rows) {
    table.push([paint.bold(label), isWhole ? value : cutMiddle(value, room)]);
  }
  return table.toString();
}

/** Cuts a text in its middle, where it says least, to what the terminal has room for. */
export function cutMiddle(text: string, room: number): string {
  const characters = [...text];
  // A character is at most two columns wide: to measure a much longer text would only take time.
  if (characters.length <= 2 * room && stringWidth(text) <= room) return text;
  let head = Math.min(Math.ceil(characters.length / 2), Math.max(1, room));
  let tail = Math.max(head, characters.length - Math.max(1, room));
  const cut = () => [...characters.slice(0, head), '…', ...characters.slice(tail)].join('');
  while (head > 1 && stringWidth(cut()) > room) {
    if (characters.length - tail >= head) tail += 1;
    else head -= 1;
  }
  return cut();
}

/**
 * Many things, a line each, under a head; numbers end in one line. Where the terminal is too narrow
 * for that each has a line for each of its properties. In a pipe tab-separated.
 *
 * @param painted colors what stands in a cell of the table
 */
export function renderList(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  style: Style,
  painted?: (cell: string, row: number, column: number) => string,
): string {
  const { isInteractive, hasHeader, clean, paint } = style;
  const shown = rows.map((row) => row.map((cell) => visible(clean(String(cell)))));
  const lines = hasHeader ? [head, ...shown] : shown;
  if (!isInteractive) return lines.map((row) => row.join('\t')).join('\n');
  if (lines.length === 0) return '';
  const widths = head.map((_, column) =>
    Math.max(...lines.map((row) => stringWidth(row[column] ?? ''))),
  );
  const { layout, rooms } = fitted(widths, style);
  const isReadable = shown.every((row) =>
    row.every((cell, column) => Math.min(stringWidth(cell), NARROWEST) <= (rooms[column] ?? 0)),
  );
  if (!isReadable) return renderBlocks(head, shown, style);
  const cut = (row: readonly string[]) =>
    row.map((cell, column) => cutMiddle(cell, rooms[column] ?? cell.length));
  const colAligns = head.map((_, column) => (isNumeric(rows, column) ? 'right' : 'left'));
  const table = new Table({
    ...layout,
    colAligns,
    head: hasHeader ? cut(head).map((name) => paint.bold(name)) : [],
  });
  shown.forEach((row, at) => {
    table.push(cut(row).map((cell, column) => painted?.(cell, at, column) ?? cell));
  });
  return table.toString().replace(/ +$/gm, '');
}

/** Many things, some lines each. */
function renderBlocks(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { columns, paint }: Style,
): string {
  const labelWidth = Math.max(...head.map((name) => name.length));
  const room = Math.max(NARROWEST, columns - labelWidth - 2);
  const line = (label: string, value: string) =>
    `${paint.bold(label)}${' '.repeat(labelWidth - label.length)}  ${cutMiddle(value, room)}`;
  return rows
    .map((row) => row.flatMap((cell, at) => (cell ? line(head[at] ?? '', cell) : [])).join('\n'))
    .join('\n\n');
}

function isNumeric(rows: readonly (readonly (string | number)[])[], column: number): boolean {
  const cells = rows.map((row) => row[column]).filter((cell) => cell !== '');
  return cells.length > 0 && cells.every((cell) => typeof cell === 'number');
}

/** What so many columns have around and between them: `│ a │ b │`. */
function frameOf(columns: number): number {
  return 3 * columns + 1;
}

/** No column is made narrower than this. */
const NARROWEST = 8;
/** The same where there is little room. */
const STILL_READABLE = 6;
/** Where there is little room, there are no lines either. */
const BARE_LAYOUT = {
  chars: {
    ...LAYOUT.chars,
    ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
    ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
    ...{ left: '', right: '', middle: '  ' },
  },
  style: { ...LAYOUT.style, 'padding-left': 0, 'padding-right': 0 },
};

/** How wide the columns are. The first one, which names things, is cut only if all else is in vain. */
function fitted(widths: readonly number[], { columns, isWide }: Style) {
  if (isWide) return { layout: LAYOUT, rooms: widths };
  const roomInBox = columns - frameOf(widths.length);
  const inBox = shrunk(widths, roomInBox, NARROWEST);
  if (inBox[0] === widths[0] && sum(inBox) <= roomInBox) return { layout: LAYOUT, rooms: inBox };
  const room = columns - 2 * (widths.length - 1);
  const bare = shrunk(widths, room, STILL_READABLE);
  // Without room for them, no column is readable.
  return { layout: BARE_LAYOUT, rooms: sum(bare) <= room ? bare : [] };
}

/** Takes from the widest columns until all have room, or are at their narrowest; from the first last. */
function shrunk(widths: readonly number[], room: number, narrowest: number): number[] {
  const result = [...widths];
  while (sum(result) > room) {
    const rest = Math.max(...result.slice(1));
    const widest = rest > narrowest ? result.lastIndexOf(rest) : 0;
    const width = result[widest] ?? 0;
    if (width <= narrowest) break;
    result[widest] = width - 1;
  }
  return result;
}

function sum(widths: readonly number[]): number {
  return widths.reduce((total, width) => total + width, 0);
}
