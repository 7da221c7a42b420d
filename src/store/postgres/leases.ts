import type { Kind, Lease } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';
import { COLUMNS, fromRow, toRow } from '../lease-row.ts';
import { findClaimable, lockClaimable } from './claimable.ts';
import type { Session, Value } from './session.ts';

const [, , , ...MUTABLE] = COLUMNS;

/** The columns as `fromRow` wants them, of the table or of an alias of it. */
export const SELECTED = COLUMNS.map((column) =>
  isList(column) ? `array_to_json(lease.${column})::text AS ${column}` : `lease.${column}`,
).join(', ');

const FROM = `SELECT ${SELECTED} FROM leasectl.leases AS lease WHERE namespace = $1 AND kind = $2`;
const FIND = `${FROM} AND id = $3`;
const FIND_BY_KEY = `${FROM} AND finish_way IS NULL
  AND hashtextextended(acquired_key, 0) = hashtextextended($3, 0) AND acquired_key = $3`;
const FIND_BY_HANDLE = `${FROM} AND handle = $3 AND work_data IS NOT NULL`;
const LOCK_KEY = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

const INSERT = `INSERT INTO leasectl.leases (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;
const UPDATE = `UPDATE leasectl.leases
  SET ${MUTABLE.map((column, index) => `${column} = $${index + 4}`).join(', ')}
  WHERE namespace = $1 AND kind = $2 AND id = $3`;
const SAVE = `${INSERT} ON CONFLICT (namespace, kind, id)
  DO UPDATE SET ${MUTABLE.map((column) => `${column} = excluded.${column}`).join(', ')}`;

type LeasePart = Pick<
  Transaction,
  'find' | 'findByHandle' | 'findByIdempotencyKey' | 'claimable' | 'save'
>;

/** What is looked up in order to change it is locked; so is what it must stay alone with. */
export function bindLeases(session: Session, namespace: string, isWriting: boolean): LeasePart {
  // Nothing can be locked that is not there. Whoever comes first inserts it, and the others fail in
  // that, and begin again.
  const missing = new Set<string>();
  // What is locked is looked up again without the time going on: it is judged at one moment.
  const locked = new Set<string>();
  const nameOf = (kind: Kind, id: string) => `${kind} ${id}`;
  const look = async (name: string, sql: string, ...values: Value[]) => {
    const isLocking = isWriting && !locked.has(name);
    const rows = isLocking
      ? await session.lockedRows(sql, namespace, ...values)
      : await session.rows(sql, namespace, ...values);
    return noteLocked(rows.map(fromRow));
  };
  const noteLocked = (leases: readonly Lease[]) => {
    for (const { kind, id } of leases) locked.add(nameOf(kind, id));
    return leases;
  };
  return {
    async find(kind, id) {
      const [lease] = await look(nameOf(kind, id), FIND, kind, id);
      if (!lease) missing.add(nameOf(kind, id));
      return lease;
    },
    async findByHandle(kind, handle) {
      return (await look('', FIND_BY_HANDLE, kind, handle))[0];
    },
    async findByIdempotencyKey(kind, key) {
      const name = JSON.stringify([namespace, kind, key]);
      // A statement of its own: the next one sees what was committed before the lock was had.
      if (isWriting && !locked.has(name)) await session.rows(LOCK_KEY, name);
      const leases = await look(name, FIND_BY_KEY, kind, key);
      locked.add(name);
      return leases;
    },
    async claimable(kind, candidate, limit) {
      const query = { namespace, kind, candidate, limit };
      const find = isWriting ? lockClaimable : findClaimable;
      return noteLocked((await find(session, query)).map(fromRow));
    },
    async save(lease) {
      const name = nameOf(lease.kind, lease.id);
      const sql = missing.delete(name) ? INSERT : locked.has(name) ? UPDATE : SAVE;
      session.send(sql, ...valuesOf(namespace, lease));
    },
  };
}

function isList(column: string): boolean {
  return column === 'work_tags' || column === 'work_runners';
}

/** As `toRow`, but lists are PostgreSQL's own. */
export function valuesOf(namespace: string, lease: Lease): Value[] {
  const { work } = lease;
  return toRow(namespace, lease).map((value, index) => {
    if (COLUMNS[index] === 'work_tags') return work?.tags ?? null;
    return COLUMNS[index] === 'work_runners' ? (work?.runners ?? null) : value;
  });
}
