import { Failure } from './domain/failure.ts';
import type { HttpRequest } from './http/transport.ts';

/** What decides who asks, whom, and how the bytes travel. */
const OURS =
  /^(authorization|proxy-.*|host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer)$/;

/**
 * Reads flags' `NAME:VALUE`. Of a name that comes twice the values are joined, as HTTP says.
 *
 * @throws Failure `usage` for what is no header, and for those that leasectl sets
 */
export function parseHeaders(lines: readonly string[]): HttpRequest['headers'] {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(line) ?? [];
    if (name === '') throw noHeader();
    const key = name.toLowerCase();
    if (OURS.test(key)) throw notYours(name);
    headers[key] = headers[key] === undefined ? value.trim() : `${headers[key]}, ${value.trim()}`;
  }
  return headers;
}

/** Without what was given: it may be a secret in the wrong form. */
function noHeader(): Failure {
  return new Failure('usage', '--header is no NAME:VALUE in ASCII.', {
    hint: "For example --header 'Idempotency-Key: 7c1e'",
  });
}

function notYours(name: string): Failure {
  return new Failure('usage', `--header: ${name} is set by leasectl.`, {
    hint: "Whom the request goes to, and with which token, is the profile's to say.",
  });
}
