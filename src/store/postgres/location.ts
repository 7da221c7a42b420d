import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../domain/failure.ts';

/** Where a PostgreSQL database is. */
export interface Location {
  /** For messages: without the user and the password. */
  readonly label: string;
  /** What the URL names; the rest is for the driver, which knows PostgreSQL's variables. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly options: string | undefined;
  readonly applicationName: string | undefined;
  /** Whether it must be certain that nobody stands in between. */
  readonly bindsChannel: boolean;
  readonly tls: ConnectionOptions | boolean | undefined;
}

const PARAMETERS = [
  'application_name',
  'channel_binding',
  'host',
  'options',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
];
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`, as PostgreSQL's own programs do.
 *
 * @throws Failure `usage` when it is none; the URL is not in it, for there is a password in it
 */
export function parseLocation(text: string): Location {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw refused('The URL of the PostgreSQL database cannot be read.');
  }
  const parameters = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(parameters).find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) {
    throw new Failure('usage', `The URL of the database has an unknown parameter: ${unknown}.`, {
      hint: `Known are: ${PARAMETERS.join(', ')}.`,
    });
  }
  const host =
    parameters['host'] ?? (decoded(url.hostname.replace(/^\[(.*)\]$/, '$1')) || undefined);
  const port = url.port === '' ? undefined : Number(url.port);
  const database = decoded(url.pathname.slice(1)) || undefined;
  const place = `${host ?? 'its usual place'}${port === undefined ? '' : `:${port}`}`;
  return {
    label: `PostgreSQL at ${place}${database === undefined ? '' : `/${database}`}`,
    host,
    port,
    user: decoded(url.username) || undefined,
    password: decoded(url.password) || undefined,
    database,
    options: parameters['options'],
    applicationName: parameters['application_name'],
    bindsChannel: parameters['channel_binding'] === 'require',
    tls: tlsOf(parameters),
  };
}

function refused(message: string): Failure {
  return new Failure('usage', message, {
    hint: 'It is postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with % and two digits for special characters.',
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('The URL of the PostgreSQL database has a % that stands for nothing.');
  }
}

/** What a mode means is what it means to libpq, of which the driver's own reading differs. */
function tlsOf(parameters: Readonly<Record<string, string>>): Location['tls'] {
  const { sslmode, sslrootcert, sslcert, sslkey } = parameters;
  if (sslmode === undefined && !(sslrootcert || sslcert || sslkey)) return undefined;
  const mode = sslmode ?? 'verify-full';
  if (!SSL_MODES.includes(mode)) {
    throw new Failure('usage', `The URL of the database has an unknown sslmode: ${mode}.`, {
      hint: `Known are: ${SSL_MODES.join(', ')}.`,
    });
  }
  if (mode === 'disable') return false;
  const file = (name: string, path: string | undefined) =>
    path === undefined ? {} : { [name]: contentOf(path) };
  const ofSystem = sslrootcert === undefined || sslrootcert === 'system';
  if (mode === 'verify-ca' && ofSystem) {
    throw new Failure('usage', 'sslmode=verify-ca is for an authority of your own.', {
      hint: 'Name its certificate with sslrootcert=FILE, or use sslmode=verify-full.',
    });
  }
  const own = {
    ...file('ca', ofSystem ? undefined : sslrootcert),
    ...file('cert', sslcert),
    ...file('key', sslkey),
  };
  if (mode === 'verify-full') return own;
  if (mode === 'require' && ofSystem) return { ...own, rejectUnauthorized: false };
  return { ...own, checkServerIdentity: () => undefined };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${path}, which the URL of the database names, cannot be read.`, {
      hint: 'Check that it is there, and its rights.',
      cause: error,
    });
  }
}
