import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import * as z from 'zod/mini';
import type { Clock } from '../../domain/clock.ts';
import { Failure } from '../../domain/failure.ts';
import { explain, isConflict, isConnectionLoss } from './errors.ts';
import { NOW, Session, StatementError } from './session.ts';

/** Runs work in transactions. */
export interface Transactions {
  /** On one snapshot, and without any change. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Each statement sees what was committed before it. Runs the work again where others came in between. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * As `write`, but once, and hardly waiting for anybody else. Work may look things up while the
   * transaction begins, and changes nothing before it has `begun`.
   *
   * @throws StatementError where all that was done is gone
   */
  once<T>(work: (session: Session, begun: Promise<void>) => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  readonly pool: pg.Pool;
  /** What the database is called in messages. */
  readonly label: string;
  /** How long work is tried, and somewhat longer than what somebody else has locked is waited for; milliseconds. */
  readonly patience: number;
  /** Replaces the database's clock, for tests that move time. */
  readonly clock?: Clock | undefined;
}

/** How often work is tried. Two rarely meet twice. */
const ATTEMPTS = 6;
/** How long somebody else is waited for by those who go together, in milliseconds. */
const SHORTLY = 100;
/** The longest wait before the second attempt, in milliseconds; it grows from attempt to attempt. */
const PAUSE = 10;

/**
 * What each transaction begins with. Its settings are its own, so that they hold behind a pooler, too.
 *
 * There is an index for each statement, in the order in which rows are wanted. Left alone, the planner
 * reads and sorts all rows of a table that was small when it looked last, and of a queue whose length
 * it guesses wrong. An acknowledged change is on the disk, even where the database is told not to wait.
 *
 * A node that is stopped in the middle of a transaction loses it sooner than others give up what they
 * wait for, and they do so sooner than those who wait for their connections.
 */
const settings = (patience: number, lockTimeout: number) => `SELECT
  ${NOW} AS now,
  set_config('lock_timeout', '${lockTimeout}', true),
  set_config('statement_timeout', '${2 * patience}', true),
  set_config('idle_in_transaction_session_timeout', '${Math.ceil(0.6 * patience)}', true),
  set_config('enable_seqscan', 'off', true),
  set_config('enable_bitmapscan', 'off', true),
  set_config('enable_sort', 'off', true),
  set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true),
  set_config('random_page_cost', '1.1', true),
  CASE current_setting('synchronous_commit')
    WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`;
const BEGIN = {
  read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  write: 'BEGIN ISOLATION LEVEL READ COMMITTED',
  once: 'BEGIN ISOLATION LEVEL READ COMMITTED',
};

type Mode = keyof typeof BEGIN;
type Work<T> = (session: Session) => Promise<T>;
type EagerWork<T> = (session: Session, begun: Promise<void>) => Promise<T>;

const Begun = z.tuple([z.unknown(), z.object({ rows: z.tuple([z.object({ now: z.int() })]) })]);

export function createTransactions(options: TransactionOptions): Transactions {
  const { pool, label, patience, clock } = options;
  const settingsFor = (lockTimeout: number) =>
    settings(Math.trunc(patience), Math.ceil(lockTimeout));
  const [first, firstOnce] = [settingsFor(0.8 * patience), settingsFor(SHORTLY)];

  async function begin(session: Session, mode: Mode): Promise<void> {
    const set = mode === 'once' ? firstOnce : first;
    const [, { rows }] = Begun.parse(await session.plain(`${BEGIN[mode]}; ${set}`));
    session.tell(rows[0].now);
  }

  async function attempt<T>(client: pg.PoolClient, mode: Mode, work: EagerWork<T>): Promise<T> {
    const session = new Session(client, clock);
    try {
      const begun = begin(session, mode);
      begun.catch(() => undefined);
      const result = await work(session, begun);
      if (!session.hasChanges) {
        const over = rollBack(client);
        // Others may wait for what was locked; for a snapshot nobody does.
        if (mode !== 'read') await over;
        return result;
      }
      await session.commit();
      client.release();
      return result;
    } catch (error) {
      const isLost = error instanceof StatementError && isConnectionLoss(error.cause);
      if (isLost) client.release(true);
      else await rollBack(client);
      if (isLost && session.isCommitting) throw outcomeUnknown(label, error.cause);
      throw error;
    } finally {
      session.detach();
    }
  }

  const connect = () =>
    pool.connect().catch((error): never => {
      throw explain(label, error);
    });

  async function run<T>(mode: Mode, work: Work<T>): Promise<T> {
    const deadline = performance.now() + patience;
    for (let tried = 1; ; tried += 1) {
      const client = await connect();
      try {
        return await attempt(client, mode, (session, begun) => begun.then(() => work(session)));
      } catch (error) {
        if (!(error instanceof StatementError)) throw error;
        const { cause } = error;
        const isWorthIt = isConflict(cause) || isConnectionLoss(cause);
        const isEnough = tried === ATTEMPTS || performance.now() > deadline;
        if (!isWorthIt || isEnough) throw explain(label, cause);
        await delay(Math.random() * PAUSE * tried);
      }
    }
  }

  return {
    read: (work) => run('read', work),
    write: (work) => run('write', work),
    once: async (work) => attempt(await connect(), 'once', work),
  };
}

/** Gives the client back as it came, or not at all. */
async function rollBack(client: pg.PoolClient): Promise<void> {
  const isSound = await client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
  client.release(!isSound);
}

function outcomeUnknown(label: string, cause: unknown): Failure {
  return new Failure('unavailable', `${label} went away while a change was being made.`, {
    hint: 'It may be made or not: look at it before you try again.',
    outcomeUnknown: true,
    cause,
  });
}
