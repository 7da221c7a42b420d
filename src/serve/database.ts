import { resolve } from 'node:path';
import type { Store } from '../engine/store.ts';
import { isPostgres, openStore } from '../open-store.ts';

/**
 * Opens the database that is to be served.
 *
 * @param location a file, or the URL of a PostgreSQL database
 * @throws Failure when it cannot be used
 */
export async function openDatabase(location: string): Promise<Store> {
  return openStore({
    location: isPostgres(location) ? location : resolve(location),
    env: process.env,
    remember: (secret) => secret,
  });
}
