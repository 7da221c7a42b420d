import { Failure } from './domain/failure.ts';

/** What follows a base URL. */
export interface Place {
  /** Begins with a slash; as a URL writes it. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Reads where a request is to go: a path below the base URL, with or without a query, or a whole URL
 * that begins with the base URL. What a token is sent with stays below the base URL, however it is
 * written.
 *
 * @param baseUrl undefined for the embedded service, which has no address
 * @throws Failure `usage` for everything else
 */
export function parsePlace(text: string, baseUrl: URL | undefined): Place {
  const below = text.startsWith('/') ? text : belowBase(text, baseUrl);
  if (/[\p{Cc}\s\\#]/u.test(below) || /%(?![\da-f]{2})/i.test(below)) {
    throw unusable('has characters that no path has');
  }
  const [path = '', ...query] = below.split('?');
  if (path.startsWith('//')) throw unusable('begins with two slashes, as another host would');
  if (path.split('/').some(leadsUp)) throw unusable('leads out of where it is');
  return {
    // As a URL has it, wherever it is.
    path: new URL(`http://localhost${path}`).pathname,
    query: new URLSearchParams(query.join('?')),
  };
}

/** Whether a part of a path is `.` or `..`, or becomes one where somebody decodes it. */
function leadsUp(part: string): boolean {
  const decoded = part.replace(/%(2e|2f|5c)/gi, (code) => decodeURIComponent(code));
  return decoded.split(/[/\\]/).some((name) => name === '.' || name === '..');
}

/** The path and the query of a URL that begins with the base URL. */
function belowBase(text: string, baseUrl: URL | undefined): string {
  if (!/^https?:\/\//i.test(text)) throw unusable('does not begin with a slash');
  const base = baseUrl?.href.replace(/\/$/, '');
  if (base !== undefined && text.startsWith(`${base}/`)) return text.slice(base.length);
  const where = base ?? 'the embedded service, which has no address';
  throw unusable(`is not below ${where}`);
}

/** Without what was given, which may hold secrets. */
function unusable(why: string): Failure {
  return new Failure('usage', `PATH ${why}.`, {
    hint: "Give a path below the profile's URL, for example /v1/ai/status",
  });
}
