// What is measured: `leasectl serve` on both stores.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { httpLengthOf, httpPost, openConnection } from './load.mjs';
import { BIN, CACHE, ROOT } from './package.mjs';

/** Seconds, of each lease: none runs out meanwhile, which would be work beside what is measured. */
export const TTL = 3_600;

/** The PostgreSQL of the tests, on which each commit is on the disk. */
export async function startDatabase() {
  // Where packages are found from.
  const outfile = join(CACHE, 'postgres.mjs');
  const entryPoints = [join(ROOT, 'test', 'support', 'postgres.ts')];
  await build({
    entryPoints,
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const { startPostgres } = await import(pathToFileURL(outfile).href);
  return startPostgres({ fsync: 'on' });
}

/** @param location a file, or the URL of a PostgreSQL database */
export async function startServe(name, location, directory) {
  const home = join(directory, name);
  mkdirSync(home);
  const env = { PATH: process.env.PATH, HOME: home, LEASECTL_DATABASE: location };
  const args = [BIN, 'serve', '--port', '0', '--max-leases', '1000000000'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(child.stdout, 'data');
  const port = Number(/:(\d+)\s*$/.exec(String(line))?.[1]);
  return {
    name: `acquire+complete, ${name}`,
    open: (count, work = acquireAndComplete) =>
      openAll(count, () => openConnection(port, httpLengthOf), work),
    stop: () => end(child, 'SIGINT'),
  };
}

/** One request. @returns what it takes to complete it */
export async function acquire({ ask }) {
  const key = randomUUID();
  const acquired = bodyOf(await ask(httpPost('/v1/ai/lease', { key, ttl: TTL })));
  if (acquired.status !== 'acquired') throw new Error(JSON.stringify(acquired));
  return { key, lease_id: acquired.lease_id };
}

/** Two requests. */
export async function acquireAndComplete(connection) {
  const { key, lease_id } = await acquire(connection);
  const { ask } = connection;
  const completed = bodyOf(await ask(httpPost('/v1/ai/complete', { key, lease_id })));
  if (completed.status !== 'completed') throw new Error(JSON.stringify(completed));
}

export function bodyOf(answer) {
  return JSON.parse(answer.utf8Slice(answer.indexOf('\r\n\r\n') + 4));
}

/**
 * As many connections, each of which does the same work.
 *
 * @returns what each does, and what closes them
 */
export async function openAll(count, open, work) {
  const connections = await Promise.all(Array.from({ length: count }, open));
  return {
    workers: connections.map((connection) => () => work(connection)),
    close: async () => {
      for (const connection of connections) connection.close();
    },
  };
}

export async function end(child, signal) {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
