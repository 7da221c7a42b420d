/** Marks text for people; does nothing where there are no colors. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
}

/** How to write: for a person at a terminal, or for a pipe. */
export interface Style {
  readonly isInteractive: boolean;
  readonly paint: Paint;
}

export interface StyleOptions {
  readonly isInteractive: boolean;
  /** Whether `--no-color` was given. */
  readonly noColor: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const asIs = (text: string) => text;
const PLAIN: Paint = { bold: asIs, dim: asIs, red: asIs };

/** Colour is for terminals only, and off for `NO_COLOR`, `TERM=dumb` and `--no-color`. */
export async function styleOf({ isInteractive, noColor, env }: StyleOptions): Promise<Style> {
  const isColored = isInteractive && !noColor && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  if (!isColored) return { isInteractive, paint: PLAIN };
  const { Chalk } = await import('chalk');
  return { isInteractive, paint: new Chalk({ level: 1 }) };
}
