import type Database from 'libsql';
import { execAside } from '../../sqlite/aside.ts';

/** Keeps the log of a database from being brought home by those who write. */
export interface Log {
  /** Told how many have written something more. */
  grow(writers: number): void;
  /** Resolves when the file is no longer used. */
  close(): Promise<void>;
}

/** Pages that a transaction adds in any case, and that each adds who writes in it: about that was measured. */
const [OF_ALL, OF_EACH] = [10, 4];

/**
 * Brings a log home on another thread, while others go on writing. SQLite makes a writer do that whose log
 * has become too long: all wait for him then, for as long as the disk takes. What comes to the log meanwhile
 * is still his, but that is little.
 *
 * @param pages after how many more of them it is brought home
 * @param connect opens the same file once more, when there is something to be done
 */
export function openLog(pages: number, connect: () => Database.Database): Log {
  let added = 0;
  let db: Database.Database | undefined;
  let running: Promise<void> | undefined;
  const bringHome = async () => {
    try {
      db ??= connect();
      await execAside(db, 'PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // Nothing is lost: it is all in the log, which SQLite itself brings home, later.
    }
  };
  return {
    grow(writers) {
      added += OF_ALL + OF_EACH * writers;
      if (added < pages || running) return;
      added = 0;
      running = bringHome().finally(() => {
        running = undefined;
      });
    },
    async close() {
      await running;
      db?.close();
    },
  };
}
