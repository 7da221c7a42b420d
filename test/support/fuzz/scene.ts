import { join } from 'node:path';
import Database from 'libsql';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { Lease } from '../../../src/engine/lease.ts';
import type { Store } from '../../../src/engine/store.ts';
import { accessOn, engineOn } from '../../../src/engines.ts';
import { openStore } from '../../../src/open-store.ts';
import { servedRoutes } from '../../../src/served.ts';
import { createApp } from '../../../src/server/app.ts';
import type { RequestNotes } from '../../../src/server/request-notes.ts';
import type { PostgresServer } from '../postgres.ts';
import { textOf } from '../response-text.ts';
import { temporaryDirectory } from '../sandbox.ts';
import type { RawRequest } from './request.ts';
import { createVictims, stateOf, type Victims } from './world.ts';

/** The service, and what there is to be harmed. */
export interface Scene {
  readonly victims: Victims;
  /** Makes more of them. */
  moreVictims(): Promise<Victims>;
  stateOf(names: readonly string[]): Promise<readonly (Lease | undefined)[]>;
  /** Another one whenever anything was written but that somebody was refused. */
  version(): Promise<unknown>;
  /** @throws what the service did not expect, and what is no JSON */
  send(request: RawRequest): Promise<{ status: number; body: unknown }>;
}

/** A database, and what it is to be known by that something was written there. */
interface Base {
  readonly store: Store;
  readonly version: () => Promise<unknown>;
}

export async function setScene(postgres?: PostgresServer): Promise<Scene> {
  const { store, version } = await (postgres ? openPostgres(postgres) : openSqlite());
  const engine = engineOn(store);
  const victims = await createVictims(engine, accessOn(store));
  return {
    victims,
    version,
    moreVictims: () => createVictims(engine, accessOn(store)),
    stateOf: (names) => stateOf(engine, names),
    send: sendingTo(store),
  };
}

async function openSqlite(): Promise<Base> {
  const file = join(temporaryDirectory(), 'leases.db');
  const store = await openStore({ location: file, env: {}, remember: (secret) => secret });
  const reader = new Database(file);
  onTestFinished(async () => {
    reader.close();
    await store.close();
  });
  const pragma = reader.prepare('PRAGMA data_version');
  // How many events there are, of which some tell of what was refused, is not looked at.
  const tables = TABLES.map((table) =>
    reader.prepare(`SELECT ${table === 'stored' ? 'namespace, leases' : '*'} FROM ${table}`),
  );
  let known = { written: '', version: '' };
  const version = async () => {
    const written = JSON.stringify(pragma.all());
    if (written === known.written) return known.version;
    known = { written, version: JSON.stringify(tables.map((table) => table.all())) };
    return known.version;
  };
  return { store, version };
}

const NEWS = "events AS t WHERE type <> 'refused'";
const TABLES = ['leases', 'receipts', NEWS, 'usage', 'stored', 'tokens', 'clients'];

/** A lock is a write to PostgreSQL, so it is looked at what is there. */
const DIGEST = TABLES.map((table) => (table === NEWS ? table : `${table} AS t`))
  .map((table) => `SELECT count(*), sum(hashtext(t::text)::bigint) FROM leasectl.${table}`)
  .join(' UNION ALL ');

async function openPostgres(postgres: PostgresServer): Promise<Base> {
  const location = await postgres.createDatabase();
  const store = await openStore({ location, env: {}, remember: (secret) => secret });
  const reader = new pg.Client({ connectionString: location });
  await reader.connect();
  onTestFinished(async () => {
    await reader.end();
    await store.close();
  });
  const version = async () => JSON.stringify((await reader.query(DIGEST)).rows);
  return { store, version };
}

function sendingTo(store: Store): Scene['send'] {
  const app = createApp({ routesFor: servedRoutes(store) });
  return async ({ method, path, query, headers, body }) => {
    const url = `http://127.0.0.1${path}${query === '' ? '' : `?${query}`}`;
    const notes: RequestNotes = { id: 'r' };
    const answer = await app.request(url, { method, headers, body: body ?? null }, { notes });
    if (notes.error !== undefined) throw notes.error;
    const text = await textOf(answer);
    const isJson = answer.headers.get('content-type')?.startsWith('application/json');
    return { status: answer.status, body: isJson && text ? JSON.parse(text) : text || undefined };
  };
}
