import type Database from 'libsql';
import { beginImmediate } from '../../sqlite/database.ts';
import { explain } from '../../sqlite/errors.ts';

/** What those have in common who read, or write, in one transaction. */
interface Common {
  /** Writes what is written once for all of them. */
  flush(): void;
}

/** Somebody who waits for the connection. */
interface Turn<B> {
  /** Does the work. @returns to be called when what it did is durable */
  readonly run: (batch: B) => Promise<() => void>;
  readonly fail: (error: unknown) => void;
}

export interface Turns<B> {
  /** Looks at one state of the database. */
  read<T>(work: (batch: B) => Promise<T>): Promise<T>;
  /**
   * Changes it alone; what was written is durable when this resolves. The work is done again where
   * somebody fails who writes in the same transaction.
   */
  write<T>(work: (batch: B) => Promise<T>): Promise<T>;
  /** Resolves when nobody waits. */
  idle(): Promise<void>;
  /** Whether it waits for another process's write, and all turns with it. */
  isHeldUp(): boolean;
}

export interface TurnsOptions {
  /** Whether there is one who asks, so that nobody else need be waited for. */
  readonly isAlone?: boolean | undefined;
  /** Told how many have written, when that is durable. */
  readonly onWritten?: (writers: number) => void;
}

/** How many write in one transaction, at most: the first ones wait for the last one. */
const MOST_TOGETHER = 100;

/**
 * A connection has one transaction at a time. Whoever comes meanwhile takes part in the next one, one
 * after the other: a disk needs as long for many changes as for one.
 *
 * @param file for messages
 * @param open is called in each transaction when it has begun
 */
export function createTurns<B extends Common>(
  db: Database.Database,
  file: string,
  open: () => B,
  { isAlone = false, onWritten }: TurnsOptions = {},
): Turns<B> {
  const [readers, writers]: [Turn<B>[], Turn<B>[]] = [[], []];
  let running: Promise<void> | undefined;
  let isHeldUp = false;
  const begin = async () => {
    isHeldUp = true;
    await beginImmediate(db).finally(() => {
      isHeldUp = false;
    });
  };
  const read = async (turns: readonly Turn<B>[]) => {
    db.exec('BEGIN');
    const batch = open();
    const ends: (() => void)[] = [];
    for (const turn of turns) {
      // Who only looks leaves nothing that would have to be taken back.
      ends.push(await turn.run(batch).catch((error) => () => turn.fail(error)));
    }
    return ends;
  };
  const write = async (turns: readonly Turn<B>[]) => {
    await begin();
    try {
      return await inOrder(turns, open());
    } catch (error) {
      // A full disk, for one, leaves nothing to go back to.
      if (!db.inTransaction) throw error;
      // It is rare that somebody fails: to be ready for it all the time costs more.
      db.exec('ROLLBACK');
    }
    await begin();
    const ends: (() => void)[] = [];
    for (const turn of turns) ends.push(await behindSavepoint(db, turn, open));
    return ends;
  };
  const run = async () => {
    // Who has come by the same look at the sockets goes together.
    await (isAlone || new Promise((resolve) => setImmediate(resolve)));
    while (readers.length + writers.length > 0) {
      if (readers.length > 0) await together(db, readers.splice(0), read);
      if (writers.length > 0) {
        const turns = writers.splice(0, MOST_TOGETHER);
        await together(db, turns, write);
        onWritten?.(turns.length);
      }
    }
    running = undefined;
  };
  const take = <T>(queue: Turn<B>[], work: (batch: B) => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const done = async (batch: B) => {
        const result = await work(batch);
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

/** @param work does what they want, in a transaction. @returns to be called when that is over */
async function together<B>(
  db: Database.Database,
  turns: readonly Turn<B>[],
  work: (turns: readonly Turn<B>[]) => Promise<(() => void)[]>,
): Promise<void> {
  try {
    const ends = await work(turns);
    // Another thread could do that, while this one reads requests: to go there and back takes longer.
    db.exec('COMMIT');
    for (const end of ends) end();
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    for (const { fail } of turns) fail(error);
  }
}

async function inOrder<B extends Common>(
  turns: readonly Turn<B>[],
  batch: B,
): Promise<(() => void)[]> {
  const ends: (() => void)[] = [];
  for (const turn of turns) ends.push(await turn.run(batch));
  batch.flush();
  return ends;
}

/**
 * @returns to be called when the transaction is over
 * @throws what ended the transaction, with all that was done in it
 */
async function behindSavepoint<B extends Common>(
  db: Database.Database,
  turn: Turn<B>,
  open: () => B,
): Promise<() => void> {
  db.exec('SAVEPOINT turn');
  try {
    const [end = () => undefined] = await inOrder([turn], open());
    return end;
  } catch (error) {
    // A full disk, for one, leaves nothing to go back to.
    if (!db.inTransaction) throw error;
    db.exec('ROLLBACK TO turn');
    return () => turn.fail(error);
  } finally {
    if (db.inTransaction) db.exec('RELEASE turn');
  }
}
