import { Chalk, type ChalkInstance } from 'chalk';

/** How to write: for a person at a terminal, or for a pipe. */
export interface Style {
  readonly isInteractive: boolean;
  readonly paint: ChalkInstance;
}

export interface StyleOptions {
  readonly isInteractive: boolean;
  /** Whether `--no-color` was given. */
  readonly noColor: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colour is for terminals only, and off for `NO_COLOR`, `TERM=dumb` and `--no-color`. */
export function styleOf({ isInteractive, noColor, env }: StyleOptions): Style {
  const isColored = isInteractive && !noColor && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return { isInteractive, paint: new Chalk({ level: isColored ? 1 : 0 }) };
}
