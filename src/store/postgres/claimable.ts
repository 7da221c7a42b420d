import type { Candidate, Kind } from '../../engine/lease.ts';
import { SELECTED } from './leases.ts';
import type { Session } from './session.ts';

export interface ClaimableQuery {
  readonly namespace: string;
  readonly kind: Kind;
  readonly candidate: Candidate;
  readonly limit: number;
  /** Whether it is to be had, not to be looked at. */
  readonly isWriting: boolean;
}

/* The conditions of the two partial indexes are repeated word for word, so that they are used. */
export const WAITING = 'work_data IS NOT NULL AND finish_way IS NULL AND expires_at <= changed_at';
/** Work that waits may be closed, too: given back on its last try. */
export const OPEN =
  'cancel_requested = 0 AND (work_max_tries IS NULL OR fencing_token < work_max_tries)';
export const LENT = `work_data IS NOT NULL AND finish_way IS NULL AND expires_at > changed_at AND ${OPEN}`;

const FITS = `namespace = $1 AND kind = $2 AND work_pool = $3
  AND ($4::text IS NULL OR work_workspace = $4)
  AND work_tags <@ $5::text[]
  AND (work_runners = '{}' OR $6 = ANY (work_runners))`;
/** Each branch in the order of the whole, so that no more is read than is taken. */
const OFFERED = `
  (SELECT id, first_seen_at FROM leasectl.leases WHERE ${FITS} AND ${WAITING} AND ${OPEN}
   ORDER BY first_seen_at, id)
  UNION ALL
  (SELECT id, first_seen_at FROM leasectl.leases WHERE ${FITS} AND ${LENT} AND expires_at <= $7
   ORDER BY first_seen_at, id)`;
/**
 * Asked of the row as it is now: between its being offered and its being locked it may have changed.
 */
const STILL = `work_data IS NOT NULL AND finish_way IS NULL AND ${OPEN}
  AND (expires_at <= changed_at OR expires_at <= $7)`;

/**
 * The number is part of the text: the planner has to know that it is small. What others have locked is
 * passed over, for they are about to acquire it.
 */
function queryFor(limit: number, isWriting: boolean): string {
  return `
    SELECT ${SELECTED} FROM (${OFFERED}) AS offered
    JOIN leasectl.leases AS lease
      ON lease.namespace = $1 AND lease.kind = $2 AND lease.id = offered.id
    WHERE ${STILL}
    ORDER BY offered.first_seen_at, offered.id
    LIMIT ${Number(limit)} ${isWriting ? 'FOR UPDATE OF lease SKIP LOCKED' : ''}`;
}

/** Rows of work that the candidate may acquire now, the oldest first. */
export function findClaimable(
  session: Session,
  { namespace, kind, candidate, limit, isWriting }: ClaimableQuery,
): Promise<readonly unknown[]> {
  const { pool, workspace, tags, runner } = candidate;
  const fits = [namespace, kind, pool, workspace || null, tags, runner];
  return session.rows(queryFor(limit, isWriting), ...fits, session.now);
}
