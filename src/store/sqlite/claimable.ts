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
 * is held or finished.
 */

const FITS = `namespace = ?8 AND kind = ?1 AND work_pool = ?2
  AND (?3 = '' OR work_workspace = ?3)
  AND NOT EXISTS (
    SELECT 1 FROM json_each(work_tags) AS tag
    WHERE tag.value NOT IN (SELECT value FROM json_each(?4)))
  AND (work_runners = '[]'
    OR EXISTS (SELECT 1 FROM json_each(work_runners) AS runner WHERE runner.value = ?5))`;

export const CLAIMABLE = `
  SELECT * FROM (
    SELECT * FROM leases INDEXED BY leases_waiting
    WHERE ${FITS} AND ${WAITING} AND ${OPEN}
    ORDER BY first_seen_at, id LIMIT ?6)
  UNION ALL
  SELECT * FROM (
    SELECT * FROM leases INDEXED BY leases_lent
    WHERE ${FITS} AND ${LENT} AND expires_at <= ?7)
  ORDER BY first_seen_at, id LIMIT ?6`;

/** Rows of work that the candidate may acquire now, the oldest first. */
export function findClaimable(
  statement: Statements,
  { namespace, kind, candidate, limit, now }: ClaimableQuery,
): unknown[] {
  const { pool, workspace, tags, runner } = candidate;
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
