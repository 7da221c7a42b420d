import Table from 'cli-table3';
import stringWidth from 'string-width';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';

/** No lines between the rows: a table is to be read at a glance. */
const LAYOUT = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/** A label and its value; rows without a value are left out. What is `whole` is never cut. */
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
  const { isInteractive, columns, paint, clean } = style;
  const rows = details.flatMap(([label, value, whole]) =>
    value === null || value === undefined
      ? []
      : [{ label, value: visible(clean(String(value))), whole }],
  );
  if (!isInteractive) return rows.map(({ label, value }) => `${label}\t${value}`).join('\n');
  const room = columns - Math.max(...rows.map(({ label }) => label.length)) - frameOf(2);
  const table = new Table(LAYOUT);
  for (const { label, value, whole } of rows) {
    table.push([paint.bold(label), whole ? value : cutMiddle(value, room)]);
  }
  return table.toString();
}

/** Cuts a text in its middle, where it says least, to what the terminal has room for. */
function cutMiddle(text: string, room: number): string {
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

/** Many things, a line each, under a head; in a pipe tab-separated. */
export function renderList(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { isInteractive, columns, paint, clean }: Style,
): string {
  const shown = rows.map((row) => row.map((cell) => visible(clean(cell))));
  if (!isInteractive) return [head, ...shown].map((row) => row.join('\t')).join('\n');
  const widths = head.map((_, column) =>
    Math.max(...[head, ...shown].map((row) => stringWidth(row[column] ?? ''))),
  );
  const rooms = shrink(widths, columns - frameOf(head.length));
  const fitted = (row: readonly string[]) =>
    row.map((cell, column) => cutMiddle(cell, rooms[column] ?? cell.length));
  const table = new Table({ ...LAYOUT, head: fitted(head).map((name) => paint.bold(name)) });
  for (const row of shown) table.push(fitted(row));
  return table.toString();
}

/** What so many columns have around and between them: `│ a │ b │`. */
function frameOf(columns: number): number {
  return 3 * columns + 1;
}

/** No column is made narrower than this. */
const NARROWEST = 8;

/** Takes from the widest columns until all have room; from the first, which names things, last. */
function shrink(widths: readonly number[], room: number): number[] {
  const shrunk = [...widths];
  while (shrunk.reduce((sum, width) => sum + width, 0) > room) {
    const rest = Math.max(...shrunk.slice(1));
    const widest = rest > NARROWEST ? shrunk.lastIndexOf(rest) : 0;
    const width = shrunk[widest] ?? 0;
    if (width <= NARROWEST) break;
    shrunk[widest] = width - 1;
  }
  return shrunk;
}
