import type { Store } from './engine/store.ts';

export interface StoreOptions {
  /** A file, or the URL of a PostgreSQL database. */
  readonly location: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told the password of the database. */
  readonly remember: (secret: string) => string;
  /** Connections to PostgreSQL at a time, at most. Default: 10. */
  readonly connections?: number;
}

/** Whether this is the URL of a PostgreSQL database, and no file. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/**
 * Opens the database where leases are kept.
 *
 * @throws Failure `usage` when it cannot be used: a file at once, a PostgreSQL database with its first
 *   use
 */
export async function openStore({ location, ...options }: StoreOptions): Promise<Store> {
  if (isPostgres(location)) {
    const { openPostgresStore } = await import('./store/postgres/postgres-store.ts');
    return openPostgresStore({ url: location, ...options });
  }
  const { openSqliteStore } = await import('./store/sqlite/sqlite-store.ts');
  return openSqliteStore({ file: location });
}
