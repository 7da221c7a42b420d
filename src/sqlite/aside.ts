import type Database from 'libsql';

/**
 * Executes it on another thread, while this one goes on. Until it is over nothing else may be asked of
 * the connection.
 *
 * @throws the library's error
 */
export async function execAside(db: Database.Database, sql: string): Promise<void> {
  const { default: Promising } = await import('libsql/promise');
  // The library's two ways to ask have the same connection behind them.
  await Promising.prototype.exec.call(db, sql);
}
