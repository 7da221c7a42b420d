import type { Candidate, Instant, Kind } from '../../engine/lease.ts';
import type { Statements } from '../../sqlite/statements.ts';

export interface ClaimableQuery {
  readonly namespace: string;
  readonly kind: Kind;
  readonly candidate: Candidate;
  readonly limit: number;
  readonly now: Instant;
}

/*
 * The conditions of the two partial indexes are repeated word for word: SQLite uses such an index
 * only where it sees that they hold. `INDEXED BY` makes it an error if it does not, rather than a
 * reading of all that is held or finished.
 */
export const WAITING = 'work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at';
/** Work that waits may be closed, too: given back on its last try. */
export const OPEN =
  'cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries)';
export const LENT = `work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at AND ${OPEN}`;

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
