import type pg from 'pg';
import * as z from 'zod/mini';
import { Failure } from '../../domain/failure.ts';
import leases from './migrations/0001-leases.sql';
import history from './migrations/0002-history.sql';
import comeTogether from './migrations/0003-leases-come-together.sql';
import growth from './migrations/0004-growth.sql';
import type { Session } from './session.ts';

/** Append only: a released migration is never edited. Its place in the list is its number. */
const MIGRATIONS = [leases, history, comeTogether, growth];

/** Whoever migrates has it; the others wait for it. */
const LOCK = 0x6c_65_61_73_65_01;

const STATE = `SELECT current_setting('server_encoding') AS encoding,
  to_regclass('leasectl.migrations') IS NOT NULL AS is_there`;
const VERSION = 'SELECT coalesce(max(number), 0) AS version FROM leasectl.migrations';
/** Long enough for others to migrate much; in no case for ever. */
const BEGIN = `BEGIN; SET LOCAL statement_timeout = '120s'; SET LOCAL lock_timeout = '60s';
  SELECT pg_advisory_xact_lock(${LOCK})`;
/** To make a schema "if not exists" takes the right to make one, whether there is one or not. */
const TABLE = `DO $$ BEGIN
    IF to_regnamespace('leasectl') IS NULL THEN CREATE SCHEMA leasectl; END IF;
  END $$;
  CREATE TABLE IF NOT EXISTS leasectl.migrations (
    number integer PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT now())`;

const State = z.object({
  rows: z.tuple([z.object({ encoding: z.string(), is_there: z.boolean() })]),
});
const Version = z.tuple([z.object({ version: z.int() })]);

/**
 * Looks whether a database is up to date.
 *
 * @throws Failure `usage` when it is one of a newer leasectl, or cannot keep all characters; errors of
 *   the driver
 */
export async function isMigrated(client: pg.ClientBase, label: string): Promise<boolean> {
  return (await versionOf(client, label)) === MIGRATIONS.length;
}

/**
 * Looks whether a database that was up to date still is: that of a later version adds to it.
 *
 * @throws Failure `unavailable` when it is not
 */
export async function checkVersion(session: Session, label: string): Promise<void> {
  const [{ version }] = Version.parse(await session.rows(VERSION));
  if (version >= MIGRATIONS.length) return;
  throw new Failure('unavailable', `${label} is older again (schema ${version}).`, {
    hint: 'Was a backup restored? Start leasectl anew, and it brings it up to date.',
  });
}

/**
 * Brings a database up to date; safe when many processes do so at once.
 *
 * @param client waits for answers for as long as it takes
 * @throws as `isMigrated`
 */
export async function migrate(client: pg.ClientBase, label: string): Promise<void> {
  try {
    await client.query(BEGIN);
    // Others may have migrated while this process waited for the lock.
    const version = await versionOf(client, label);
    if (version === 0) await client.query(TABLE);
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await client.query(sql);
      await client.query('INSERT INTO leasectl.migrations (number) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** The number of migrations that it has seen. */
async function versionOf(client: pg.ClientBase, label: string): Promise<number> {
  const [{ encoding, is_there }] = State.parse(await client.query(STATE)).rows;
  if (encoding !== 'UTF8') {
    throw new Failure('usage', `${label} has the encoding ${encoding}, which lacks characters.`, {
      hint: 'Make a database for it: createdb --encoding=UTF8 --template=template0 NAME',
    });
  }
  if (!is_there) return 0;
  const [{ version }] = Version.parse((await client.query(VERSION)).rows);
  if (version > MIGRATIONS.length) {
    throw new Failure(
      'usage',
      `${label} was migrated by a newer leasectl (schema ${version}; this one knows ${MIGRATIONS.length}). Nothing was changed.`,
      { hint: 'Use the leasectl that did so, or a later one.' },
    );
  }
  return version;
}
