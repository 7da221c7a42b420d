import { beginImmediate, type DatabaseKind, openDatabase } from './database.ts';
import { explain } from './errors.ts';

/** "lock" in ASCII. There is nothing in the file: its write lock is what it is for. */
export const LOCK: DatabaseKind = {
  applicationId: 0x6c6f636b,
  migrations: ['SELECT 1'],
  variable: 'XDG_STATE_HOME',
};

/**
 * Works while no other process works under the same file. The system takes the lock from a process
 * that dies.
 *
 * @throws Failure as `openDatabase`
 */
export async function exclusively<T>(file: string, work: () => Promise<T>): Promise<T> {
  const db = openDatabase(file, LOCK);
  try {
    await beginImmediate(db).catch((error) => Promise.reject(explain(file, error)));
    try {
      return await work();
    } finally {
      db.exec('ROLLBACK');
    }
  } finally {
    db.close();
  }
}
