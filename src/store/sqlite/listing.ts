import { integer, rowOf } from '../../domain/columns.ts';
import { type Instant, KIND_NAMES, type Lease, type LeaseState } from '../../engine/lease.ts';
import type { View } from '../../engine/store.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { OPEN } from '../claimable-conditions.ts';
import { fromRow, kindName } from '../lease-row.ts';
import { type ListRange, rangesOf } from '../list-range.ts';

/** Since the last housekeeping; `?2` is the time. */
const UNNOTED = `leases INDEXED BY leases_by_end
  WHERE finish_way IS NULL AND expires_at > changed_at
    AND (ran_out_at IS expires_at) = 0 AND expires_at <= ?2`;
/** Noted as run out by a clock that was ahead, and set right since. */
const REVIVED = `leases INDEXED BY leases_by_end
  WHERE finish_way IS NULL AND expires_at > changed_at
    AND (ran_out_at IS expires_at) = 1 AND expires_at > ?2`;
const standing = (name: string) =>
  `leases INDEXED BY leases_by_standing WHERE standing = '${name}'`;
const OVER = 'AND expires_at <= max(changed_at, ?2)';

/** Where the rows of a state are: in few places, each of which has its order. */
const STATES: Readonly<Record<LeaseState, readonly string[]>> = {
  held: [`${standing('held')} AND expires_at > ?2`, REVIVED],
  waiting: [standing('waiting'), standing('closed')],
  expired: [`${standing('ran_out')} ${OVER}`, `${standing('expired')} ${OVER}`, UNNOTED],
  completed: [standing('completed')],
  failed: [standing('failed')],
};
/** By the primary key. */
const ALL = ['leases NOT INDEXED WHERE TRUE'];

/** What is counted as it stands, and what came of it that is not noted. */
const CENSUS = `SELECT kind, sum(held) AS held, sum(claimable) AS claimable FROM (
    SELECT kind, iif(standing = 'held', leases, 0) AS held,
      iif(standing IN ('waiting', 'ran_out'), leases, 0) AS claimable
    FROM standings WHERE namespace = ?1
    UNION ALL
    SELECT kind, -1, work_data IS NOT NULL AND ${OPEN} FROM ${UNNOTED} AND namespace = ?1
    UNION ALL
    SELECT kind, 1, -(standing = 'ran_out') FROM ${REVIVED} AND namespace = ?1)
  GROUP BY kind`;

const STORED = 'SELECT leases FROM stored WHERE namespace = ?';

const toCount = rowOf({ kind: kindName, held: integer, claimable: integer });

/** The part of a transaction that looks over all that a namespace has. */
export function bindListing(
  statement: Statements,
  namespace: string,
  now: Instant,
): Pick<View, 'leases' | 'stored' | 'census'> {
  return {
    async leases(filter, limit) {
      const places = filter.state === undefined ? ALL : STATES[filter.state];
      const found: Lease[] = [];
      for (const range of rangesOf(filter)) {
        const { kind, from, to } = range;
        const rows = statement(listed(places, range)).all(
          ...[namespace, now, kind, from, to],
          limit - found.length,
        );
        found.push(...rows.map(fromRow));
        if (found.length >= limit) break;
      }
      return found;
    },
    async stored() {
      const [leases] = statement.first(STORED, namespace) ?? [0];
      return Number(leases);
    },
    async census() {
      const counts = statement(CENSUS).all(namespace, now).map(toCount);
      return KIND_NAMES.map(
        (kind) => counts.find((count) => count.kind === kind) ?? { kind, held: 0, claimable: 0 },
      );
    },
  };
}

function listed(places: readonly string[], { isAfter, to }: ListRange): string {
  const ids = `id ${isAfter ? '>' : '>='} ?4${to === null ? '' : ' AND id < ?5'}`;
  const rows = (place: string) =>
    `SELECT * FROM ${place} AND namespace = ?1 AND kind = ?3 AND ${ids} ORDER BY id LIMIT ?6`;
  const [first = '', ...others] = places.map(rows);
  if (others.length === 0) return first;
  const parts = [first, ...others].map((part) => `SELECT * FROM (${part})`);
  return `${parts.join(' UNION ALL ')} ORDER BY id LIMIT ?6`;
}
