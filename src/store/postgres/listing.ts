import * as z from 'zod/mini';
import type { LeaseState, View } from '../../engine/store.ts';
import { LENT, OPEN, WAITING } from '../claimable-conditions.ts';
import { fromRow, KindName } from '../lease-row.ts';
import { SELECTED } from './leases.ts';
import type { Session, Value } from './session.ts';

const ENDED = 'finish_way IS NULL AND expires_at <= greatest(changed_at, $2)';

/** What a state means to the rows, with the time as the second parameter. */
const STATES: Readonly<Record<LeaseState, string>> = {
  held: 'finish_way IS NULL AND expires_at > greatest(changed_at, $2)',
  waiting: WAITING,
  expired: `${ENDED} AND NOT (work_data IS NOT NULL AND expires_at <= changed_at)`,
  completed: "finish_way = 'complete'",
  failed: "finish_way IN ('fail', 'cancel')",
};

const HELD = `SELECT kind, count(*) AS leases FROM leasectl.leases
  WHERE finish_at IS NULL AND expires_at > changed_at AND expires_at > $2 AND namespace = $1
  GROUP BY kind`;
const CLAIMABLE = `SELECT kind, sum(leases)::bigint AS leases FROM (
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE namespace = $1 AND ${WAITING} AND ${OPEN} GROUP BY kind
    UNION ALL
    SELECT kind, count(*) AS leases FROM leasectl.leases
    WHERE namespace = $1 AND ${LENT} AND expires_at <= $2 GROUP BY kind) AS counted
  GROUP BY kind`;
const STORED =
  'SELECT coalesce(sum(leases), 0)::bigint AS leases FROM leasectl.stored WHERE namespace = $1';
const USAGE = `SELECT coalesce(sum(acquisitions), 0)::bigint AS leases FROM leasectl.usage
  WHERE namespace = $1 AND month = $2`;

const Count = z.object({ kind: KindName, leases: z.int() });
const Total = z.tuple([z.object({ leases: z.int() })]);

/** The part of a transaction that looks over all that a namespace has. */
export function bindListing(
  session: Session,
  namespace: string,
): Pick<View, 'leases' | 'stored' | 'census' | 'usage'> {
  const counts = async (sql: string) => {
    const rows = await session.rows(sql, namespace, session.now);
    return new Map(rows.map((row) => Count.parse(row)).map(({ kind, leases }) => [kind, leases]));
  };
  const total = async (sql: string, ...values: Value[]) =>
    Total.parse(await session.rows(sql, namespace, ...values))[0].leases;
  return {
    async leases({ kind, state, prefix, after }, limit) {
      const values: Value[] = [namespace, session.now];
      const parameter = (value: Value) => `$${values.push(value)}`;
      // The time is not of use to each of them, but the number of parameters is not to depend on that.
      const conditions = ['namespace = $1', '$2::bigint IS NOT NULL'];
      if (kind !== undefined) conditions.push(`kind = ${parameter(kind)}`);
      if (after) conditions.push(`(kind, id) > (${parameter(after.kind)}, ${parameter(after.id)})`);
      if (state !== undefined) conditions.push(STATES[state]);
      if (prefix !== undefined) {
        const begin = parameter(prefix);
        conditions.push(`id >= ${begin}`, `starts_with(id, ${begin})`);
      }
      const rows = await session.rows(
        `SELECT ${SELECTED} FROM leasectl.leases AS lease WHERE ${conditions.join(' AND ')}
         ORDER BY kind, id LIMIT ${parameter(limit)}`,
        ...values,
      );
      return rows.map(fromRow);
    },
    stored: () => total(STORED),
    usage: (month) => total(USAGE, month),
    async census() {
      const [held, claimable] = [await counts(HELD), await counts(CLAIMABLE)];
      return KindName.options.map((kind) => ({
        kind,
        held: held.get(kind) ?? 0,
        claimable: claimable.get(kind) ?? 0,
      }));
    },
  };
}
