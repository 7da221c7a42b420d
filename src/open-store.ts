import { Failure } from './domain/failure.ts';
import type { Store } from './engine/store.ts';

export interface StoreOptions {
  /** A file, or the URL of a PostgreSQL database. */
  readonly location: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told the password of the database. */
  readonly remember: (secret: string) => string;
  /** As `SqliteOptions.isAlone`. */
  readonly isAlone?: boolean;
  /** Connections to PostgreSQL at a time, at most. Default: 10. */
  readonly connections?: number;
}

/** Whether this is the URL of a PostgreSQL database, and no file. */
export function isPostgres(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/** As `mysql://…`, `file:…` or `:memory:`; a single letter is a drive. */
const NO_FILE = /^([a-z][\w+.-]+)?:/i;

/**
 * Opens the database where leases are kept.
 *
 * @throws Failure `usage` when it cannot be used: a file at once, a PostgreSQL database with its first
 *   use
 */
export async function openStore({
  location,
  isAlone = false,
  ...options
}: StoreOptions): Promise<Store> {
  if (isPostgres(location)) {
    const { openPostgresStore } = await import('./store/postgres/postgres-store.ts');
    return openPostgresStore({ url: location, ...options });
  }
  if (NO_FILE.test(location)) {
    // What it is may hold a password.
    throw new Failure('usage', 'The database is neither a file nor the URL of a PostgreSQL.', {
      hint: 'Give the path of a SQLite file (./NAME where there is a colon in it), or postgres://USER@HOST/DATABASE.',
    });
  }
  const { openSqliteStore } = await import('./store/sqlite/sqlite-store.ts');
  return openSqliteStore({ file: location, isAlone });
}
