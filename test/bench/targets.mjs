// What is measured: `leasectl serve` on both stores, PostgreSQL alone, and Redis where there is one.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import pg from 'pg';
import { httpLengthOf, httpPost, openConnection } from './load.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The PostgreSQL of the tests, on which each commit is on the disk. */
export async function startDatabase() {
  // Where packages are found from.
  const outfile = join(ROOT, 'node_modules', '.bench', 'postgres.mjs');
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
  const args = [join(ROOT, 'bin', 'run.js'), 'serve', '--port', '0', '--max-leases', '1000000000'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(child.stdout, 'data');
  const port = Number(/:(\d+)\s*$/.exec(String(line))?.[1]);
  return {
    name: `acquire+complete, ${name}`,
    open: (count) => openAll(count, () => openConnection(port, httpLengthOf), acquireAndComplete),
    stop: () => end(child, 'SIGINT'),
  };
}

async function acquireAndComplete({ ask }) {
  const key = randomUUID();
  const acquired = body(await ask(httpPost('/v1/ai/lease', { key, ttl: 60 })));
  if (acquired.status !== 'acquired') throw new Error(JSON.stringify(acquired));
  const { lease_id } = acquired;
  const completed = body(await ask(httpPost('/v1/ai/complete', { key, lease_id })));
  if (completed.status !== 'completed') throw new Error(JSON.stringify(completed));
}

function body(answer) {
  return JSON.parse(answer.utf8Slice(answer.indexOf('\r\n\r\n') + 4));
}

/** A way to PostgreSQL and back, through as many connections as a node has. */
export function selectOne(url) {
  return {
    name: 'SELECT 1',
    open: async (count) => {
      const pool = new pg.Pool({ connectionString: url, max: 10 });
      const work = async () => void (await pool.query('SELECT 1'));
      return { workers: Array.from({ length: count }, () => work), close: () => pool.end() };
    },
    stop: async () => undefined,
  };
}

/** @returns undefined where it is not installed */
export async function startRedis(directory) {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const child = spawn('redis-server', [...args, ...durable].map(String));
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept')) break;
  const lengthOf = (buffer) => {
    const end = buffer.indexOf('\r\n');
    return end < 0 ? undefined : end + 2;
  };
  return {
    name: 'redis SET NX PX',
    open: (count) => openAll(count, () => openConnection(port, lengthOf), setIfNone),
    stop: () => end(child, 'SIGTERM'),
  };
}

async function setIfNone({ ask }) {
  const parts = ['SET', randomUUID(), 'held', 'NX', 'PX', '60000'];
  const words = parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('');
  const answer = String(await ask(`*${parts.length}\r\n${words}`));
  if (answer !== '+OK\r\n') throw new Error(answer);
}

async function openAll(count, open, work) {
  const connections = await Promise.all(Array.from({ length: count }, open));
  return {
    workers: connections.map((connection) => () => work(connection)),
    close: async () => {
      for (const connection of connections) connection.close();
    },
  };
}

async function end(child, signal) {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

export function forget(directory) {
  rmSync(directory, { recursive: true, force: true });
}
