import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { createCluster, type PostgresProgram } from './postgres-program.ts';

/** As awkward in a URL as a password can be. */
const USER = { name: 'lease user', password: 'p@ss/w:rd?%20&#é' };

/** A PostgreSQL of one's own, on a port of 127.0.0.1. */
export interface PostgresServer {
  readonly port: number;
  readonly user: { readonly name: string; readonly password: string };
  /** Where a database is, with the password. */
  urlOf(database: string): string;
  /** Makes an empty database. @returns where it is */
  createDatabase(): Promise<string>;
  /** Asks it as its owner: that of the URL, or the server's own. */
  query(sql: string, url?: string): Promise<unknown[]>;
  /** Starts it again on what it has, after `stop`. Resolves when it takes connections. */
  start(): Promise<void>;
  /**
   * Ends it, and resolves when it is gone. Signals mean to it: SIGTERM waits for all who are
   * connected, SIGINT does not, and SIGKILL is a crash.
   */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it for good, with all its files. */
  remove(): Promise<void>;
}

/** Starts a server. Its `remove` is the caller's to call. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const program = await createCluster(USER, settings);
  let [running, port] = await launch(program, await freePort());
  const urlOf = (database: string) => {
    const [name, password] = [USER.name, USER.password].map(encodeURIComponent);
    return `postgres://${name}:${password}@127.0.0.1:${port}/${database}`;
  };
  const killed = () => void running.kill('SIGKILL');
  process.on('exit', killed);
  const stop = async (signal: NodeJS.Signals = 'SIGINT') => {
    if (running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill(signal);
    await gone;
  };
  const query = async (sql: string, url = urlOf('postgres')) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  let databases = 0;
  return {
    port,
    user: USER,
    urlOf,
    query,
    async createDatabase() {
      databases += 1;
      await query(`CREATE DATABASE test_${databases}`);
      return urlOf(`test_${databases}`);
    },
    async start() {
      [running, port] = await launch(program, port);
    },
    stop,
    async remove() {
      process.off('exit', killed);
      await stop('SIGKILL');
      program.remove();
    },
  };
}

/** A server that was killed leaves processes behind for a moment, while which nobody else may start. */
const ATTEMPTS = 50;

async function launch(
  program: PostgresProgram,
  port: number,
  attempts = ATTEMPTS,
): Promise<[ChildProcess, number]> {
  const child = program.start(port);
  const said: string[] = [];
  if (!child.stderr) throw new Error('nothing can be read from PostgreSQL');
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    if (!line.includes('database system is ready to accept connections')) continue;
    // Nobody reads what else it says, and it must not have to wait for that.
    child.stderr.resume();
    return [child, port];
  }
  if (attempts === 1) throw new Error(`PostgreSQL did not start: ${said.join('\n')}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return launch(program, port, attempts - 1);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
