import { ROUTINE } from '../../engine/history.ts';
import { EVENT_COLUMNS, SAME_ROUTINE } from '../event-row.ts';
import { COLUMNS } from '../lease-row.ts';
import { SELECTED } from './leases.ts';
import { NOW } from './session.ts';

/*
 * What is done for many at once. Each statement has one parameter, a JSON array of objects; what is not
 * in them is null.
 */

const TYPES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['fencing_token', 'version', 'ttl', 'first_seen_at', 'changed_at', 'expires_at', 'at']
      .concat(['acquired_at', 'acquired_version', 'acquired_ttl', 'acquired_usage'])
      .concat(['work_max_tries', 'finish_at', 'acquisitions', 'place'])
      .map((column) => [column, 'bigint']),
  ),
  cancel_requested: 'smallint',
  work_tags: 'text[]',
  work_runners: 'text[]',
};

function records(name: string, columns: readonly string[]): string {
  const typed = columns.map((column) => `${column} ${TYPES[column] ?? 'text'}`);
  return `json_to_recordset($1::json) AS ${name} (${typed.join(', ')})`;
}

const KEY = ['namespace', 'kind', 'id'] as const;
const isSame = (one: string, other: string, columns: readonly string[] = KEY) =>
  columns.map((column) => `${one}.${column} = ${other}.${column}`).join(' AND ');

/**
 * A row for each that is wanted, with the lease where it is there and free; and then
 * nobody else may change it. What somebody else has locked is there, and not found. (To look whether there
 * EXISTS one, all would be read.)
 */
export const LOCK_FREE = `
  SELECT found.*, place, found IS NULL AS is_missing, ${NOW} AS locked_at,
    found IS NULL AND coalesce((
      SELECT true FROM leasectl.leases AS lease WHERE ${isSame('lease', 'wanted')}), false) AS is_locked
  FROM ${records('wanted', [...KEY, 'place'])}
  LEFT JOIN LATERAL (
    SELECT ${SELECTED} FROM leasectl.leases AS lease WHERE ${isSame('lease', 'wanted')}
    FOR UPDATE SKIP LOCKED) AS found ON true`;

/** Whether nobody else works with an idempotency key; and then nobody else does. */
export const LOCK_KEYS = `
  SELECT place, pg_try_advisory_xact_lock(hashtextextended(name, 0)) AS is_free
  FROM ${records('wanted', ['name', 'place'])}`;

/** Put so that no index is of use but the one of keys. */
const HAS_KEY = `finish_way IS NULL AND lease.acquired_key IS NOT NULL
  AND hashtextextended(lease.acquired_key, 0) = hashtextextended(wanted.acquired_key, 0)
  AND (lease.namespace, lease.kind, lease.acquired_key)
    IS NOT DISTINCT FROM (wanted.namespace, wanted.kind, wanted.acquired_key)`;
/** The unfinished leases that were acquired with idempotency keys, as `LOCK_FREE`, and how many there are. */
export const LOCK_KEYED = `
  SELECT found.*, place, found IS NULL AS is_missing, ${NOW} AS locked_at,
    (SELECT count(*) FROM leasectl.leases AS lease WHERE ${HAS_KEY}) AS leases
  FROM ${records('wanted', ['namespace', 'kind', 'acquired_key', 'place'])}
  LEFT JOIN LATERAL (
    SELECT ${SELECTED} FROM leasectl.leases AS lease WHERE ${HAS_KEY}
    FOR UPDATE SKIP LOCKED) AS found ON true`;

/** What a namespace has acquired in a month, or how many leases it has where no month is given. */
export const COUNT = `
  SELECT place, coalesce(CASE
    WHEN wanted.month IS NULL THEN (
      SELECT sum(leases) FROM leasectl.stored AS stored WHERE stored.namespace = wanted.namespace)
    ELSE (
      SELECT sum(acquisitions) FROM leasectl.usage AS usage
      WHERE usage.namespace = wanted.namespace AND usage.month = wanted.month)
    END, 0)::bigint AS total
  FROM ${records('wanted', ['namespace', 'month', 'place'])}`;

const insert = (table: string, columns: readonly string[]) =>
  `INSERT INTO leasectl.${table} (${columns.join(', ')})
   SELECT ${columns.join(', ')} FROM ${records('fresh', columns)}`;

export const INSERT_LEASES = insert('leases', COLUMNS);
export const UPDATE_LEASES = `UPDATE leasectl.leases AS lease
  SET ${COLUMNS.slice(KEY.length)
    .map((column) => `${column} = fresh.${column}`)
    .join(', ')}
  FROM ${records('fresh', COLUMNS)} WHERE ${isSame('lease', 'fresh')}`;
export const INSERT_EVENTS = insert('events', EVENT_COLUMNS);

/**
 * All but the latest of events that happen all the time. What somebody else is about to forget is left
 * to him.
 */
const trim = (routine: keyof typeof SAME_ROUTINE) => {
  const columns = [...KEY, 'type'];
  const same = columns.reduce(
    (text, column, index) => text.replaceAll(`$${index + 1}`, `routine.${column}`),
    SAME_ROUTINE[routine],
  );
  return `DELETE FROM leasectl.events WHERE sequence IN (
    SELECT surplus.sequence FROM ${records('routine', columns)}
    CROSS JOIN LATERAL (
      SELECT sequence FROM leasectl.events WHERE ${same} AND sequence <= (
        SELECT sequence FROM leasectl.events
        WHERE ${same} ORDER BY sequence DESC LIMIT 1 OFFSET ${ROUTINE.kept})
      FOR UPDATE SKIP LOCKED) AS surplus)`;
};
export const TRIM = { lease: trim('lease'), unknown: trim('unknown') };

export const CHARGE = `INSERT INTO leasectl.usage AS usage (namespace, month, shard, acquisitions)
  SELECT namespace, month, pg_backend_pid() % 16, acquisitions
  FROM ${records('charge', ['namespace', 'month', 'acquisitions'])}
  ON CONFLICT (namespace, month, shard)
  DO UPDATE SET acquisitions = usage.acquisitions + excluded.acquisitions`;
