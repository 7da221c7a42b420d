import * as z from 'zod/mini';
import type { Candidate, Kind } from '../../engine/lease.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';
import { SELECTED } from './leases.ts';
import type { Session, Value } from './session.ts';

export interface ClaimableQuery {
  readonly namespace: string;
  readonly kind: Kind;
  readonly candidate: Candidate;
  readonly limit: number;
}

const FITS = `namespace = $1 AND kind = $2 AND work_pool = $3
  AND ($4::text IS NULL OR work_workspace = $4)
  AND work_tags <@ $5::text[]
  AND (work_runners = '{}' OR $6 = ANY (work_runners))
  AND (first_seen_at, id) > ($8, $9)`;

/**
 * The number is part of the text: the planner has to know that it is small. So it is one of few, for
 * each text stays prepared.
 */
function offered(columns: string, atLeast: number): string {
  const limit = 8 ** Math.ceil(Math.log2(atLeast) / 3);
  return `
  SELECT * FROM (
    (SELECT ${columns} FROM leasectl.leases AS lease WHERE ${FITS} AND ${WAITING} AND ${OPEN}
     ORDER BY first_seen_at, lease.id LIMIT ${limit})
    UNION ALL
    (SELECT ${columns} FROM leasectl.leases AS lease WHERE ${FITS} AND ${LENT} AND expires_at <= $7
     ORDER BY first_seen_at, lease.id LIMIT ${limit})) AS offered
  ORDER BY first_seen_at, id LIMIT ${limit}`;
}

/**
 * Asked of the rows as they are now, for they may have changed since they were offered. What somebody
 * else has locked is passed over: it is about to be acquired.
 */
const lock = (limit: number) => `
  SELECT ${SELECTED} FROM leasectl.leases AS lease
  WHERE namespace = $1 AND kind = $2 AND id = ANY ($3::text[])
    AND work_data IS NOT NULL AND finish_way IS NULL AND ${OPEN}
    AND (expires_at <= changed_at OR expires_at <= $4)
  ORDER BY first_seen_at, id LIMIT ${Math.trunc(limit)} FOR UPDATE OF lease SKIP LOCKED`;

/** How many are looked at together, at least, for many of them may be locked. */
const PAGE = 64;

const Place = z.object({ id: z.string(), first_seen_at: z.int() });
type Place = z.infer<typeof Place>;

/** Before all that is offered. */
const FIRST: Place = { id: '', first_seen_at: -1 };

/** Rows of work that the candidate may acquire now, the oldest first. */
export async function findClaimable(
  session: Session,
  query: ClaimableQuery,
): Promise<readonly unknown[]> {
  const sql = offered(SELECTED, query.limit);
  return (await session.rows(sql, ...parameters(session, query, FIRST))).slice(0, query.limit);
}

/** The same for whoever is going to acquire them: nobody else is offered them meanwhile. */
export async function lockClaimable(
  session: Session,
  query: ClaimableQuery,
): Promise<readonly unknown[]> {
  const { namespace, kind, limit } = query;
  const page = Math.max(limit, PAGE);
  for (let after: Place | undefined = FIRST; after; ) {
    const sql = offered('id, first_seen_at', page);
    const rows = await session.rows(sql, ...parameters(session, query, after));
    const places = rows.map((row) => Place.parse(row));
    if (places.length === 0) break;
    const ids = places.map(({ id }) => id);
    const locked = await session.rows(lock(limit), namespace, kind, ids, session.now);
    if (locked.length > 0) return locked;
    after = places.length < page ? undefined : places.at(-1);
  }
  return [];
}

function parameters(
  { now }: Session,
  { namespace, kind, candidate }: ClaimableQuery,
  after: Place,
): Value[] {
  const { pool, workspace, tags, runner } = candidate;
  const fits = [namespace, kind, pool, workspace || null, tags, runner];
  return [...fits, now, after.first_seen_at, after.id];
}
