/** What terminals send for keys that have no character. */
const NAMED: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u001b': 'escape',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\t': 'tab',
  '\u0003': 'ctrl-c',
  '\u000c': 'ctrl-l',
  '\u001a': 'ctrl-z',
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  '\u001b[H': 'home',
  '\u001b[F': 'end',
  '\u001bOH': 'home',
  '\u001bOF': 'end',
  '\u001b[1~': 'home',
  '\u001b[4~': 'end',
};

/** A key that is sent as several characters, whole or begun; or any one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what keys are sent as
const KEY = /\u001b(?:\[[\d;?<]*[@-~]|O[@-~]|\[[\d;?<]*$|O?$)|./gsu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what keys are sent as
const BEGUN = /^\u001b(\[[\d;?<]*|O)?$/;

export interface Typed {
  /** Names of keys, and characters. */
  readonly keys: readonly string[];
  /** The beginning of a key of which more may come: alone it is the escape key. */
  readonly rest: string;
}

/** Takes apart what was typed. Keys that are not known are left out. */
export function keysIn(text: string): Typed {
  const parts = text.match(KEY) ?? [];
  const last = parts.at(-1) ?? '';
  const rest = BEGUN.test(last) ? last : '';
  const whole = rest ? parts.slice(0, -1) : parts;
  return { keys: whole.flatMap((part) => keyOf(part)), rest };
}

/** What a key that was only begun is, when no more comes. */
export function keyBegun(rest: string): readonly string[] {
  return rest === '\u001b' ? ['escape'] : [];
}

function keyOf(part: string): string[] {
  const name = NAMED[part];
  if (name !== undefined) return [name];
  return /^\P{Cc}$/u.test(part) ? [part] : [];
}
