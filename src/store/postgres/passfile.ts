import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What a password is for. */
export interface PasswordFor {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The password that PostgreSQL's own programs would find: in PGPASSWORD, or in the password file.
 * Undefined where there is none, or where others may read the file.
 */
export function findPassword(env: Environment, wanted: PasswordFor): string | undefined {
  if (env['PGPASSWORD']) return env['PGPASSWORD'];
  const file = env['PGPASSFILE'] || join(env['HOME'] || homedir(), '.pgpass');
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile() || (process.platform !== 'win32' && (stat.mode & 0o077) !== 0)) {
    return undefined;
  }
  return inPassfile(readFileSync(file, 'utf8'), wanted);
}

/** Of the first line that fits: `host:port:database:user:password`, with `*` for any. */
export function inPassfile(text: string, wanted: PasswordFor): string | undefined {
  const { host, port, database, user } = wanted;
  const names = [host.startsWith('/') ? 'localhost' : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    const password = fields[names.length];
    if (password === undefined) continue;
    if (names.every((name, index) => fields[index] === '*' || fields[index] === name)) {
      return password;
    }
  }
  return undefined;
}

/** A colon or a backslash in a field has a backslash before it. */
function fieldsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|:)((?:\\.|[^:\\])*)/g)].map(([, field = '']) =>
    field.replaceAll(/\\(.)/g, '$1'),
  );
}
