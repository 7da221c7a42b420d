import type { PostgresServer } from './postgres.ts';

/** What there is, in the words of PostgreSQL: for review. */
const PARTS = [
  `SELECT format('TABLE %s (%s)', c.relname, string_agg(format(E'\\n  %s %s%s%s%s', a.attname,
     format_type(a.atttypid, a.atttypmod),
     CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || quote_ident(o.collname) END,
     CASE WHEN a.attidentity <> '' THEN ' GENERATED ALWAYS AS IDENTITY' END,
     CASE WHEN a.attnotnull THEN ' NOT NULL' END), ',' ORDER BY a.attnum))
     || coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') AS text
   FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
     JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation o ON o.oid = a.attcollation
   WHERE c.relnamespace = 'leasectl'::regnamespace AND c.relkind = 'r'
   GROUP BY c.relname, c.reloptions ORDER BY c.relname`,
  `SELECT format('%s: %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS text
   FROM pg_constraint WHERE connamespace = 'leasectl'::regnamespace AND contype <> 'n' ORDER BY 1`,
  `SELECT indexdef AS text FROM pg_indexes WHERE schemaname = 'leasectl' ORDER BY 1`,
  `SELECT pg_get_triggerdef(oid) AS text FROM pg_trigger
   WHERE tgrelid::regclass::text LIKE 'leasectl.%' AND NOT tgisinternal ORDER BY 1`,
  `SELECT pg_get_functiondef(oid) AS text FROM pg_proc
   WHERE pronamespace = 'leasectl'::regnamespace ORDER BY proname`,
];

/** The schema that the migrations result in. */
export async function schemaOf(server: PostgresServer, url: string): Promise<string> {
  const parts: string[] = [];
  for (const sql of PARTS) {
    const rows = await server.query(sql, url);
    parts.push(rows.map((row) => String(Object(row).text).trim()).join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}
