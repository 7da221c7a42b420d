import { statSync } from 'node:fs';
import Database from 'libsql';
import { opened } from './opened.ts';

/**
 * Who opens a file so may open it by SQLite alone from then on. Whoever closes it otherwise, be it that he
 * only read it, loses all locks that the process has on it; and another process that takes itself for the
 * last one then removes the log that is still written here.
 *
 * @param mode how it is opened, where not to read and write
 */
export function connectTo(file: string, mode?: 'mode=ro' | 'immutable=1'): Database.Database {
  const db = new Database(mode === undefined ? file : `file:${inUri(file)}?${mode}`);
  // On what never changes there are no locks.
  if (mode !== 'immutable=1') opened.add(identityOf(file));
  return db;
}

/** A path in SQLite's URIs. Node's `node:url` takes longer to load. */
function inUri(file: string): string {
  return encodeURI(file).replace(/[?#]/g, encodeURIComponent);
}

/** Whether this process has, or had, a connection to the file. */
export function isOpenHere(file: string): boolean {
  const identity = identityOf(file);
  return identity !== undefined && opened.has(identity);
}

function identityOf(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}
