import stringWidth from 'string-width';
import { visible } from '../terminal/visible.ts';
import type { Style } from './style.ts';
import { cutMiddle } from './table.ts';

/** A column of rows that come one by one, so that its width does not wait for what is in it. */
export interface Column {
  readonly name: string;
  /** As wide as most of what it holds. */
  readonly width: number;
  /** Which part of the room that is left it gets, too. */
  readonly share?: number;
}

const GAP = '  ';

/** The line that names the columns, and one for each row: tab-separated in a pipe. */
export function createRows(
  columns: readonly Column[],
  style: Style,
): { readonly head: string; readonly row: (cells: readonly string[]) => string } {
  const { isInteractive, clean, paint } = style;
  const shown = (cells: readonly string[]) => cells.map((cell) => visible(clean(cell)));
  const head = columns.map(({ name }) => name);
  if (!isInteractive) return { head: head.join('\t'), row: (cells) => shown(cells).join('\t') };
  const widths = widthsOf(columns, style);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => padded(cell, widths[at] ?? 0, style))
      .join(GAP)
      .trimEnd();
  return { head: paint.bold(line(head)), row: (cells) => line(shown(cells)) };
}

function widthsOf(columns: readonly Column[], style: Pick<Style, 'columns'>): number[] {
  const least = columns.reduce((sum, { width }) => sum + width, GAP.length * (columns.length - 1));
  const shares = columns.reduce((sum, { share = 0 }) => sum + share, 0);
  const rest = Math.max(0, style.columns - least);
  return columns.map(({ width, share = 0 }) => width + Math.floor((rest * share) / (shares || 1)));
}

function padded(cell: string, width: number, { isWide }: Pick<Style, 'isWide'>): string {
  const text = isWide ? cell : cutMiddle(cell, width);
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
