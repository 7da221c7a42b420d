import pg from 'pg';

/** What was sent with a name, with the values of the first time. */
export interface NotedQuery {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface Noted {
  /** By their texts. */
  readonly queries: ReadonlyMap<string, NotedQuery>;
  /** What a transaction begins with: it sets how statements are planned. */
  readonly begin: string | undefined;
}

/** Notes what is sent on all connections of this process, from now on. */
export function noteQueries(): Noted {
  const queries = new Map<string, NotedQuery>();
  const noted = { queries, begin: undefined as string | undefined };
  const query = pg.Client.prototype.query;
  const noting = function (this: pg.Client, ...given: unknown[]) {
    const [sent] = given;
    if (typeof sent === 'string' && sent.includes('enable_seqscan')) noted.begin ??= sent;
    const { name, text, values = [] } = Object(sent);
    if (typeof name === 'string' && !queries.has(text)) queries.set(text, { text, values });
    return Reflect.apply(query, this, given);
  };
  Object.assign(pg.Client.prototype, { query: noting });
  return noted;
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Node[];
}

const BIG = new Set(['leases', 'events', 'receipts', 'grants']);
/** Indexes that have only what is bounded by itself, whatever is asked of them. */
const BOUNDED = /^(leases_ended|leases_by_end)$/;
/** The columns before those that tell rows apart, and from where on these are read. */
const PREFIX = /^\(+(namespace [<>]?= [^)]*\)|kind = [^)]*\)|id [<>]=? [^)]*\)|\(| AND )+\)*$/;

interface Exception {
  readonly statement: RegExp;
  readonly step: RegExp;
  readonly because: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    // Where rows are to be of a state, it may be that none of those in that order is.
    statement: /^(?!.*ran_out_at).*ORDER BY (\S+\.)?(sequence|id)( DESC)?\s+LIMIT/s,
    step: /^Index (Only )?Scan/,
    because: 'it is in the order that is asked for, and ends with the limit',
  },
  {
    statement: /max\(sequence\)/,
    step: /^Index Only Scan of events_pkey/,
    because: 'it is the last one',
  },
  {
    statement: /INSERT INTO leasectl.surplus/,
    step: /^Index Only Scan of events_by_namespace/,
    because: 'it counts what is kept, and does so again only when there may be a hundredth more',
  },
  {
    statement: /count\(\*\) AS leases/,
    step: /^Index (Only )?Scan/,
    because: 'it counts for /metrics: of each that is held or waits one entry of an index is read',
  },
];

/**
 * Those of the statements that have steps which take longer where there is more, with these: planned as in
 * the store's transactions, for the values that they came with, and for any.
 */
export async function growingQueries(
  url: string,
  begin: string,
  queries: readonly NotedQuery[],
): Promise<(readonly [sql: string, steps: readonly string[]])[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(begin);
  const growing: (readonly [string, readonly string[]])[] = [];
  for (const { text, values } of queries) {
    const known = await client.query(`EXPLAIN (FORMAT JSON) ${text}`, [...values]);
    const any = await client.query(`EXPLAIN (FORMAT JSON, GENERIC_PLAN) ${text}`);
    for (const { rows } of [known, any]) {
      const steps = growingSteps(text, rows[0]['QUERY PLAN'][0]);
      if (steps.length > 0) growing.push([text, steps]);
    }
  }
  await client.end();
  return growing;
}

/** Which steps of a statement take longer where there is more, except those that are known to be right. */
function growingSteps(sql: string, plan: unknown): string[] {
  return stepsOf(Object(plan)['Plan'], false).filter(
    (step) => !EXCEPTIONS.some((known) => known.statement.test(sql) && known.step.test(step)),
  );
}

function stepsOf(node: Node, isBounded: boolean): string[] {
  const { 'Node Type': type, 'Relation Name': table = '', 'Index Cond': condition } = node;
  const index = node['Index Name'] ?? '';
  const own: string[] = [];
  const isBig = BIG.has(table) && !BOUNDED.test(index);
  if (type === 'Seq Scan' && BIG.has(table)) own.push(`Seq Scan of ${table}`);
  if (/^(Index|Bitmap)/.test(type) && isBig) {
    if (condition === undefined || PREFIX.test(condition)) {
      own.push(`${type} of ${index} by ${condition ?? 'nothing'}`);
    }
  }
  if (type.includes('Sort') && !isBounded) own.push(type);
  const isLimited = isBounded || type === 'Limit';
  return [...own, ...(node.Plans ?? []).flatMap((child) => stepsOf(child, isLimited))];
}
