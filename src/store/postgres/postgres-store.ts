import pg from 'pg';
import type { Clock } from '../../domain/clock.ts';
import { Failure } from '../../domain/failure.ts';
import { MOST_EVENTS } from '../../engine/history.ts';
import { DEFAULT_NAMESPACE, type Store, type Transaction } from '../../engine/store.ts';
import { bindAccess } from './access.ts';
import { explain } from './errors.ts';
import { bindEvents } from './events.ts';
import { GatheringSocket } from './gathering-socket.ts';
import { bindLeases } from './leases.ts';
import { bindListing } from './listing.ts';
import { type Location, parseLocation } from './location.ts';
import { checkVersion, isMigrated, migrate } from './migrate.ts';
import { findPassword } from './passfile.ts';
import { findQueue } from './queue.ts';
import { bindReceipts } from './receipts.ts';
import type { Session } from './session.ts';
import { sweep } from './sweep.ts';
import { createTogether } from './together.ts';
import { createTransactions } from './transactions.ts';

export interface PostgresOptions {
  /** `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. */
  readonly url: string;
  /** Where a password is looked for that is not in the URL. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told the password. */
  readonly remember?: (secret: string) => string;
  /** Connections at a time, at most, and one more to look whether the database is there. Default: 10. */
  readonly connections?: number | undefined;
  /** How long a connection is waited for, or what somebody else has locked; milliseconds. Default: 5 s. */
  readonly patience?: number | undefined;
  /** Replaces PostgreSQL's own clock, for tests that move time. */
  readonly clock?: Clock | undefined;
  /** Events that a namespace keeps, once the housekeeping was done. Default: {@link MOST_EVENTS}. */
  readonly mostEvents?: number | undefined;
}

const CONNECTIONS = 10;
const PATIENCE = 5_000;
/** How long an idle connection is kept, in milliseconds. */
const IDLE = 30_000;

/**
 * Keeps leases in a PostgreSQL database that any number of nodes share. It is reached, and migrated,
 * when it is used first: until then it may be away, as at any later time.
 *
 * @throws Failure `usage` when the URL is none
 */
export function openPostgresStore(options: PostgresOptions): Store {
  const location = parseLocation(options.url);
  const { label } = location;
  const config = configFor(location, options);
  const pool = createPool(config);
  const { clock, patience = PATIENCE, mostEvents = MOST_EVENTS } = options;
  const transactions = createTransactions({ pool, label, patience, clock });
  const together = createTogether(transactions);
  // All others may be waiting for one row: the database is there all the same.
  const checking = createPool({ ...config, max: 1 });
  const checks = createTransactions({ pool: checking, label, patience });

  let migrated: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  /** Once; again after it failed. */
  const ready = (): Promise<void> => {
    migrated ??= prepare(pool, config, label).catch((error) => {
      migrated = undefined;
      throw error;
    });
    return migrated;
  };
  const storeOf = (namespace: string): Store => ({
    within: storeOf,
    async read(work) {
      await ready();
      return transactions.read((session) => work(bind(session, namespace, false)));
    },
    async write(work) {
      await ready();
      return together.write(namespace, work, () =>
        transactions.write((session) => work(bind(session, namespace, true))),
      );
    },
    async sweep(options) {
      await ready();
      return transactions.write((session) => sweep(session, options, mostEvents));
    },
    async check() {
      await ready();
      await checks.read((session) => checkVersion(session, label));
    },
    close() {
      closed ??= Promise.all([pool.end(), checking.end()]).then(() => undefined);
      return closed;
    },
  });
  return storeOf(DEFAULT_NAMESPACE);
}

function configFor(
  location: Location,
  { env, remember, connections = CONNECTIONS, patience = PATIENCE }: PostgresOptions,
): pg.PoolConfig {
  const { label, user, host, port, database, tls } = location;
  // It is asked for only where the server wants one.
  const password = async (): Promise<string> => {
    const known = new pg.Client({ user, host, port, database });
    const { user: name = '', database: of = name } = known;
    const wanted = { host: known.host, port: known.port, database: of, user: name };
    const found = location.password ?? findPassword(env, wanted);
    if (found !== undefined) return remember?.(found) ?? found;
    throw new Failure('unauthorized', `${label} asks for a password.`, {
      hint: 'Put it into the URL, into PGPASSWORD or into the file of PGPASSFILE.',
    });
  };
  if (location.password !== undefined) remember?.(location.password);
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, Number);
  return {
    user,
    host,
    port,
    database,
    password,
    types,
    ssl: tls,
    options: location.options,
    enableChannelBinding: location.bindsChannel,
    application_name: location.applicationName ?? 'leasectl',
    max: connections,
    connectionTimeoutMillis: patience,
    idleTimeoutMillis: IDLE,
    // Longer than the server takes for any answer: then it is not there.
    query_timeout: 3 * patience,
    keepAlive: true,
    pipeline: true,
    stream: () => new GatheringSocket(),
  };
}

function createPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  // A connection that breaks is missed when it is used: then that is told.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

/** Brings the database up to date, with a connection that may take its time. */
async function prepare(pool: pg.Pool, config: pg.PoolConfig, label: string): Promise<void> {
  try {
    if (await withClient(await pool.connect(), (client) => isMigrated(client, label))) return;
    const client = new pg.Client({ ...config, query_timeout: 0, pipeline: false });
    client.on('error', () => undefined);
    await client.connect();
    await migrate(client, label).finally(() => client.end());
  } catch (error) {
    throw explain(label, error);
  }
}

async function withClient<T>(
  client: pg.PoolClient,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

function bind(session: Session, namespace: string, isWriting: boolean): Transaction {
  return {
    get now() {
      return session.now;
    },
    ...bindLeases(session, namespace, isWriting),
    ...bindListing(session, namespace),
    queue: (kind, below, limit) => findQueue(session, namespace, kind, below, limit),
    ...bindEvents(session, namespace),
    ...bindReceipts(session, namespace),
    ...bindAccess(session, namespace, isWriting),
  };
}
