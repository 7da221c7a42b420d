import type { Quote } from './bash-words.ts';

/** What bash takes as it stands, outside of quotes. */
const PLAIN = /^[\w@%+=:,./-]$/;
/** What does not show, or not as what it is; a space can be told. */
const UNSEEN = /((?:(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}])+)/u;

interface Style {
  readonly open: string;
  readonly close: string;
  /** A character that shows, as it has to stand between these quotes. */
  readonly write: (character: string) => string;
}

const STYLES: Readonly<Record<Quote, Style>> = {
  '': {
    open: '',
    close: '',
    write: (character) =>
      PLAIN.test(character) || character > '\x7f' ? character : `\\${character}`,
  },
  "'": {
    open: "'",
    close: "'",
    write: (character) => (character === "'" ? "'\\''" : character),
  },
  '"': {
    open: '"',
    close: '"',
    // Between these quotes nothing keeps a ! from being a piece of the history.
    write: (character) => (character === '!' ? '"\\!"' : character.replace(/[$`"\\]/, '\\$&')),
  },
  "$'": {
    open: "$'",
    close: "'",
    write: (character) =>
      /['!]/.test(character) ? bytesOf(character) : character.replace('\\', '\\\\'),
  },
};

/**
 * A text as the rest of a word of bash in which quotes are open. Nothing of it is run, or acts on a
 * terminal.
 */
export function quoteRest(text: string, quote: Quote): string {
  const { open, close, write } = STYLES[quote];
  const rest = text
    .split(UNSEEN)
    .map((part, index) => {
      if (index % 2 === 0) return [...part].map(write).join('');
      return quote === "$'" ? bytesOf(part) : `${close}$'${bytesOf(part)}'${open}`;
    })
    .join('');
  if (!close) return rest;
  // readline takes a quote at the beginning for the one that is open, and closes what does not end
  // with one.
  return (rest.startsWith(close) ? close : '') + rest + (rest.endsWith(close) ? close : '');
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Between the quotes of `$'…'`; by bytes, which every bash understands. */
function bytesOf(text: string): string {
  return [...text]
    .map((character) => {
      const bytes = [...Buffer.from(character)];
      const hex = bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
      return NAMED[character] ?? hex.join('');
    })
    .join('');
}
