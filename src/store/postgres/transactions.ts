import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import * as z from 'zod/mini';
import type { Clock } from '../../domain/clock.ts';
import { Failure } from '../../domain/failure.ts';
import { explain, isConflict, isConnectionLoss } from './errors.ts';
import { Session, StatementError } from './session.ts';

/** Runs work in transactions. */
export interface Transactions {
  /** On one snapshot, and without any change. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Each statement sees what was committed before it. Runs the work again where others came in between. */
  write<T>(work: (session: Session) => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  readonly pool: pg.Pool;
  /** What the database is called in messages. */
  readonly label: string;
  /** Replaces the database's clock, for tests that move time. */
  readonly clock?: Clock | undefined;
}

/** How often work is tried. Two rarely meet twice. */
const ATTEMPTS = 6;
/** The longest wait before the second attempt, in milliseconds; it grows from attempt to attempt. */
const PAUSE = 10;

/**
 * What each transaction begins with: settings are its own, so that they hold behind a pooler, too. By
 * habit of the planner, while it knows a table as small, all of it is read: also when it is no longer
 * small. An acknowledged change is on the disk, even where other users of the database do not care.
 */
const SETTINGS = `SELECT
  floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
  set_config('statement_timeout', '10s', true),
  set_config('lock_timeout', '5s', true),
  set_config('idle_in_transaction_session_timeout', '15s', true),
  set_config('enable_seqscan', 'off', true),
  CASE current_setting('synchronous_commit')
    WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END`;
const BEGIN = {
  read: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${SETTINGS}`,
  write: `BEGIN ISOLATION LEVEL READ COMMITTED; ${SETTINGS}`,
};

type Mode = keyof typeof BEGIN;
type Work<T> = (session: Session) => Promise<T>;

const Begun = z.tuple([z.unknown(), z.object({ rows: z.tuple([z.object({ now: z.int() })]) })]);

export function createTransactions({ pool, label, clock }: TransactionOptions): Transactions {
  const names = new Map<string, string>();

  async function begin(client: pg.PoolClient, mode: Mode): Promise<Session> {
    const session = new Session(client, names);
    const [, { rows }] = Begun.parse(await session.plain(BEGIN[mode]));
    session.now = clock ? clock() : rows[0].now;
    return session;
  }

  async function attempt<T>(client: pg.PoolClient, mode: Mode, work: Work<T>): Promise<T> {
    let session: Session | undefined;
    try {
      session = await begin(client, mode);
      const result = await work(session);
      if (!session.hasChanges) {
        const over = rollBack(client);
        // Others may wait for what was locked; for a snapshot nobody does.
        if (mode === 'write') await over;
        return result;
      }
      await session.commit();
      client.release();
      return result;
    } catch (error) {
      const isLost = error instanceof StatementError && isConnectionLoss(error.cause);
      if (isLost) client.release(true);
      else await rollBack(client);
      if (isLost && session?.isCommitting) throw outcomeUnknown(label, error.cause);
      throw error;
    }
  }

  async function run<T>(mode: Mode, work: Work<T>): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      const client = await pool.connect().catch((error) => Promise.reject(explain(label, error)));
      try {
        return await attempt(client, mode, work);
      } catch (error) {
        if (!(error instanceof StatementError)) throw error;
        const { cause } = error;
        const isWorthIt = isConflict(cause) || isConnectionLoss(cause);
        if (!isWorthIt || tried === ATTEMPTS) throw explain(label, cause);
        await delay(Math.random() * PAUSE * tried);
      }
    }
  }

  return {
    read: (work) => run('read', work),
    write: (work) => run('write', work),
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
