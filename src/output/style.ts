/** Marks text for people; does nothing where there are no colors. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

/** How to write: for a person at a terminal, or for a pipe. */
export interface Style {
  readonly isInteractive: boolean;
  /** Width of the terminal, in columns. */
  readonly columns: number;
  /** Whether nothing is cut to that width. */
  readonly isWide: boolean;
  /** Whether times are shown in UTC, and not in the local zone. */
  readonly isUtc: boolean;
  /** Whether a list has a line that names its columns. */
  readonly hasHeader: boolean;
  readonly paint: Paint;
  /** Takes the secrets of this run out of foreign text. */
  readonly clean: (text: string) => string;
}

/** What a user may choose. */
export type Layout = Pick<Style, 'isWide' | 'isUtc' | 'hasHeader'>;

export const USUAL_LAYOUT: Layout = { isWide: false, isUtc: false, hasHeader: true };

export interface StyleOptions extends Omit<Style, 'paint'> {
  /** Whether `--no-color` was given. */
  readonly noColor: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const asIs = (text: string) => text;
/** No colors. */
export const PLAIN: Paint = { bold: asIs, dim: asIs, red: asIs, yellow: asIs, green: asIs };

/** Colour is for terminals only, and off for `NO_COLOR`, `TERM=dumb` and `--no-color`. */
export async function styleOf({ noColor, env, ...style }: StyleOptions): Promise<Style> {
  const isColored = style.isInteractive && !noColor && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  if (!isColored) return { ...style, paint: PLAIN };
  const { Chalk } = await import('chalk');
  return { ...style, paint: new Chalk({ level: 1 }) };
}
