import type pg from 'pg';
import * as z from 'zod/mini';
import type { Clock } from '../../domain/clock.ts';
import type { Instant } from '../../engine/lease.ts';

export type Value = string | number | null | readonly string[];

/** The database's clock, in whole milliseconds. */
export const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/**
 * The time comes of what is outside, which is computed when the rows inside are locked; and it comes,
 * too, where somebody took away what was waited for.
 */
const locking = (sql: string) => `
  SELECT found.*, found IS NULL AS is_missing, ${NOW} AS locked_at
  FROM (SELECT 1) AS one LEFT JOIN (${sql} FOR UPDATE) AS found ON true`;
const Locked = z.looseObject({ is_missing: z.boolean(), locked_at: z.int() });

/** A statement failed, or its answer did not come: the cause is the driver's error. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
}

/**
 * A transaction as its statements see it. Changes are sent without waiting for their answers, which
 * are looked at when the transaction ends: so a change costs no way to the database and back.
 */
export class Session {
  #now: Instant = 0;
  /** Whether the end of the transaction was asked for, so that it may have come. */
  isCommitting = false;
  readonly #client: pg.PoolClient;
  readonly #clock: Clock | undefined;
  readonly #sent: Promise<void>[] = [];
  #failure: unknown;
  readonly #note = (error: unknown): void => {
    this.#failure ??= error;
  };

  /** @param clock replaces the database's */
  constructor(client: pg.PoolClient, clock?: Clock) {
    this.#client = client;
    this.#clock = clock;
    // A connection that breaks says so at once, and to what is sent later only when it is too late.
    client.on('error', this.#note);
  }

  /** From now on the client is no longer this one's. */
  detach(): void {
    this.#client.off('error', this.#note);
  }

  get now(): Instant {
    return this.#now;
  }

  /** It is not earlier than this. */
  tell(now: Instant): void {
    this.#now = Math.max(this.#now, this.#clock ? this.#clock() : now);
  }

  get hasChanges(): boolean {
    return this.#sent.length > 0;
  }

  /** @throws StatementError also where a change that was sent before failed */
  async rows(sql: string, ...values: readonly Value[]): Promise<readonly unknown[]> {
    try {
      return (await this.#query(sql, values)).rows;
    } catch (error) {
      throw new StatementError('a query failed', { cause: this.#failure ?? error });
    }
  }

  /**
   * Rows that nobody else may change from now on. Others may have had them for long: the time is the
   * one when they came free.
   *
   * @throws StatementError as `rows`
   */
  async lockedRows(sql: string, ...values: readonly Value[]): Promise<readonly unknown[]> {
    const rows = (await this.rows(locking(sql), ...values)).map((row) => Locked.parse(row));
    this.tell(Math.max(...rows.map(({ locked_at }) => locked_at)));
    return rows.filter(({ is_missing }) => !is_missing);
  }

  send(sql: string, ...values: readonly Value[]): void {
    this.#remember(this.#query(sql, values));
  }

  /**
   * A change of which it matters at once what it did.
   *
   * @returns how many rows are other than before
   * @throws StatementError as `rows`
   */
  async change(sql: string, ...values: readonly Value[]): Promise<number> {
    const answer = this.#query(sql, values);
    this.#remember(answer);
    try {
      return (await answer).rowCount ?? 0;
    } catch (error) {
      throw new StatementError('a change failed', { cause: this.#failure ?? error });
    }
  }

  /** Statements without parameters, several at a time. */
  async plain(sql: string): Promise<unknown> {
    try {
      return await this.#client.query(sql);
    } catch (error) {
      throw new StatementError('a query failed', { cause: error });
    }
  }

  async commit(): Promise<void> {
    // What is known to have failed cannot have come about.
    this.isCommitting = this.#failure === undefined;
    const [commit] = await Promise.allSettled([this.#client.query('COMMIT'), ...this.#sent]);
    if (this.#failure !== undefined) {
      throw new StatementError('a change failed', { cause: this.#failure });
    }
    if (commit.status === 'rejected') {
      throw new StatementError('the commit failed', { cause: commit.reason });
    }
    // What it answers where a statement had failed.
    if (commit.value.command !== 'COMMIT') throw new Error('the transaction was given up');
  }

  /** It has to be answered before the transaction is over. */
  #remember(answer: Promise<unknown>): void {
    this.#sent.push(answer.then(() => undefined, this.#note));
  }

  #query(text: string, values: readonly Value[]): Promise<pg.QueryResult> {
    return this.#client.query({ name: nameOf(text), text, values: values.map(storableValue) });
  }
}

/**
 * The database plans a statement with a name once for each connection. The name tells the text: behind
 * a pooler it could else be that of another statement, of another node.
 */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const { createHash } = process.getBuiltinModule('node:crypto');
  const name = `leasectl_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
  names.set(text, name);
  return name;
}

/** By the text; there are not many. */
const names = new Map<string, string>();

/** PostgreSQL's text has no NUL; in its place is what stands for half a surrogate pair, too. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}

function storableValue(value: Value): Value {
  if (typeof value === 'string') return storable(value);
  return Array.isArray(value) ? value.map(storable) : value;
}
