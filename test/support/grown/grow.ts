import pg from 'pg';
import * as z from 'zod/mini';
import { MOST_EVENTS } from '../../../src/engine/history.ts';
import { openDatabase } from '../../../src/sqlite/database.ts';
import { openPostgresStore } from '../../../src/store/postgres/postgres-store.ts';
import { LEASES, openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { copyStatements, type Dialect } from './copies.ts';
import { makeSpecimens } from './specimens.ts';

export interface GrowOptions {
  /** Leases, of all kinds and in all states. */
  readonly leases: number;
  /** Events that the namespace keeps. Default: as many as the service does. */
  readonly mostEvents?: number;
}

const Part = z.object({ type: z.string(), name: z.string(), sql: z.string() });

/** How long what the specimens went through took, at most: nothing of it is to lie in the future. */
const BEFORE = 3_600_000;

const SQLITE: Dialect = {
  schema: '',
  temporaryTable: 'CREATE TEMP TABLE',
  series: (count) => `(WITH RECURSIVE series (i) AS (
    SELECT 0 UNION ALL SELECT i + 1 FROM series WHERE i < ${count} - 1) SELECT i FROM series)`,
  hex: (number, digits) => `printf('%0${digits}x', ${number})`,
};

const POSTGRES: Dialect = {
  schema: 'leasectl.',
  temporaryTable: 'CREATE TEMP TABLE',
  series: (count) => `generate_series(0::bigint, ${count} - 1) AS series (i)`,
  hex: (number, digits) => `lpad(to_hex(${number}), ${digits}, '0')`,
};

/**
 * Makes a SQLite database with many leases: what the service wrote of some, copied. Nobody else may have
 * the file open meanwhile.
 */
export async function growSqlite(
  file: string,
  { leases, mostEvents = MOST_EVENTS }: GrowOptions,
): Promise<void> {
  const clock = { now: Date.now() - BEFORE };
  const store = openSqliteStore({ file, clock: () => clock.now });
  const ids = await makeSpecimens(store, clock);
  await store.close();
  const db = openDatabase(file, LEASES);
  // It is made anew where this fails.
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -400000');
  // Those of events are kept up as they come. Made at once they would be full to the brim: then each
  // event of a later day splits pages, which it seldom does where the service has written all of them.
  const apart = db
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema
       WHERE (type = 'trigger' OR type = 'index' AND tbl_name <> 'events') AND sql IS NOT NULL`,
    )
    .all()
    .map((row) => Part.parse(row));
  db.exec('BEGIN');
  for (const { type, name } of apart) db.exec(`DROP ${type} ${name}`);
  for (const sql of copyStatements(SQLITE, ids, leases, mostEvents)) db.exec(sql);
  for (const { sql } of apart) db.exec(sql);
  db.exec(`
    UPDATE stored SET leases = (SELECT count(*) FROM leases), events = (SELECT count(*) FROM events);
    DELETE FROM standings;
    INSERT INTO standings SELECT namespace, kind, standing, count(*) FROM leases
    WHERE standing NOT IN ('completed', 'failed') GROUP BY 1, 2, 3;
    UPDATE sweeps SET swept_at = ${Date.now()}, expired_until = ${Date.now()};
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE)`);
  db.close();
}

/** The same for a PostgreSQL database, which is made if there is none. */
export async function growPostgres(
  url: string,
  { leases, mostEvents = MOST_EVENTS }: GrowOptions,
): Promise<void> {
  const clock = { now: Date.now() - BEFORE };
  const store = openPostgresStore({ url, env: {}, clock: () => clock.now });
  const ids = await makeSpecimens(store, clock);
  await store.close();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; sql: string }>(`
      SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql FROM pg_index
      WHERE indrelid IN ('leasectl.leases'::regclass, 'leasectl.events'::regclass)
        AND NOT indisprimary`);
    await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; BEGIN");
    await client.query('ALTER TABLE leasectl.leases DISABLE TRIGGER USER');
    for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
    for (const sql of copyStatements(POSTGRES, ids, leases, mostEvents)) await client.query(sql);
    for (const { sql } of rows) await client.query(sql);
    await client.query(`
      ALTER TABLE leasectl.leases ENABLE TRIGGER USER;
      UPDATE leasectl.stored SET leases = 0;
      UPDATE leasectl.stored SET leases = (SELECT count(*) FROM leasectl.leases)
      WHERE shard = (SELECT min(shard) FROM leasectl.stored);
      UPDATE leasectl.sweeps SET swept_at = ${Date.now()}, expired_until = ${Date.now()};
      COMMIT`);
    await client.query('VACUUM');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
