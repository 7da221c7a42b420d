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
  // No object: to that every name of its prototype would be there already.
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(line) ?? [];
    if (name === '') throw noHeader();
    const key = name.toLowerCase();
    if (OURS.test(key)) throw notYours(name);
    if (key === '__proto__') throw lost(name);
    const before = headers.get(key);
    headers.set(key, before === undefined ? value.trim() : `${before}, ${value.trim()}`);
  }
  return Object.fromEntries(headers);
}

/** Without what was given: it may be a secret in the wrong form. */
function noHeader(): Failure {
  return new Failure('usage', '--header is no NAME:VALUE in ASCII.', {
    hint: "For example --header 'Idempotency-Key: 7c1e'",
  });
}

/** JavaScript's fetch leaves it out, and says nothing. */
function lost(name: string): Failure {
  return new Failure('usage', `--header: ${name} cannot be sent.`, {
    hint: 'Give that header another name.',
  });
}

function notYours(name: string): Failure {
  return new Failure('usage', `--header: ${name} is set by leasectl.`, {
    hint: "Whom the request goes to, and with which token, is the profile's to say.",
  });
}
