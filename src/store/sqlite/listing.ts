import * as z from 'zod/mini';
import type { Instant } from '../../engine/lease.ts';
import type { LeaseState, View } from '../../engine/store.ts';
import { firstValue } from '../../sqlite/database.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';
import { fromRow, KindName } from '../lease-row.ts';

const RAN_OUT = 'finish_way IS NULL AND expires_at <= max(changed_at, ?)';

/** What a state means to the rows, with the time as its parameter. */
const STATES: Readonly<Record<LeaseState, string>> = {
  held: 'finish_way IS NULL AND expires_at > max(changed_at, ?)',
  waiting: `${WAITING} AND ? IS NOT NULL`,
  expired: `${RAN_OUT} AND NOT (work_data IS NOT NULL AND expires_at <= changed_at)`,
  completed: "finish_way = 'complete' AND ? IS NOT NULL",
  failed: "finish_way IN ('fail', 'cancel') AND ? IS NOT NULL",
};

/** As the index `leases_by_end` has it; see `claimable.ts`. */
const HELD = `SELECT kind, count(*) AS leases FROM leases INDEXED BY leases_by_end
  WHERE finish_way IS NULL AND expires_at > changed_at AND expires_at > ?1 AND namespace = ?2
  GROUP BY kind`;
const CLAIMABLE = `SELECT kind, sum(leases) AS leases FROM (
    SELECT kind, count(*) AS leases FROM leases INDEXED BY leases_waiting
    WHERE namespace = ?2 AND ${WAITING} AND ${OPEN} GROUP BY kind
    UNION ALL
    SELECT kind, count(*) AS leases FROM leases INDEXED BY leases_lent
    WHERE namespace = ?2 AND ${LENT} AND expires_at <= ?1 GROUP BY kind)
  GROUP BY kind`;

const Count = z.object({ kind: KindName, leases: z.int() });

/** The part of a transaction that looks over all that a namespace has. */
export function bindListing(
  statement: Statements,
  namespace: string,
  now: Instant,
): Pick<View, 'leases' | 'stored' | 'census'> {
  const counts = (sql: string) =>
    new Map(
      statement(sql)
        .all(now, namespace)
        .map((row) => Count.parse(row))
        .map(({ kind, leases }) => [kind, leases]),
    );
  return {
    async leases({ kind, state, prefix, after }, limit) {
      const conditions: [string, ...(string | number)[]][] = [['namespace = ?', namespace]];
      if (kind !== undefined) conditions.push(['kind = ?', kind]);
      if (after) conditions.push(['(kind, id) > (?, ?)', after.kind, after.id]);
      if (state !== undefined) conditions.push([STATES[state], now]);
      if (prefix !== undefined) {
        conditions.push(['id >= ?', prefix], ['substr(id, 1, length(?)) = ?', prefix, prefix]);
      }
      const where = conditions.map(([condition]) => condition).join(' AND ');
      return statement(`SELECT * FROM leases WHERE ${where} ORDER BY kind, id LIMIT ?`)
        .all(...conditions.flatMap(([, ...values]) => values), limit)
        .map(fromRow);
    },
    async stored() {
      const sql = 'SELECT leases FROM stored WHERE namespace = ?';
      return Number(firstValue(statement(sql).all(namespace)) ?? 0);
    },
    async census() {
      const [held, claimable] = [counts(HELD), counts(CLAIMABLE)];
      return KindName.options.map((kind) => ({
        kind,
        held: held.get(kind) ?? 0,
        claimable: claimable.get(kind) ?? 0,
      }));
    },
  };
}
