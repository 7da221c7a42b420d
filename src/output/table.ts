import Table from 'cli-table3';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';

/** No lines between the rows: a table is to be read at a glance. */
const LAYOUT = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
};

/** A label and its value; rows without a value are left out. */
export type Detail = readonly [label: string, value: string | number | null | undefined];

/** A whole number with its thousands apart: `1,000,000`. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** One thing with its properties, a line each: a box on a terminal, tab-separated in a pipe. */
export function renderDetails(details: readonly Detail[], { isInteractive, paint }: Style): string {
  const rows = details.flatMap(([label, value]) =>
    value === null || value === undefined ? [] : [[label, visible(String(value))] as const],
  );
  if (!isInteractive) return rows.map((row) => row.join('\t')).join('\n');
  const table = new Table(LAYOUT);
  for (const [label, value] of rows) table.push([paint.bold(label), value]);
  return table.toString();
}

/** Many things, a line each, under a head; in a pipe tab-separated. */
export function renderList(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { isInteractive, paint }: Style,
): string {
  const shown = rows.map((row) => row.map(visible));
  if (!isInteractive) return [head, ...shown].map((row) => row.join('\t')).join('\n');
  const table = new Table({ ...LAYOUT, head: head.map((name) => paint.bold(name)) });
  for (const row of shown) table.push(row);
  return table.toString();
}
