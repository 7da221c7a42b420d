import type { Command, Flag, Surface } from './surface.ts';

/** A command line as far as the cursor. */
export interface Line {
  /** The words before the one that is being typed, without `leasectl` itself. */
  readonly words: readonly string[];
  /** The word that is being typed; often empty. */
  readonly current: string;
}

/** What was typed of a command. */
export interface Typed {
  readonly command: Command;
  /** Values of the flags by name; boolean ones have none. */
  readonly flags: ReadonlyMap<string, string | undefined>;
  readonly args: readonly string[];
  /** Whether `--` was typed: what follows is no flag. */
  readonly isPastFlags: boolean;
  /** The flag whose value the current word is. */
  readonly open: Flag | undefined;
}

/** How many of the words are a command, or topics on the way to one. */
export function pathIn(words: readonly string[], { entries }: Surface): readonly string[] {
  let count = 0;
  const isKnown = (path: readonly string[]) =>
    entries.some((entry) => path.every((word, index) => entry.path[index] === word));
  while (count < words.length && isKnown(words.slice(0, count + 1))) count += 1;
  return words.slice(0, count);
}

/** Reads the words after a command's name, as oclif will. */
export function readTyped(command: Command, words: readonly string[]): Typed {
  const flags = new Map<string, string | undefined>();
  const args: string[] = [];
  let open: Flag | undefined;
  for (const [index, word] of words.entries()) {
    if (open) {
      flags.set(open.name, word);
      open = undefined;
    } else if (word === '--') {
      args.push(...words.slice(index + 1));
      return { command, flags, args, isPastFlags: true, open };
    } else if (word.startsWith('-') && word !== '-') {
      const [name = word, value] = splitOnce(word);
      const flag = flagNamed(name, command);
      if (flag) flags.set(flag.name, value);
      if (flag?.type === 'option' && value === undefined) open = flag;
    } else args.push(word);
  }
  return { command, flags, args, isPastFlags: false, open };
}

/** @param name with its dashes */
export function flagNamed(name: string, { flags }: Command): Flag | undefined {
  return Object.values(flags).find(
    (flag) =>
      name === `--${flag.name}` ||
      (flag.char !== undefined && name === `-${flag.char}`) ||
      (flag.allowNo === true && name === `--no-${flag.name}`),
  );
}

function splitOnce(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
