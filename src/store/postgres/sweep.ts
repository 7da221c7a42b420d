import * as z from 'zod/mini';
import type { Instant } from '../../engine/lease.ts';
import type { SweepOptions, Swept } from '../../engine/store.ts';
import { begin, countsOf, isEarly } from '../sweep-parts.ts';
import { IS_UNNOTED, LASTED } from './listing.ts';
import type { Session, Value } from './session.ts';

/** Known to all nodes that share the database, and to nobody else, one hopes. */
const LOCK = 0x6c_65_61_73_65_02;

/**
 * How long a change may take from when it read the time to when others see it, in milliseconds: so
 * much later there may still appear a lease whose end lies in the past. So each housekeeping begins
 * that much before the end of the last one.
 */
const SLACK = 60_000;

const STATE = `SELECT swept_at, expired_until, counted_until,
    (SELECT coalesce(max(sequence), 0) FROM leasectl.events) AS latest
  FROM leasectl.sweeps
  WHERE pg_try_advisory_xact_lock(${LOCK})`;
const NOTE = 'UPDATE leasectl.sweeps SET swept_at = $1, expired_until = $2';

/** Each is looked for by itself: NOT EXISTS would become a join with all that ever ran out. */
const NOTE_EXPIRED = `INSERT INTO leasectl.events
    (namespace, kind, id, type, at, fencing_token, version, state_before, state_after)
  SELECT namespace, kind, id, 'expired', expires_at, fencing_token, version, 'held', 'expired'
  FROM leasectl.leases AS lease
  WHERE ${LASTED} AND ${IS_UNNOTED} AND expires_at >= $1 AND expires_at <= $2
    AND (SELECT count(*) FROM (
      SELECT 1 FROM leasectl.events AS event
      WHERE event.type = 'expired' AND event.namespace = lease.namespace
        AND event.kind = lease.kind AND event.id = lease.id
        AND event.fencing_token = lease.fencing_token AND event.at = lease.expires_at
      LIMIT 1) AS known) = 0
  ORDER BY expires_at LIMIT $3
  ON CONFLICT DO NOTHING
  RETURNING namespace, at`;

/** With the leases, except those that somebody is at: what is noted there has its place in the queues. */
const NOTE_ENDS = `UPDATE leasectl.leases SET ran_out_at = expires_at WHERE ctid = ANY (ARRAY (
    SELECT ctid FROM leasectl.leases WHERE ${LASTED} AND ${IS_UNNOTED} AND expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))`;

/** By where they are, so that however many there are, no others are read. */
const drop = (table: string, which: string, over: string) => `
  WITH gone AS (
    DELETE FROM leasectl.${table} WHERE ctid = ANY (ARRAY (
      SELECT ctid FROM leasectl.${table} ${which})) AND ${over}
    RETURNING 1)
  SELECT count(*) AS dropped FROM gone`;
/** What somebody is at is left for the next time, so that no request waits. */
const dropFree = (table: string, over: string) =>
  drop(table, `WHERE ${over} LIMIT $2 FOR UPDATE SKIP LOCKED`, over);
const DROP_LEASES = dropFree('leases', 'finish_way IS NOT NULL AND finish_at <= $1');
const DROP_RECEIPTS = dropFree('receipts', 'at <= $1');
/** The oldest come first, near enough: so no index by time has to be kept for them. */
const DROP_EVENTS = drop('events', 'ORDER BY sequence LIMIT $2', 'at <= $1');
/** Said so that those of other namespaces are not read, in the order of all. */
const OF_OWN = 'namespace >= own.namespace AND namespace <= own.namespace';
/** Behind its latest, a namespace has these, and what came before them. */
const COUNT_SURPLUS = `INSERT INTO leasectl.surplus (namespace, sequence)
  SELECT own.namespace, kept.sequence
  FROM (SELECT DISTINCT namespace FROM leasectl.stored) AS own
  CROSS JOIN LATERAL (
    SELECT sequence FROM leasectl.events WHERE ${OF_OWN}
    ORDER BY namespace DESC, sequence DESC OFFSET $1 LIMIT 1) AS kept
  ON CONFLICT (namespace) DO UPDATE SET sequence = excluded.sequence`;
const NOTE_COUNTED = 'UPDATE leasectl.sweeps SET counted_until = $1';
const DROP_SURPLUS = `WITH gone AS (
    DELETE FROM leasectl.events WHERE sequence = ANY (ARRAY (
      SELECT over.sequence FROM leasectl.surplus AS own
      CROSS JOIN LATERAL (
        SELECT sequence FROM leasectl.events
        WHERE ${OF_OWN} AND sequence <= own.sequence
        ORDER BY namespace, sequence LIMIT $1) AS over
      LIMIT $1))
    RETURNING 1)
  SELECT count(*) AS dropped FROM gone`;
/** Counting reads all that is kept: so it is done again when there may be so much more, of 100 parts. */
const MORE = 1 / 100;

const State = z.object({
  swept_at: z.int(),
  expired_until: z.int(),
  counted_until: z.int(),
  latest: z.int(),
});
const Noted = z.object({ namespace: z.string(), at: z.int() });
const Dropped = z.tuple([z.object({ dropped: z.int() })]);

/**
 * As `Store.sweep`.
 *
 * @param mostEvents that a namespace keeps
 */
export async function sweep(
  session: Session,
  { retention, history, interval, limit }: SweepOptions,
  mostEvents: number,
): Promise<Swept | undefined> {
  const { now } = session;
  const [state] = (await session.rows(STATE)).map((row) => State.parse(row));
  if (!state || isEarly(state.swept_at, now, interval)) return undefined;
  const from = begin(state.expired_until, now, interval + SLACK);
  const noted = await noteExpired(session, from, limit);
  const ended = await session.change(NOTE_ENDS, now, limit);
  if (state.latest - state.counted_until > MORE * mostEvents) {
    session.send(COUNT_SURPLUS, mostEvents);
    session.send(NOTE_COUNTED, state.latest);
  }
  const count = async (sql: string, ...values: Value[]) =>
    Dropped.parse(await session.rows(sql, ...values))[0].dropped;
  const dropped = [
    await count(DROP_LEASES, now - retention, limit),
    await count(DROP_RECEIPTS, now - retention, limit),
    await count(DROP_EVENTS, now - history, limit),
    await count(DROP_SURPLUS, limit),
  ];
  const isDone = [noted.length, ended, ...dropped].every((rows) => rows < limit);
  const looked = noted.length < limit ? now : Math.max(...noted.map(({ at }) => at));
  if (isDone) session.send(NOTE, now, now - SLACK);
  else session.send(NOTE, state.swept_at, looked);
  return {
    expired: countsOf(noted.map(({ namespace }) => namespace)),
    dropped: dropped.reduce((sum, rows) => sum + rows),
    isDone,
  };
}

async function noteExpired(session: Session, from: Instant, limit: number) {
  const rows = await session.rows(NOTE_EXPIRED, from, session.now, limit);
  return rows.map((row) => Noted.parse(row));
}
