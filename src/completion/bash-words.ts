/** Which quotes are open: none, `'`, `"`, or those of `$'`. */
export type Quote = '' | "'" | '"' | "$'";

export interface BashWord {
  /** As it was typed. */
  readonly raw: string;
  /** What bash makes of it; what bash would have to run or look up for that stays as it was typed. */
  readonly value: string;
  /** Open at its end. */
  readonly quote: Quote;
}

export interface BashLine {
  /** The words of the last command on the line, without redirections and the current word. */
  readonly words: readonly BashWord[];
  /** The word that is being typed; it may be empty. */
  readonly current: BashWord;
  /** Whether the current word is the file of a redirection. */
  readonly isRedirected: boolean;
}

const BLANK = /^(?:[ \t]|\\\n)+/;
const REDIRECTION = /^\d*(?:<<<|<<-?|<>|>>|>\||[<>]&|&>>?|[<>])/;
const SEPARATOR = /^[;|&()\n]+/;

/** Takes a line apart as bash does, but runs nothing of it. */
export function splitBash(line: string): BashLine {
  let words: BashWord[] = [];
  let isRedirected = false;
  let rest = line;
  for (;;) {
    rest = rest.replace(BLANK, '');
    const [redirection] = REDIRECTION.exec(rest) ?? [];
    const [separator] = SEPARATOR.exec(rest) ?? [];
    if (redirection ?? separator) {
      // What is before a separator is another command.
      if (!redirection) words = [];
      isRedirected = redirection !== undefined;
      rest = rest.slice((redirection ?? separator)?.length);
      continue;
    }
    const word = readWord(rest);
    rest = rest.slice(word.raw.length);
    if (rest === '') return { words, current: word, isRedirected };
    if (!isRedirected) words.push(word);
    isRedirected = false;
  }
}

/** Reads the word that a text begins with. */
export function readWord(text: string): BashWord {
  let at = 0;
  let value = '';
  while (at < text.length) {
    const part = PARTS.map(({ pattern, read }) => {
      const match = pattern.exec(text.slice(at));
      return match && { length: match[0].length, ...read(match) };
    }).find((found) => found !== null);
    // A blank or an operator.
    if (!part) break;
    at += part.length;
    value += part.value;
    if (part.quote) return { raw: text.slice(0, at), value, quote: part.quote };
  }
  return { raw: text.slice(0, at), value, quote: '' };
}

interface Part {
  readonly pattern: RegExp;
  readonly read: (match: RegExpExecArray) => { readonly value: string; readonly quote: Quote };
}

const PARTS: readonly Part[] = [
  { pattern: /^'([^']*)('?)/, read: ([, body = '', end]) => quoted(body, "'", end) },
  {
    pattern: /^\$?"((?:[^"\\]|\\[\s\S])*)\\?("?)/,
    read: ([, body = '', end]) =>
      quoted(
        body.replace(/\\([$`"\\\n])/g, (_, character) => (character === '\n' ? '' : character)),
        '"',
        end,
      ),
  },
  {
    pattern: /^\$'((?:[^'\\]|\\[\s\S])*)\\?('?)/,
    read: ([, body = '', end]) => quoted(decodeAnsi(body), "$'", end),
  },
  // Stays as it is: nobody knows its value without running it.
  { pattern: /^(?:\$\([^()]*\)?|`[^`]*`?)/, read: ([raw]) => ({ value: raw, quote: '' }) },
  {
    pattern: /^\\([\s\S]?)/,
    read: ([, character = '']) => ({ value: character === '\n' ? '' : character, quote: '' }),
  },
  { pattern: /^[^\s;|&()<>\\'"`$]+|^\$/, read: ([raw]) => ({ value: raw, quote: '' }) },
];

function quoted(value: string, quote: Quote, end: string | undefined) {
  return { value, quote: end ? ('' as const) : quote };
}

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** What stands in `$'…'`, whose escapes may be the bytes of a character. */
function decodeAnsi(body: string): string {
  const pattern =
    /\\(?:x([\da-f]{1,2})|([0-7]{1,3})|u([\da-f]{1,4})|U([\da-f]{1,8})|([\s\S]))|[^\\]+/gi;
  const parts = [...body.matchAll(pattern)].map(([raw, hex, octal, short, long, letter]) => {
    if (hex ?? octal) return Buffer.from([Number.parseInt(hex ?? octal ?? '', hex ? 16 : 8)]);
    const point = short ?? long;
    if (point) return Buffer.from(characterOf(Number.parseInt(point, 16)));
    return Buffer.from(letter === undefined ? raw : (CONTROLS[letter] ?? letter));
  });
  return Buffer.concat(parts).toString('utf8');
}

function characterOf(point: number): string {
  return point <= 0x10ffff ? String.fromCodePoint(point) : '';
}
