import { Failure } from '../../domain/failure.ts';
import type { Transaction } from '../../engine/store.ts';
import { Alone, Batch } from './batch.ts';
import type { Counter } from './batch-names.ts';
import { bindPart, type Part } from './part.ts';
import { StatementError } from './session.ts';
import type { Transactions } from './transactions.ts';

type Work<T> = (transaction: Transaction) => Promise<T>;

/** Lets changes of one node that come together go in one transaction. */
export interface Together {
  /** @param alone does the same in a transaction of its own: where others are in the way, or something fails */
  write<T>(namespace: string, work: Work<T>, alone: () => Promise<T>): Promise<T>;
}

/** How many go in one transaction, at most: the first ones wait for the last one. */
const MOST_TOGETHER = 100;
/** How many counters are looked at before anybody asks for them, at most. */
const MOST_COUNTERS = 8;
/** Transactions at a time: while one is written to the disk, the next one is at work. */
const LANES = 3;

/** Somebody who waits. */
interface Turn {
  readonly part: Part;
  /** Does the work. @returns to be called when what it did is durable */
  readonly run: (batch: Batch) => Promise<() => void>;
  readonly goAlone: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * A database needs nearly as long for one change as for many: for each statement, for each way to it and
 * back, for each time that its log gets to the disk. So what has come while others were at it goes
 * together, one after the other on what was looked up for all, and is written for all.
 *
 * Nobody there waits for a row that is locked, and nobody fails for another's sake: who would have to
 * goes alone.
 */
export function createTogether({ once }: Transactions): Together {
  const waiting: Turn[] = [];
  let lanes = 0;
  /** What was counted last; it is likely to be counted again. */
  let counters: readonly Counter[] = [];

  async function run(): Promise<void> {
    // Who has come by the same look at the sockets goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await next();
    lanes -= 1;
  }

  async function next(): Promise<void> {
    let turns: Turn[] | undefined;
    try {
      const ends = await once(async (session, begun) => {
        turns = waiting.splice(0, MOST_TOGETHER);
        const batch = new Batch(session, begun);
        const ends = await takeTurns(batch, turns, counters);
        counters = batch.counted.slice(0, MOST_COUNTERS);
        return ends;
      });
      for (const end of ends) end();
    } catch (error) {
      // Of those who have not begun nobody would get a connection, either.
      const isForAll = turns === undefined || (error instanceof Failure && error.outcomeUnknown);
      for (const { fail, goAlone } of turns ?? waiting.splice(0)) {
        if (isForAll) fail(error);
        else goAlone();
      }
    }
  }

  return {
    write: (namespace, work, alone) =>
      new Promise((resolve, reject) => {
        const part = bindPart(namespace);
        const result = work(part.transaction);
        let isGone = false;
        const goAlone = () => {
          if (isGone) return;
          isGone = true;
          part.leave();
          alone().then(resolve, reject);
        };
        const turn: Turn = {
          part,
          goAlone,
          fail: reject,
          run: async (batch) => {
            if (isGone) return () => undefined;
            part.enter(batch);
            try {
              const value = await result;
              return () => resolve(value);
            } catch (error) {
              batch.undo();
              if (error instanceof StatementError) throw error;
              return error instanceof Alone ? goAlone : () => reject(error);
            } finally {
              batch.keep();
            }
          },
        };
        waiting.push(turn);
        result.catch((error) => {
          if (!(error instanceof Alone) || part.isEntered) return;
          const place = waiting.indexOf(turn);
          if (place >= 0) waiting.splice(place, 1);
          goAlone();
        });
        if (lanes < LANES) {
          lanes += 1;
          void run();
        }
      }),
  };
}

async function takeTurns(
  batch: Batch,
  turns: readonly Turn[],
  counters: readonly Counter[],
): Promise<readonly (() => void)[]> {
  const addresses = turns.flatMap(({ part }) => part.addresses);
  const keys = turns.flatMap(({ part }) => part.keys);
  await batch.lookUp({ addresses, keys, counters });
  const ends: (() => void)[] = [];
  for (const { run } of turns) ends.push(await run(batch));
  batch.write();
  return ends;
}
