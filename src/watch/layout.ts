/** What a row shows, from left to right. */
export const COLUMNS = [
  'id',
  'bar',
  'left',
  'state',
  'age',
  'renewed',
  'holder',
  'host',
  'profile',
] as const;
export type Column = (typeof COLUMNS)[number];
export type Widths = Readonly<Partial<Record<Column, number>>>;

/** What the longest of its texts takes. */
export type Needs = Readonly<Record<'id' | 'holder' | 'host' | 'profile', number>>;

/** Before the first column there is a mark. */
export const MARK = 2;

/** What there has to be room for. */
const LEAST = { id: 10, bar: 5, left: 7, state: 9 };
/** What comes where there is room for it, in this order: its least width, and the longest of it. */
const MORE = [
  ['age', 7, () => 7],
  ['holder', 12, ({ holder }: Needs) => holder],
  ['renewed', 7, () => 7],
  ['host', 10, ({ host }: Needs) => host],
  ['profile', 8, ({ profile }: Needs) => profile],
] as const;
const USUAL_BAR = 10;
const LONGEST_BAR = 24;

/** How wide the columns are on a line of so many: those for which there is no room are left out. */
export function layOut(columns: number, needs: Needs): Widths {
  const { bar, ...words } = LEAST;
  const hasBar = columns >= MARK + taken(LEAST);
  const widths: Partial<Record<Column, number>> = hasBar ? { ...LEAST } : words;
  // Names say most: they get what they need before there is more to say, up to a third of the line.
  const name = Math.min(needs.id, Math.max(LEAST.id, Math.floor(columns / 3)));
  const free = () => columns - MARK - taken(widths);
  grow(widths, 'id', name, free());
  for (const [column, width, longest] of MORE) {
    const need = Math.min(width, longest(needs));
    if (need > 0 && free() > need) widths[column] = need;
  }
  if (hasBar) grow(widths, 'bar', Math.max(bar, USUAL_BAR), free());
  for (const column of ['holder', 'host', 'profile'] as const) {
    if (widths[column] !== undefined) grow(widths, column, needs[column], free());
  }
  grow(widths, 'id', needs.id, free());
  if (hasBar) grow(widths, 'bar', LONGEST_BAR, free());
  return widths;
}

function grow(
  widths: Partial<Record<Column, number>>,
  column: Column,
  wanted: number,
  free: number,
): void {
  const width = widths[column] ?? 0;
  widths[column] = width + Math.max(0, Math.min(wanted - width, free));
}

/** With a space after each but the last. */
function taken(widths: Widths): number {
  const shown = Object.values(widths);
  return shown.reduce((sum, width) => sum + width + 1, -1);
}
