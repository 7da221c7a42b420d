import pg from 'pg';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { Session } from '../../src/store/postgres/session.ts';
import { startPostgres } from '../support/postgres.ts';

const server = await startPostgres();
afterAll(() => server.remove());

/** What is prepared on a new connection, by its text, after these statements. */
async function preparedBy(...statements: readonly string[]) {
  const pool = new pg.Pool({ connectionString: server.urlOf('postgres') });
  onTestFinished(() => pool.end());
  const client = await pool.connect();
  const session = new Session(client);
  for (const sql of statements) await session.rows(sql);
  session.detach();
  const { rows } = await client.query('SELECT statement, name FROM pg_prepared_statements');
  client.release();
  return new Map(rows.map(({ statement, name }) => [statement, name]));
}

test('a statement has the same name whatever was asked before, and no other one has it', async () => {
  const [one, two] = [await preparedBy('SELECT 1', 'SELECT 2'), await preparedBy('SELECT 2')];
  expect(one.size).toBe(2);
  expect(new Set(one.values()).size).toBe(2);
  expect(two.get('SELECT 2')).toBe(one.get('SELECT 2'));
  // What is longer is cut off.
  for (const name of one.values()) expect(name).toMatch(/^leasectl_\w{32}$/);
});
