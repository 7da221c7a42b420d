/**
 * Finds a text as it is, and as JSON, URLs, HTML and shells write it, also one within another: so a secret is
 * known again in what somebody quotes. How many backslashes, or
 * apostrophes, there are in a row makes no difference.
 */
export function patternOf(text: string): RegExp {
  const parts = text.match(/\\+|'+|[^\\']/gsu) ?? [];
  const forms = parts.map((part, at) => formsOf(part, parts[at - 1]?.startsWith('\\') ?? false));
  return new RegExp(forms.join(''), 'g');
}

/** What has a meaning nowhere: it is always written as it is. */
const PLAIN = /^[A-Za-z\d_]$/;

/** Whether nobody writes a text in another way. */
export function isAlwaysAsItIs(text: string): boolean {
  return /^[A-Za-z\d_]*$/.test(text);
}

const NAMED: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": 'apos',
};
const SHORT: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
};
/** How often one form may be within another: whoever nests without end costs no time. */
const NESTED = '{0,8}';
const percent = (hexadecimal: string) => `%(?:25)${NESTED}${hexadecimal}`;
/** Before what JSON, or a shell, takes as it is. */
const BACKSLASH = `(?:\\\\|${percent('5[cC]')})`;

/** @param isEscaped whether backslashes before it are taken for a part of the text already */
function formsOf(part: string, isEscaped: boolean): string {
  if (PLAIN.test(part)) return part;
  if (part.startsWith('\\')) return `(?:${BACKSLASH}|${entity('\\')}){1,64}`;
  // In what is quoted a shell ends the quotes, and begins them again.
  if (part.startsWith("'")) return `${one("'", isEscaped)}${one("'", false)}{0,24}`;
  return one(part, isEscaped);
}

function one(part: string, isEscaped: boolean): string {
  const bytes = [...Buffer.from(part)].map((byte) => percent(anyCase(byte, 2)));
  const begin = `${BACKSLASH}{${isEscaped ? 0 : 1},64}`;
  const units = [...Array(part.length).keys()].map(
    (index) => `${begin}u${anyCase(part.charCodeAt(index), 4)}`,
  );
  const short = SHORT[part] === undefined ? [] : [`${begin}${SHORT[part]}`];
  const itself = part.replace(/[$()*+.?[\]^{|}/-]/, '\\$&');
  const plus = part === ' ' ? ['\\+', percent('2[bB]')] : [];
  // The longest first: a `%` is also the begin of `%25`.
  const forms = [bytes.join(''), entity(part), ...plus, itself];
  const escapes = isEscaped ? '' : `${BACKSLASH}{0,64}`;
  return `(?:${escapes}(?:${forms.join('|')})|${[units.join(''), ...short].join('|')})`;
}

/** As HTML writes a character. */
function entity(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hash = `(?:#|${percent('23')})`;
  const numbers = [`${hash}0{0,7}${code}`, `${hash}[xX]0{0,7}${anyCase(code, 1)}`];
  const names = [...numbers, NAMED[character]].filter(Boolean).join('|');
  const ampersand = `(?:&|${percent('26')})(?:(?:amp|#38|#[xX]26);)${NESTED}`;
  return `${ampersand}(?:${names})(?:;|${percent('3[bB]')})`;
}

/** A number in hexadecimal digits, of either case. */
function anyCase(number: number, digits: number): string {
  const letters = number.toString(16).padStart(digits, '0');
  return letters.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}
