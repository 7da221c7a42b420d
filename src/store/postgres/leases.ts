import type { Kind, Lease } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';
import { COLUMNS, fromRow, toRow } from '../lease-row.ts';
import { findClaimable } from './claimable.ts';
import type { Session, Value } from './session.ts';

const [, , , ...MUTABLE] = COLUMNS;

/** The columns as `fromRow` wants them, of the table or of an alias of it. */
export const SELECTED = COLUMNS.map((column) =>
  isList(column) ? `array_to_json(lease.${column})::text AS ${column}` : `lease.${column}`,
).join(', ');

const FROM = `SELECT ${SELECTED} FROM leasectl.leases AS lease WHERE namespace = $1 AND kind = $2`;
const FIND = `${FROM} AND id = $3`;
const FIND_BY_KEY = `${FROM} AND acquired_key = $3 AND finish_way IS NULL`;
const FIND_BY_HANDLE = `${FROM} AND handle = $3 AND work_data IS NOT NULL`;
const LOCKED = ' FOR UPDATE';
const LOCK_KEY = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

const INSERT = `INSERT INTO leasectl.leases (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;
const SAVE = `${INSERT} ON CONFLICT (namespace, kind, id)
  DO UPDATE SET ${MUTABLE.map((column) => `${column} = excluded.${column}`).join(', ')}`;

type LeasePart = Pick<
  Transaction,
  'find' | 'findByHandle' | 'findByIdempotencyKey' | 'claimable' | 'save'
>;

/** What is looked up in order to change it is locked; so is what it must stay alone with. */
export function bindLeases(session: Session, namespace: string, isWriting: boolean): LeasePart {
  const locked = isWriting ? LOCKED : '';
  // Nothing can be locked that is not there. Whoever comes first inserts it, and the others fail in
  // that, and begin again.
  const missing = new Set<string>();
  const nameOf = (kind: Kind, id: string) => `${kind} ${id}`;
  return {
    async find(kind, id) {
      const [row] = await session.rows(`${FIND}${locked}`, namespace, kind, id);
      if (row !== undefined) return fromRow(row);
      missing.add(nameOf(kind, id));
      return undefined;
    },
    async findByHandle(kind, handle) {
      const rows = await session.rows(`${FIND_BY_HANDLE}${locked}`, namespace, kind, handle);
      return rows.map(fromRow)[0];
    },
    async findByIdempotencyKey(kind, key) {
      // A statement of its own: the next one sees what was committed before the lock was had.
      if (isWriting) await session.rows(LOCK_KEY, JSON.stringify([namespace, kind, key]));
      const rows = await session.rows(`${FIND_BY_KEY}${locked}`, namespace, kind, key);
      return rows.map(fromRow);
    },
    async claimable(kind, candidate, limit) {
      const query = { namespace, kind, candidate, limit, isWriting };
      return (await findClaimable(session, query)).map(fromRow);
    },
    async save(lease) {
      const isNew = missing.delete(nameOf(lease.kind, lease.id));
      session.send(isNew ? INSERT : SAVE, ...valuesOf(namespace, lease));
    },
  };
}

function isList(column: string): boolean {
  return column === 'work_tags' || column === 'work_runners';
}

/** As `toRow`, but lists are PostgreSQL's own. */
function valuesOf(namespace: string, lease: Lease): Value[] {
  const { work } = lease;
  return toRow(namespace, lease).map((value, index) => {
    if (COLUMNS[index] === 'work_tags') return work?.tags ?? null;
    return COLUMNS[index] === 'work_runners' ? (work?.runners ?? null) : value;
  });
}
