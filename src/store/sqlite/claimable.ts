import type { Candidate, Instant, Kind } from '../../engine/lease.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';

export interface ClaimableQuery {
  readonly namespace: string;
  readonly kind: Kind;
  readonly candidate: Candidate;
  readonly limit: number;
  readonly now: Instant;
}

/*
 * `INDEXED BY` makes it an error where SQLite does not use an index, rather than a reading of all that
 * is held or finished. What work needs stands in the index before its age, so only one row is read of
 * all that needs something which the candidate does not have.
 */

/** As the indexes have it, with the workspace first. */
const NEED = 'json_array(work_workspace, work_tags, work_runners)';
const POOL = 'namespace = ?8 AND kind = ?1 AND work_pool = ?2';
/** Before and behind all that the workspace needs, or anything where none is named. */
const FROM = `CASE ?3 WHEN '' THEN '' ELSE rtrim(json_array(?3), ']') || ',' END`;
const TO = `CASE ?3 WHEN '' THEN char(92) ELSE rtrim(json_array(?3), ']') || '-' END`;

const fits = (need: string) => `NOT EXISTS (
    SELECT 1 FROM json_each(${need} ->> 1) AS tag
    WHERE tag.value NOT IN (SELECT value FROM json_each(?4)))
  AND (${need} ->> 2 = '[]'
    OR EXISTS (SELECT 1 FROM json_each(${need} ->> 2) AS runner WHERE runner.value = ?5))`;

/** The oldest work of each need that the candidate fits. */
function oldest(index: string, isOffered: string, isReady: string): string {
  const own = `FROM leases INDEXED BY ${index} WHERE ${POOL} AND ${isOffered}`;
  const next = (after: string) =>
    `(SELECT ${NEED} ${own} AND ${NEED} > ${after} AND ${NEED} < ${TO} ORDER BY ${NEED} LIMIT 1)`;
  return `
    SELECT lease.* FROM (
      WITH RECURSIVE needs (need) AS (
        SELECT ${next(FROM)}
        UNION ALL
        SELECT ${next('need')} FROM needs WHERE need IS NOT NULL)
      SELECT need FROM needs WHERE need IS NOT NULL AND ${fits('need')}) AS fitting
    CROSS JOIN leases AS lease
    WHERE lease.namespace = ?8 AND lease.kind = ?1 AND lease.id IN (
      SELECT id ${own} AND ${NEED} = fitting.need AND ${isReady}
      ORDER BY first_seen_at, id LIMIT ?6)`;
}

/** Nobody noted yet that it ran out. */
const UNNOTED = `FROM leases INDEXED BY leases_lent
  WHERE ${POOL} AND ${LENT} AND (ran_out_at IS expires_at) = 0 AND expires_at <= ?7`;

export const CLAIMABLE = `
  SELECT * FROM (${oldest('leases_waiting', `${WAITING} AND ${OPEN}`, 'TRUE')})
  UNION ALL
  SELECT * FROM (${oldest('leases_ran_out', "standing = 'ran_out'", 'expires_at <= ?7')})
  UNION ALL
  SELECT * FROM (
    SELECT * ${UNNOTED} AND ${NEED} > ${FROM} AND ${NEED} < ${TO} AND ${fits(NEED)})
  ORDER BY first_seen_at, id LIMIT ?6`;

/** So many at a time: who wants one waits for that. */
const NOTED_AT_ONCE = 500;
/** From now on it has its place among what is older and younger, and need not be sorted again. */
export const NOTE_RAN_OUT = `UPDATE leases SET ran_out_at = expires_at
  WHERE namespace = ?3 AND kind = ?1 AND id IN (
    SELECT id FROM leases INDEXED BY leases_lent
    WHERE namespace = ?3 AND kind = ?1 AND work_pool = ?2 AND ${LENT}
      AND (ran_out_at IS expires_at) = 0 AND expires_at <= ?4
    ORDER BY expires_at LIMIT ${NOTED_AT_ONCE})`;

/**
 * Rows of work that the candidate may acquire now, the oldest first.
 *
 * @param isWriting whether the transaction may change anything
 */
export function findClaimable(
  statement: Statements,
  { namespace, kind, candidate, limit, now }: ClaimableQuery,
  isWriting: boolean,
): unknown[] {
  const { pool, workspace, tags, runner } = candidate;
  if (isWriting) statement(NOTE_RAN_OUT).run(kind, pool, namespace, now);
  return statement(CLAIMABLE).all(
    kind,
    pool,
    workspace ?? '',
    JSON.stringify(tags),
    runner,
    limit,
    now,
    namespace,
  );
}
