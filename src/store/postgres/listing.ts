import * as z from 'zod/mini';
import { integer, rowOf } from '../../domain/columns.ts';
import { KIND_NAMES, type Lease, type LeaseState } from '../../engine/lease.ts';
import type { View } from '../../engine/store.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';
import { fromRow, kindName } from '../lease-row.ts';
import { type ListRange, rangesOf } from '../list-range.ts';
import { SELECTED } from './leases.ts';
import type { Session, Value } from './session.ts';

/** In the words of the indexes. */
export const IS_NOTED = 'ran_out_at = expires_at';
export const IS_UNNOTED = 'ran_out_at IS DISTINCT FROM expires_at';
export const LASTED = 'finish_at IS NULL AND expires_at > changed_at';

/** The conditions on a place's rows: those that its index is for, and what each of a list is. */
interface Place {
  readonly rows: string;
  readonly own: string;
}

const OWN = 'namespace = $1 AND kind = $3';
/** Whose namespace or kind it is no index is to tell: the planner would read all of that. */
const HIDDEN = "namespace || '' = $1 AND kind || '' = $3";
/** Since the last housekeeping; `$2` is the time. */
const UNNOTED: Place = { rows: `${LASTED} AND ${IS_UNNOTED} AND expires_at <= $2`, own: HIDDEN };
/** Noted as run out by a clock that was ahead, and set right since. */
const REVIVED: Place = { rows: `${LASTED} AND ${IS_NOTED} AND expires_at > $2`, own: HIDDEN };

/** Where the rows of a state are: in few places, each of which has its order. */
const STATES: Readonly<Record<LeaseState, readonly Place[]>> = {
  held: [standing('held', 'AND expires_at > $2'), REVIVED],
  waiting: [standing('waiting')],
  expired: [standing('expired', 'AND expires_at <= greatest(changed_at, $2)'), UNNOTED],
  completed: [standing('completed')],
  failed: [standing('failed')],
};
const ALL: readonly Place[] = [{ rows: 'TRUE', own: OWN }];

/** In the words of the index. */
function standing(name: string, over = ''): Place {
  const rows = `(CASE
    WHEN finish_way = 'complete' THEN 'completed'
    WHEN finish_way IS NOT NULL THEN 'failed'
    WHEN expires_at > changed_at AND ran_out_at IS DISTINCT FROM expires_at THEN 'held'
    WHEN expires_at <= changed_at AND work_data IS NOT NULL THEN 'waiting'
    ELSE 'expired'
  END) = '${name}' ${over}`;
  return { rows, own: OWN };
}

const HELD = `SELECT kind, sum(leases)::bigint AS leases FROM (
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE ${LASTED} AND ${IS_UNNOTED} AND expires_at > $2 AND namespace = $1 GROUP BY kind
    UNION ALL
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE ${LASTED} AND ${IS_NOTED} AND expires_at > $2 AND namespace || '' = $1 GROUP BY kind
  ) AS counted
  GROUP BY kind`;
const CLAIMABLE = `SELECT kind, sum(leases)::bigint AS leases FROM (
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE namespace = $1 AND ${WAITING} AND ${OPEN} GROUP BY kind
    UNION ALL
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE namespace = $1 AND ${LENT} AND ${IS_NOTED} GROUP BY kind
    UNION ALL
    SELECT kind, -count(*) AS leases FROM leasectl.leases
    WHERE ${LASTED} AND ${IS_NOTED} AND expires_at > $2 AND namespace || '' = $1 AND ${LENT}
    GROUP BY kind
    UNION ALL
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE ${LASTED} AND ${IS_UNNOTED} AND expires_at <= $2 AND namespace || '' = $1 AND ${LENT}
    GROUP BY kind) AS counted
  GROUP BY kind`;
const STORED =
  'SELECT coalesce(sum(leases), 0)::bigint AS leases FROM leasectl.stored WHERE namespace = $1';
const USAGE = `SELECT coalesce(sum(acquisitions), 0)::bigint AS leases FROM leasectl.usage
  WHERE namespace = $1 AND month = $2`;

const toCount = rowOf({ kind: kindName, leases: integer });
const Total = z.tuple([z.object({ leases: z.int() })]);

/** The part of a transaction that looks over all that a namespace has. */
export function bindListing(
  session: Session,
  namespace: string,
): Pick<View, 'leases' | 'stored' | 'census' | 'usage'> {
  const counts = async (sql: string) => {
    const rows = await session.rows(sql, namespace, session.now);
    return new Map(rows.map(toCount).map(({ kind, leases }) => [kind, leases]));
  };
  const total = async (sql: string, ...values: Value[]) =>
    Total.parse(await session.rows(sql, namespace, ...values))[0].leases;
  return {
    async leases(filter, limit) {
      const places = filter.state === undefined ? ALL : STATES[filter.state];
      const found: Lease[] = [];
      for (const range of rangesOf(filter)) {
        const { kind, from, to } = range;
        const sql = listed(places, range);
        const values = [namespace, session.now, kind, from, to, limit - found.length];
        found.push(...(await session.rows(sql, ...values)).map(fromRow));
        if (found.length >= limit) break;
      }
      return found;
    },
    stored: () => total(STORED),
    usage: (month) => total(USAGE, month),
    async census() {
      const [held, claimable] = [await counts(HELD), await counts(CLAIMABLE)];
      return KIND_NAMES.map((kind) => ({
        kind,
        held: held.get(kind) ?? 0,
        claimable: claimable.get(kind) ?? 0,
      }));
    },
  };
}

/** Each text has the same parameters, whether it needs all of them or not. */
function listed(places: readonly Place[], { isAfter, to }: ListRange): string {
  const behind = to === null ? '$5::text IS NULL' : 'id < $5';
  const parts = places.map(
    ({ rows, own }) => `(SELECT ${SELECTED} FROM leasectl.leases AS lease
      WHERE ${rows} AND $2::bigint IS NOT NULL AND ${own} AND id ${isAfter ? '>' : '>='} $4 AND ${behind}
      ORDER BY lease.id LIMIT $6)`,
  );
  return `SELECT * FROM (${parts.join(' UNION ALL ')}) AS listed ORDER BY id LIMIT $6`;
}
