import type Database from 'libsql';
import { beginImmediate } from '../../sqlite/database.ts';
import { explain } from '../../sqlite/errors.ts';

/** Somebody who waits for the connection. */
interface Turn {
  /** Does the work. @returns to be called when what it did is durable */
  readonly run: () => Promise<() => void>;
  readonly fail: (error: unknown) => void;
}

export interface Turns {
  /** Looks at one state of the database. */
  read<T>(work: () => Promise<T>): Promise<T>;
  /** Changes it alone; what was written is durable when this resolves. */
  write<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nobody waits. */
  idle(): Promise<void>;
  /** Whether it waits for another process's write, and all turns with it. */
  isHeldUp(): boolean;
}

/** How many write in one transaction, at most: the first ones wait for the last one. */
const MOST_TOGETHER = 100;

/**
 * A connection has one transaction at a time. Whoever comes meanwhile takes part in the next one, one
 * after the other, each behind a savepoint of its own: a disk needs as long for many changes as for one.
 *
 * @param file for messages
 */
export function createTurns(db: Database.Database, file: string): Turns {
  const [readers, writers]: [Turn[], Turn[]] = [[], []];
  let running: Promise<void> | undefined;
  let isHeldUp = false;
  const run = async () => {
    // Who has come by the same look at the sockets goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (readers.length + writers.length > 0) {
      const reading = async () => db.exec('BEGIN');
      if (readers.length > 0) await together(db, reading, readers.splice(0));
      const writing = async () => {
        isHeldUp = true;
        await beginImmediate(db).finally(() => {
          isHeldUp = false;
        });
      };
      if (writers.length > 0) await together(db, writing, writers.splice(0, MOST_TOGETHER));
    }
    running = undefined;
  };
  const take = <T>(queue: Turn[], work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const done = async () => {
        const result = await work();
        return () => resolve(result);
      };
      queue.push({ run: done, fail: (error) => reject(explain(file, error)) });
      running ??= run();
    });
  return {
    read: (work) => take(readers, work),
    write: (work) => take(writers, work),
    idle: async () => running,
    isHeldUp: () => isHeldUp,
  };
}

async function together(
  db: Database.Database,
  begin: () => Promise<unknown>,
  turns: readonly Turn[],
): Promise<void> {
  try {
    await begin();
    const ends: (() => void)[] = [];
    for (const turn of turns) ends.push(await behindSavepoint(db, turn));
    db.exec('COMMIT');
    for (const end of ends) end();
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    for (const { fail } of turns) fail(error);
  }
}

/**
 * @returns to be called when the transaction is over
 * @throws what ended the transaction, with all that was done in it
 */
async function behindSavepoint(db: Database.Database, turn: Turn): Promise<() => void> {
  db.exec('SAVEPOINT turn');
  try {
    return await turn.run();
  } catch (error) {
    // A full disk, for one, leaves nothing to go back to.
    if (!db.inTransaction) throw error;
    db.exec('ROLLBACK TO turn');
    return () => turn.fail(error);
  } finally {
    if (db.inTransaction) db.exec('RELEASE turn');
  }
}
