// Services with few and with many leases, each with what is asked of it.
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { httpLengthOf, httpPost, openConnection } from './load.mjs';
import { BIN, PROJECT, ROOT, startServer } from './package.mjs';

const WORK = fileURLToPath(new URL('grown-work.mjs', import.meta.url));

/** Also for the processes of grown-work.mjs. */
export async function loadProject() {
  const entryPoints = [join(ROOT, 'test', 'support', 'grown', 'bench.ts')];
  const form = { bundle: true, format: 'esm', platform: 'node', packages: 'external' };
  await build({ entryPoints, outfile: PROJECT, ...form, loader: { '.sql': 'text' } });
  return import(pathToFileURL(PROJECT).href);
}

/**
 * Does a work of grown-work.mjs, to its end.
 *
 * @returns what it gives
 */
export function workApart(work, options) {
  const args = [WORK, work, JSON.stringify(options)];
  const stdio = ['ignore', 'pipe', 'inherit'];
  const { status, stdout, error } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio });
  if (status !== 0) throw new Error(`${work} ended with ${status}: ${error ?? 'see above'}`);
  return stdout === '' ? undefined : JSON.parse(stdout);
}

/** Does the housekeeping of a database, step by step. */
export function startSweeping(location) {
  const args = [WORK, 'sweep', JSON.stringify({ location })];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** @returns milliseconds */
    step: async () => {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('the housekeeping ended early: see above');
      return Number(value);
    },
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** A machine with an embedded service of so many leases. */
export function growMachine({ directory, env }, leases) {
  const home = join(directory, `machine-${leases}`);
  const file = join(home, '.local', 'share', 'leasectl', 'leases.db');
  mkdirSync(join(file, '..'), { recursive: true });
  workApart('grow', { file, leases });
  return {
    leases,
    file,
    ledger: join(home, '.local/state/leasectl/handles.db'),
    env: { ...env, HOME: home },
  };
}

/** Serves what is in a database, and asks it over one connection. */
export async function serveGrown(location, env) {
  const args = [BIN, 'serve', '--port', '0', '--max-leases', '1000000000', '--log-level', 'error'];
  const { port, pid, stop } = await startServer(args, { ...env, LEASECTL_DATABASE: location });
  const own = await openConnection(port, httpLengthOf);
  const connections = [own];
  const open = async () => {
    connections.push(await openConnection(port, httpLengthOf));
    return connections.at(-1);
  };
  const sendBy = async ({ ask }, question) => {
    const answer = await ask(question);
    const status = Number(answer.latin1Slice(9, 12));
    const content = answer.utf8Slice(answer.indexOf('\r\n\r\n') + 4);
    if (status >= 400) throw new Error(`${status} ${content}`);
    return JSON.parse(content);
  };
  const by = (connection) => ({
    get: (path) => sendBy(connection, `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
    post: (path, body = {}) => sendBy(connection, httpPost(path, body)),
  });
  return {
    ...by(own),
    pid,
    /** Another connection. */
    open: async () => by(await open()),
    stop: async (signal) => {
      for (const { close } of connections) close();
      await stop(signal);
    },
  };
}

const RUNNER = '/api/v1/runner-jobs/lease?runner_host=SELF&runner_id=bench';

/** What is asked, with the key of a lease that is there. */
export const QUESTIONS = {
  acquire: ({ post }) => post('/v1/ai/lease', { key: `bench/${randomUUID()}`, ttl: 60 }),
  status: ({ get, key }) => get(`/v1/ai/status?key=${encodeURIComponent(key)}`),
  'jobs claim --next': async ({ get, post }) => {
    const [job] = await get('/api/v1/jobs');
    await post(`/api/v1/jobs/${job.job_id}/claim`);
  },
  "AskUI's lease": async ({ post }) => {
    if (!(await post(`${RUNNER}&tags=linux&tags=x64`))) throw new Error('there is no job');
  },
  "AskUI's lease, where none fits": async ({ post }) => {
    const none = `${RUNNER}&workspace_id=9d2fbc9c-4f0b-4a43-9e5c-30a3c0f1a999`;
    if (await post(none)) throw new Error('there is a job');
  },
  'a page of what is held': ({ get }) => get('/admin/v1/leases?state=held&limit=20'),
};
