import { integer, rowOf, text } from '../../domain/columns.ts';
import type { Instant } from '../../engine/lease.ts';
import type { SweepOptions, Swept } from '../../engine/store.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { begin, countsOf, isEarly } from '../sweep-parts.ts';

const toState = rowOf({ swept_at: integer, expired_until: integer });
const toBoundary = rowOf({ expires_at: integer });
const toNoted = rowOf({ namespace: text });

const ranOut = (isNoted: 0 | 1) => `FROM leases INDEXED BY leases_by_end
  WHERE finish_way IS NULL AND expires_at > changed_at
    AND (ran_out_at IS expires_at) = ${isNoted} AND expires_at > ?1 AND expires_at <= ?2`;
/** Whoever looks for work notes only with the lease that it ran out. */
const RAN_OUT = [ranOut(0), ranOut(1)];

const KEY = 'namespace, kind, id';

/** Does its part of the housekeeping, in a transaction that is open; as `Store.sweep`. */
export function sweep(
  statement: Statements,
  now: Instant,
  { retention, history, interval, limit }: SweepOptions,
): Swept | undefined {
  const { swept_at, expired_until } = toState(statement('SELECT * FROM sweeps').all()[0]);
  if (isEarly(swept_at, now, interval)) return undefined;
  const from = begin(expired_until, now, interval);
  const until = boundary(statement, from, now, limit);
  const expired = noteExpired(statement, from, until);
  const ended = noteEnds(statement, until, limit);
  const old = [now - retention, limit] as const;
  const dropped = [
    drop(statement, 'leases', 'leases_finished', KEY, OVER, old),
    drop(statement, 'receipts', 'receipts_by_time', `${KEY}, idempotency_key`, 'at <= ?', old),
    dropEvents(statement, now - history, limit),
  ];
  const isDone = until >= now && [ended, ...dropped].every((count) => count < limit);
  statement('UPDATE sweeps SET swept_at = ?, expired_until = ?').run(
    isDone ? now : swept_at,
    until,
  );
  return { expired, dropped: dropped.reduce((sum, count) => sum + count), isDone };
}

/** Up to when leases are looked at: such that they are about so many. */
function boundary(statement: Statements, from: Instant, now: Instant, limit: number): Instant {
  const ends = RAN_OUT.map((which) => {
    const sql = `SELECT expires_at ${which} ORDER BY expires_at LIMIT 1 OFFSET ?3`;
    const [row] = statement(sql).all(from, now, limit - 1);
    return row === undefined ? now : toBoundary(row).expires_at;
  });
  return Math.min(...ends);
}

function noteExpired(statement: Statements, from: Instant, until: Instant): Map<string, number> {
  const noted = RAN_OUT.flatMap((which) =>
    statement(
      `INSERT OR IGNORE INTO events
         (namespace, kind, id, type, at, fencing_token, version, state_before, state_after)
       SELECT ${KEY}, 'expired', expires_at, fencing_token, version, 'held', 'expired'
       ${which} ORDER BY expires_at
       RETURNING namespace`,
    ).all(from, until),
  );
  return countsOf(noted.map((row) => toNoted(row).namespace));
}

/** With the leases: also what ran out before anything was noted. */
function noteEnds(statement: Statements, until: Instant, limit: number): number {
  const ended = `${ranOut(0)} ORDER BY expires_at LIMIT ?3`;
  return statement(
    `UPDATE leases SET ran_out_at = expires_at WHERE (${KEY}) IN (SELECT ${KEY} ${ended})`,
  ).run(0, until, limit).changes;
}

const OVER = 'finish_way IS NOT NULL AND finish_at <= ?';

function drop(
  statement: Statements,
  table: string,
  index: string,
  key: string,
  condition: string,
  parameters: readonly [until: Instant, limit: number],
): number {
  const rows = `SELECT ${key} FROM ${table} INDEXED BY ${index} WHERE ${condition} LIMIT ?`;
  return statement(`DELETE FROM ${table} WHERE (${key}) IN (${rows})`).run(...parameters).changes;
}

/** The oldest come first, near enough: so no index by time has to be kept for them. */
function dropEvents(statement: Statements, until: Instant, limit: number): number {
  return statement(
    `DELETE FROM events WHERE at <= ?
       AND sequence IN (SELECT sequence FROM events ORDER BY sequence LIMIT ?)`,
  ).run(until, limit).changes;
}
