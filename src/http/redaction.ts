import { isTooDeep, parseJson } from '../domain/json.ts';
import { Redactor } from '../domain/redactor.ts';
import { namedSecrets } from './named-secrets.ts';
import { isSecretName, isSecretParameter } from './secret-names.ts';
import type { HttpRequest } from './transport.ts';

/*
 * Takes secrets out of what travels, before it is shown: by the names that stand before them, and by
 * their values, however they are escaped.
 */

const HIDDEN = '***';

/** Takes secrets out of a text by their values. */
type Clean = (text: string) => string;

/** A request as it may be shown. */
export interface Redacted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request without its secrets, for whoever wants to see what is, or would be, sent. */
export function redactRequest(
  { url, headers, body }: { readonly url: URL } & Pick<HttpRequest, 'headers' | 'body'>,
  clean: Clean,
): Redacted {
  return {
    url: redactUrl(url, clean),
    headers: redactHeaders(headers, clean),
    body: redactBody(body, clean),
  };
}

/** @param headers names in any case */
export function redactHeaders(
  headers: Readonly<Record<string, string>>,
  clean: Clean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      clean(name),
      isSecretName(name) ? hiddenValue(value) : redactText(clean(value)),
    ]),
  );
}

/** The scheme of an authorization is none of the secret. */
function hiddenValue(value: string): string {
  const [scheme] = /^(basic|bearer|digest|dpop|negotiate|ntlm) /i.exec(value) ?? [''];
  return scheme + HIDDEN;
}

/** The URL without user, password, and the values of parameters with secret names. */
export function redactUrl(url: URL, clean: Clean): string {
  const bare = new URL(url);
  bare.search = '';
  bare.hash = '';
  if (url.username || url.password) bare.username = HIDDEN;
  bare.password = '';
  const parts = [url.search, url.hash].map(
    (part) => part.slice(0, 1) + redactParameters(part.slice(1), clean),
  );
  return clean(bare.href + parts.join(''));
}

/**
 * A body without the values of fields with secret names, wherever in it they are said again. JSON
 * stays JSON, with its layout and its digits; what only looks like it, or breaks off, is treated the
 * same. Takes one pass for the names, and one for each value.
 */
