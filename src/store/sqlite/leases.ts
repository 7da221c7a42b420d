import type { Kind } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { COLUMNS, fromRow, fromValues, toRow } from '../lease-row.ts';
import type { Batch } from './batch.ts';
import { findClaimable } from './claimable.ts';

const FIND = `SELECT ${COLUMNS.join(', ')} FROM leases WHERE namespace = ? AND kind = ? AND id = ?`;
const FIND_BY_HANDLE = `SELECT ${COLUMNS.join(', ')} FROM leases INDEXED BY leases_by_handle
  WHERE namespace = ? AND kind = ? AND handle = ? AND work_data IS NOT NULL`;
// SQLite would rather read all of a namespace, by the primary key.
const FIND_BY_KEY = `SELECT * FROM leases INDEXED BY leases_by_acquired_key
  WHERE namespace = ? AND kind = ? AND acquired_key = ? AND finish_way IS NULL`;
// No REPLACE, which would not tell the triggers that a row goes.
const SAVE = `${insertOf(COLUMNS)} ON CONFLICT (namespace, kind, id)
  DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`;

type Values = readonly unknown[];
type LeasePart = Pick<
  Transaction,
  'find' | 'findByHandle' | 'findByIdempotencyKey' | 'claimable' | 'save'
>;

/** The part of a transaction that keeps leases. Each value that is bound or read takes its time. */
export function bindLeases(
  statement: Statements,
  namespace: string,
  { now, isWriting }: Pick<Batch, 'now'> & { readonly isWriting: boolean },
): LeasePart {
  /** What is stored, by kinds and ids, as far as it was looked at; null where nothing is. */
  const stored = new Map<string, Values | null>();
  return {
    async find(kind, id) {
      const row = statement.first(FIND, namespace, kind, id);
      stored.set(nameOf(kind, id), row ?? null);
      return row && fromValues(row);
    },
    async findByHandle(kind, handle) {
      const row = statement.first(FIND_BY_HANDLE, namespace, kind, handle);
      if (!row) return undefined;
      const lease = fromValues(row);
      stored.set(nameOf(kind, lease.id), row);
      return lease;
    },
    async findByIdempotencyKey(kind, idempotencyKey) {
      return statement(FIND_BY_KEY).all(namespace, kind, idempotencyKey).map(fromRow);
    },
    async claimable(kind, candidate, limit) {
      const query = { namespace, kind, candidate, limit, now };
      return findClaimable(statement, query, isWriting).map(fromRow);
    },
    async save(lease) {
      const values = toRow(namespace, lease);
      const name = nameOf(lease.kind, lease.id);
      const before = stored.get(name);
      if (before) update(statement, before, values);
      else if (before === null) insert(statement, values);
      else statement(SAVE).run(values);
      stored.set(name, values);
    },
  };
}

function nameOf(kind: Kind, id: string): string {
  return `${kind} ${id}`;
}

function insertOf(columns: readonly string[]): string {
  return `INSERT INTO leases (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

function updateOf(columns: readonly string[]): string {
  const changes = columns.map((column) => `${column} = ?`).join(', ');
  return `UPDATE leases SET ${changes} WHERE namespace = ? AND kind = ? AND id = ?`;
}

/** Texts by the columns they name, a bit for each: to put one together takes as long as to run it. */
function remembered(textOf: (columns: readonly string[]) => string): (named: number) => string {
  const texts = new Map<number, string>();
  return (named) => {
    const known = texts.get(named);
    if (known !== undefined) return known;
    const text = textOf(COLUMNS.filter((_, index) => (named & (1 << index)) !== 0));
    texts.set(named, text);
    return text;
  };
}

const INSERT = remembered(insertOf);
const UPDATE = remembered(updateOf);

function insert(statement: Statements, values: Values): void {
  let named = 0;
  const given: unknown[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    named |= 1 << index;
    given.push(value);
  }
  statement(INSERT(named)).run(given);
}

function update(statement: Statements, before: Values, values: Values): void {
  let named = 0;
  const changed: unknown[] = [];
  for (const [index, value] of values.entries()) {
    if (value === before[index]) continue;
    named |= 1 << index;
    changed.push(value);
  }
  if (named === 0) return;
  const [namespace, kind, id] = values;
  changed.push(namespace, kind, id);
  statement(UPDATE(named)).run(changed);
}
