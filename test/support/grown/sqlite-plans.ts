import Database from 'libsql';

/** Notes what is prepared on all connections of this process, from now on. */
export function noteStatements(): ReadonlySet<string> {
  const noted = new Set<string>();
  const { prepare } = Database.prototype;
  const noting = function (this: Database.Database, sql: string) {
    noted.add(sql);
    return prepare.call(this, sql);
  };
  Object.assign(Database.prototype, { prepare: noting });
  return noted;
}

/** Tables that have few rows, however many leases there are. */
const SMALL = '(stored|standings|sweeps|tokens|clients|sqlite_(master|schema))';
/** Steps that do not read more where there is more; `needs` and subqueries are bounded by theirs. */
const HARMLESS = [
  /^SCAN (CONSTANT ROW|\d+ CONSTANT ROWS)$/,
  /^SCAN (needs|\(subquery-\d+\)|fitting)$/,
  /^SCAN \S+ VIRTUAL TABLE/,
  new RegExp(`^(SCAN|SEARCH) ${SMALL}( |$)`),
];
/** Reads all of a table, of a namespace, or of a kind in it; or sorts. */
const SUSPICIOUS = [
  /^SCAN /,
  /\(namespace=\?( AND kind=\?)?( AND id[<>]\?)*\)$/,
  /^USE TEMP B-TREE/,
];

interface Exception {
  readonly statement: RegExp;
  readonly step: RegExp;
  readonly because: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    statement: /ORDER BY (sequence|id)( DESC)?\s+LIMIT/,
    step: /^(SCAN events$|SEARCH (events|leases) USING .* \(namespace=\?( AND kind=\?)?( AND id[<>]\?)*\)$)/,
    because: 'it is in the order that is asked for, and ends with the limit',
  },
  {
    statement: /DELETE FROM events INDEXED BY events_unknown/,
    step: /^SEARCH events USING .*events_unknown/,
    because: 'there are never more than are kept of these, and one',
  },
  {
    statement: /LIMIT \?6\) UNION ALL|INDEXED BY leases_waiting/,
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    because: 'each place has as many rows as are asked for, or what ran out and is not noted yet',
  },
  {
    statement: /FROM events WHERE namespace = \? AND kind IN \(.*\) AND id = \?/,
    step: /^USE TEMP B-TREE FOR ORDER BY$/,
    because: 'it is the history of one id, of which no more is kept of what happens all the time',
  },
  {
    statement: /INDEXED BY events_rare/,
    step: /^(SCAN events USING INDEX events_rare|USE TEMP B-TREE FOR ORDER BY)$/,
    because: 'where somebody ran ANALYZE, all that is rare is read and sorted: leasectl never does',
  },
  {
    statement: /FROM standings/,
    step: /^USE TEMP B-TREE FOR GROUP BY$/,
    because: 'there are few, beside what ran out and is not noted yet',
  },
  {
    statement: /^\s*(UPDATE leases SET ran_out_at|DELETE FROM (leases|receipts))/,
    step: /^USE TEMP B-TREE/,
    because: 'the inner query ends with the limit',
  },
];

/** Which steps of a statement take longer where there is more, except those that are known to be right. */
export function growingSteps(db: Database.Database, sql: string): string[] {
  const plan = db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(Object(row).detail));
  return plan.filter(
    (step) =>
      SUSPICIOUS.some((pattern) => pattern.test(step)) &&
      !HARMLESS.some((pattern) => pattern.test(step)) &&
      !EXCEPTIONS.some((known) => known.statement.test(sql) && known.step.test(step)),
  );
}