export function redactBody(body: string, clean: Clean): string {
  const redactor = new Redactor();
  for (const secret of isTooDeep(body) ? [] : namedSecrets(parseJson(body))) redactor.add(secret);
  const cleanAll = (text: string) => redactor.clean(clean(text));
  // First by value: what looks like a secret may be only the half of it.
  const known = cleanAll(body);
  const isForm = /^[^\s=&"'<>{}]+=[^\s"'<>{}]*$/.test(known);
  return cleanAll(isForm ? redactParameters(known, cleanAll) : redactJson(known, cleanAll));
}

/** `name=value&…`, as in queries and forms. */
function redactParameters(text: string, clean: Clean): string {
  const pairs = text.split('&').map((pair) => {
    const [name = '', ...rest] = pair.split('=');
    const value = decoded(rest.join('='));
    const isSecret =
      isSecretParameter(decoded(name)) || redactText(value) !== value || clean(value) !== value;
    return isSecret && value !== '' ? `${name}=${HIDDEN}` : pair;
  });
  return pairs.join('&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** Strings, and what stands between them. */
function redactJson(text: string, clean: Clean): string {
  let result = '';
  let at = 0;
  while (at < text.length) {
    const quote = text.indexOf('"', at);
    const between = text.slice(at, quote < 0 ? text.length : quote);
    result += redactText(between, true);
    if (quote < 0) break;
    const afterString = endOfString(text, quote);
    const literal = text.slice(quote, afterString);
    const value = isSecretName(parsed(literal)) ? valueAfter(text, afterString) : undefined;
    if (isSecretName(NAME_BEFORE.exec(between.slice(-LONGEST_NAME))?.[1] ?? '')) {
      result += `"${HIDDEN}"`;
      at = afterString;
    } else if (value) {
      result += `${literal}${text.slice(afterString, value.begin)}"${HIDDEN}"`;
      at = value.end;
    } else {
      result += redactString(literal, clean);
      at = afterString;
    }
  }
  return result;
}

const LONGEST_NAME = 128;
/** The name of a string that is no JSON, as in `token="…"`. */
const NAME_BEFORE = /([\w.-]+)\s?[=:]\s?$/;

/** A string that is no secret itself, but may hold some. */
function redactString(literal: string, clean: Clean): string {
  const value = parsed(literal);
  const known = clean(value);
  const shown = clean(known.includes('"') ? redactJson(known, clean) : redactText(known));
  return shown === value ? literal : JSON.stringify(shown);
}

/** What a string says, also one that breaks off or breaks the rules. */
function parsed(literal: string): string {
  const value = parseJson(literal);
  if (typeof value === 'string') return value;
  return literal.replace(/^"|"$/g, '').replace(ESCAPE, (_, hex, character = '') => {
    if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
    return SHORT_ESCAPES[character] ?? character;
  });
}

const ESCAPE = /\\(?:u([\da-f]{4})|(.))?/gis;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** Where the value of a name is, which ends there; undefined where none is that could be secret. */
function valueAfter(text: string, end: number): { begin: number; end: number } | undefined {
  const [colon] = matchAt(/\s*:\s*/y, text, end) ?? [];
  if (colon === undefined) return undefined;
  const begin = end + colon.length;
  // What is not there is worth knowing.
  const isEmpty = matchAt(/(null|true|false|"")(?=\s*[,}\]]|\s*$)/y, text, begin);
  return isEmpty ? undefined : { begin, end: endOfValue(text, begin) };
}

/** Where a JSON value ends that begins there; the end of the text where it breaks off. */
function endOfValue(text: string, begin: number): number {
  if (text[begin] === '"') return endOfString(text, begin);
  if (text[begin] !== '{' && text[begin] !== '[') {
    return begin + (matchAt(/[^,}\]\n]*/y, text, begin)?.[0].length ?? 0);
  }
  const mark = /["[\]{}]/g;
  let depth = 0;
  for (let at = begin; at < text.length; ) {
    mark.lastIndex = at;
    const found = mark.exec(text);
    if (!found) break;
    at = found[0] === '"' ? endOfString(text, found.index) : mark.lastIndex;
    if (/[[{]/.test(found[0])) depth += 1;
    if (/[\]}]/.test(found[0])) depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
}

/** Where the string ends whose quote is there. */
function endOfString(text: string, quote: number): number {
  for (let at = quote + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const USER = /:\/\/[^\s/@"'<>]{1,512}@/g;
const SCHEME = /\b(basic|bearer|dpop) +(?!\w+=["\w])[\w.~+/=-]{4,}/gi;
/** As one sees it where a request is quoted. */
const HEADER = /(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie)(\s?:\s?)([^\r\n]+)/gi;
const ASSIGNED = /(?<![\w.%-])([\w.%-]{1,128})(\s?=\s?)([^\s&#,;"'<>]+|'[^']*')/g;
const TOLD = /(?<![\w.%-])([\w.%-]{1,128})('?\s?:\s?)([^\s&#,;"'<>{}[\]]+|'[^']*')/g;
const ELEMENT = /(?<=<)([\w:.-]{1,128})(>\s*)([^<]+)/g;

/** A name of three, a sign, a secret. */
const SHORTEST = 5;

/** A text that may have secrets among its words, by mistake. */
export function redactWords(text: string, clean: Clean): string {
  return redactText(clean(text), true);
}

/**
 * A text in which secrets stand among other words.
 *
 * @param isBare it is no field of anything: then `name: value` counts as well as `name=value`
 */
function redactText(text: string, isBare = false): string {
  if (text.length < SHORTEST) return text;
  const hide = (isSecret: typeof isSecretName) => (whole: string, name: string, between: string) =>
    isSecret(decoded(name)) ? `${name}${between}${HIDDEN}` : whole;
  const shown = text
    .replace(USER, `://${HIDDEN}@`)
    .replace(HEADER, `$1$2${HIDDEN}`)
    .replace(SCHEME, `$1 ${HIDDEN}`)
    .replace(ASSIGNED, hide(isSecretParameter))
    .replace(ELEMENT, hide(isSecretName));
  return isBare ? shown.replace(TOLD, hide(isSecretName)) : shown;
}
