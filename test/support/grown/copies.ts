import { EVENT_COLUMNS } from '../../../src/store/event-row.ts';
import { COLUMNS } from '../../../src/store/lease-row.ts';
import { DIGITS, SPECIMENS } from './specimens.ts';

/** How a database writes what the two do not write alike. */
export interface Dialect {
  /** Stands before the names of tables. */
  readonly schema: string;
  /** Rows with a column `i`: from 0 on, so many. */
  series(count: number): string;
  /** The number as so many hexadecimal digits. */
  hex(number: string, digits: number): string;
  /** Begins the creation of a table that nobody else sees. */
  readonly temporaryTable: string;
}

const TIMES = [
  ...['first_seen_at', 'changed_at', 'expires_at', 'acquired_at', 'finish_at'],
  'ran_out_at',
];
/** With what only the housekeeping writes. */
const WRITTEN = [...COLUMNS, 'ran_out_at'];
/** Odd: so no two numbers below 2^32 become the same. */
const SCRAMBLE = 2_654_435_761;

/**
 * The statements that copy what was written of the specimens: so many leases, each with ids, handles
 * and idempotency keys of its own, and their history and receipts, as if all had happened at other times.
 *
 * @param ids of the specimens
 * @param count of all leases, the specimens among them
 * @param mostEvents the latest, that are kept
 */
export function copyStatements(
  dialect: Dialect,
  ids: readonly string[],
  count: number,
  mostEvents: number,
): string[] {
  const { schema } = dialect;
  const statements = [
    `${dialect.temporaryTable} copies (specimen text, id text, digits text, shift bigint)`,
  ];
  let made = 0;
  let shares = 0;
  for (const [index, { share, spread }] of SPECIMENS.entries()) {
    shares += share;
    const until = Math.round(((count - SPECIMENS.length) * shares) / 1000);
    const own = Math.max(0, until - made);
    const id = ids[index] ?? '';
    if (own > 0) statements.push(copiesOf(dialect, id, own, made + 1, Math.floor(spread / own)));
    made += own;
  }
  statements.push(
    `INSERT INTO ${schema}leases (${WRITTEN.join(', ')})
     SELECT ${WRITTEN.map((column) => leaseColumn(column)).join(', ')}
     FROM copies JOIN ${schema}leases AS lease ON lease.namespace = 'default' AND lease.id = specimen
     ORDER BY namespace, kind, copies.id`,
    `INSERT INTO ${schema}receipts
       (namespace, kind, id, idempotency_key, request_hash, fencing_token, at)
     SELECT namespace, kind, copies.id, ${renamed('idempotency_key')}, request_hash, fencing_token,
       at - shift
     FROM copies JOIN ${schema}receipts AS receipt ON receipt.id = specimen`,
    ...eventStatements(dialect, mostEvents),
    `UPDATE ${schema}usage SET acquisitions = acquisitions + (
       SELECT count(*) FROM copies JOIN ${schema}leases AS lease ON lease.namespace = 'default'
         AND lease.kind = 'key' AND lease.id = specimen)`,
    'DROP TABLE copies',
  );
  return statements;
}

/** Keys have names; ids of jobs begin with the time, so that they are sorted by their age. */
function copiesOf(
  { series, hex }: Dialect,
  specimen: string,
  count: number,
  first: number,
  apart: number,
): string {
  const digits = hex(`((${first} + i) * ${SCRAMBLE}) % 4294967296`, 8);
  const age = `(${count} - i) * ${Math.max(1, apart)}`;
  const [, prefix] = /^(r?job_)/.exec(specimen) ?? [];
  const id =
    prefix === undefined
      ? `replace('${specimen}', '${DIGITS}', ${digits})`
      : `'${prefix}' || ${hex(`900000000 - (${age}) / 1000`, 9)} || ${digits}`;
  return `INSERT INTO copies SELECT '${specimen}', ${id}, ${digits}, ${age} FROM ${series(count)}`;
}

function renamed(column: string): string {
  return `replace(${column}, '${DIGITS}', digits)`;
}

function leaseColumn(column: string): string {
  if (column === 'id') return 'copies.id';
  if (column === 'acquired_key') return renamed(column);
  // Its prefix tells what it is a handle of: lease_, lock_ or ack_.
  if (column === 'handle') {
    return `CASE kind WHEN 'key' THEN 'lease_' WHEN 'job' THEN 'lock_' ELSE 'ack_' END || digits
      || substr(handle, CASE kind WHEN 'key' THEN 15 WHEN 'job' THEN 14 ELSE 13 END)`;
  }
  return TIMES.includes(column) ? `${column} - shift` : `lease.${column}`;
}

/** In the order in which they happened; those of the specimens come first. */
function eventStatements({ schema, temporaryTable }: Dialect, most: number): string[] {
  const [, , , ...others] = EVENT_COLUMNS;
  const columns = others.map((column) => (column === 'at' ? 'at - shift AS at' : column));
  return [
    `${temporaryTable} happened AS
     SELECT namespace, kind, copies.id AS id, ${columns.join(', ')}, sequence
     FROM copies JOIN ${schema}events AS event ON event.id = specimen`,
    `INSERT INTO ${schema}events (${EVENT_COLUMNS.join(', ')})
     SELECT ${EVENT_COLUMNS.join(', ')} FROM (
       SELECT * FROM happened ORDER BY at DESC, sequence DESC, id LIMIT ${most}) AS latest
     ORDER BY at, sequence, id`,
    `DELETE FROM ${schema}events WHERE sequence <= (
       SELECT sequence FROM ${schema}events ORDER BY sequence DESC LIMIT 1 OFFSET ${most})`,
    'DROP TABLE happened',
  ];
}
