import * as z from 'zod/mini';
import type { Candidate, Kind } from '../../engine/lease.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';
import { SELECTED } from './leases.ts';
import { IS_NOTED, IS_UNNOTED } from './listing.ts';
import type { Session, Value } from './session.ts';

export interface ClaimableQuery {
  readonly namespace: string;
  readonly kind: Kind;
  readonly candidate: Candidate;
  readonly limit: number;
}

const POOL = 'namespace = $1 AND kind = $2 AND work_pool = $3';
const WORKSPACE = "coalesce(work_workspace, '')";
const NEED = 'leasectl.need(work_tags, work_runners)';
const BEHIND = '(first_seen_at, lease.id) > ($8, $9)';
const FITS = `work_tags <@ $5::text[] AND (work_runners = '{}' OR $6 = ANY (work_runners))`;

/** A place where work stands by what it needs, and then by its age. */
interface Place {
  readonly name: string;
  readonly isOffered: string;
  /** What the index does not know. */
  readonly isReady: string;
}
const WAITING_PLACE: Place = {
  name: 'waiting',
  isOffered: `${WAITING} AND ${OPEN}`,
  isReady: '$7::bigint IS NOT NULL',
};
const RAN_OUT_PLACE: Place = {
  name: 'ran_out',
  isOffered: `${LENT} AND ${IS_NOTED}`,
  isReady: 'expires_at <= $7',
};

/** One row is read of all that need the same, and no other of those that the candidate does not fit. */
function needsOf({ name, isOffered }: Place, isBound: boolean): string {
  const columns = `${WORKSPACE} AS workspace, ${NEED} AS need, work_tags, work_runners`;
  const workspace = isBound ? `${WORKSPACE} = $4` : '$4::text IS NULL';
  const first = `SELECT ${columns} FROM leasectl.leases AS lease
    WHERE ${POOL} AND ${isOffered} AND ${workspace}`;
  const order = `ORDER BY ${WORKSPACE}, ${NEED}, first_seen_at, lease.id LIMIT 1`;
  return `${name}_needs AS (
    (${first} ${order})
    UNION ALL
    SELECT next.* FROM ${name}_needs AS last CROSS JOIN LATERAL (
      ${first} AND (${WORKSPACE}, ${NEED}) > (last.workspace, last.need) ${order}) AS next)`;
}

function oldest({ name, isOffered, isReady }: Place, columns: string, limit: number): string {
  return `(SELECT own.* FROM ${name}_needs AS needs CROSS JOIN LATERAL (
      SELECT ${columns} FROM leasectl.leases AS lease
      WHERE ${POOL} AND ${isOffered} AND ${WORKSPACE} = needs.workspace AND ${NEED} = needs.need
        AND ${isReady} AND ${BEHIND}
      ORDER BY first_seen_at, lease.id LIMIT ${limit}) AS own
    WHERE ${FITS.replaceAll('work_', 'needs.work_')})`;
}

/**
 * The number is part of the text: the planner has to know that it is small. So it is one of few, for
 * each text stays prepared.
 *
 * @param isBound whether the candidate names a workspace
 */
function offered(columns: string, atLeast: number, isBound: boolean): string {
  const limit = 8 ** Math.ceil(Math.log2(atLeast) / 3);
  const places = [WAITING_PLACE, RAN_OUT_PLACE];
  const workspace = isBound ? ` AND ${WORKSPACE} = $4` : '';
  // What ran out since the last housekeeping is sorted.
  return `WITH RECURSIVE ${places.map((place) => needsOf(place, isBound)).join(', ')}
  SELECT * FROM (
    ${places.map((place) => oldest(place, columns, limit)).join(' UNION ALL ')}
    UNION ALL
    (SELECT ${columns} FROM leasectl.leases AS lease
     WHERE ${POOL} AND ${LENT} AND ${IS_UNNOTED} AND expires_at <= $7${workspace} AND ${FITS} AND ${BEHIND}
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

const Offered = z.object({ id: z.string(), first_seen_at: z.int() });
type Offered = z.infer<typeof Offered>;

/** Before all that is offered. */
const FIRST: Offered = { id: '', first_seen_at: -1 };

/** Rows of work that the candidate may acquire now, the oldest first. */
export async function findClaimable(
  session: Session,
  query: ClaimableQuery,
): Promise<readonly unknown[]> {
  const sql = offered(SELECTED, query.limit, isBound(query));
  return (await session.rows(sql, ...parameters(session, query, FIRST))).slice(0, query.limit);
}

/** The same for whoever is going to acquire them: nobody else is offered them meanwhile. */
export async function lockClaimable(
  session: Session,
  query: ClaimableQuery,
): Promise<readonly unknown[]> {
  const { namespace, kind, limit } = query;
  const page = Math.max(limit, PAGE);
  for (let after: Offered | undefined = FIRST; after; ) {
    const sql = offered('id, first_seen_at', page, isBound(query));
    const rows = await session.rows(sql, ...parameters(session, query, after));
    const places = rows.map((row) => Offered.parse(row));
    if (places.length === 0) break;
    const ids = places.map(({ id }) => id);
    const locked = await session.rows(lock(limit), namespace, kind, ids, session.now);
    if (locked.length > 0) return locked;
    after = places.length < page ? undefined : places.at(-1);
  }
  return [];
}

function isBound({ candidate }: ClaimableQuery): boolean {
  return Boolean(candidate.workspace);
}

function parameters(
  { now }: Session,
  { namespace, kind, candidate }: ClaimableQuery,
  after: Offered,
): Value[] {
  const { pool, workspace, tags, runner } = candidate;
  const fits = [namespace, kind, pool, workspace || null, tags, runner];
  return [...fits, now, after.first_seen_at, after.id];
}
