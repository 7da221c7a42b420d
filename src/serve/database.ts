import { resolve } from 'node:path';
import { Failure } from '../domain/failure.ts';
import type { Store } from '../engine/store.ts';

/**
 * Opens the database that is to be served.
 *
 * @param location a file, or the URL of a PostgreSQL database
 * @throws Failure when it cannot be used
 */
export async function openDatabase(location: string): Promise<Store> {
  if (/^postgres(ql)?:/.test(location)) throw new Failure('usage', 'PostgreSQL is not there yet.');
  const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts');
  return openSqliteStore({ file: resolve(location) });
}
