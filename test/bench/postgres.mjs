// How many leases `leasectl serve` acquires and completes on PostgreSQL in a second, and how long nearly
// all of them take: beside the two statements of it alone, sent by PostgreSQL's own pgbench and by the
// driver that serves here.
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { compared, interleaved, median } from './harness.mjs';
import { load } from './load.mjs';
import { makePlace } from './package.mjs';
import { startDatabase, startServe } from './targets.mjs';

const SHORT = { rounds: 2, others: [], run: 1_000 };
/** `others`: counts of connections beside those of the claim. */
const LONG = { rounds: 7, others: [2, 512], run: 2_000 };
/** Connections of the claim. */
const MANY = 64;
/** Milliseconds before each run that are not counted. */
const WARM_UP = 300;

/** What a lease is to the table: with its indexes, and counted; but without its history. */
const ACQUIRE = (id, handle) => `INSERT INTO leasectl.leases
  (namespace, kind, id, handle, fencing_token, version, ttl, first_seen_at, changed_at, expires_at,
    acquired_at, acquired_version, acquired_ttl, acquired_usage, cancel_requested)
  VALUES ('default', 'key', ${id}, ${handle}, 1, 1, 60000, 1764000000000, 1764000000000,
    1764000060000, 1764000000000, 1, 60000, 1, 0)`;
const COMPLETE = (id) => `UPDATE leasectl.leases
  SET version = 2, changed_at = 1764000000001, finish_way = 'complete', finish_at = 1764000000001
  WHERE namespace = 'default' AND kind = 'key' AND id = ${id}`;

/** @returns rows: medians of the runs */
export async function measure({ isShort, progress }) {
  const { rounds, others, run } = isShort ? SHORT : LONG;
  const { directory, remove } = makePlace();
  const postgres = await startDatabase();
  let serve;
  try {
    const url = await postgres.createDatabase();
    serve = await startServe('PostgreSQL', url, directory);
    const hasPgbench = spawnSync('pgbench', ['--version']).status === 0;
    const runs = Object.fromEntries([MANY, ...others].map((count) => [count, []]));
    const served = (count) => async () => {
      const result = await loaded(await serve.open(count), run);
      runs[count].push(result);
      return result.rate;
    };
    progress(`${rounds} interleaved runs of ${run / 1_000} s each`);
    const of = await interleaved(
      {
        ...Object.fromEntries([MANY, ...others].map((count) => [count, served(count)])),
        driver: async () => (await loaded(openDriver(url), run)).rate,
        ...(hasPgbench ? { pgbench: () => pgbench(url, directory, run) } : {}),
      },
      rounds,
    );
    return rowsOf(of, runs);
  } finally {
    await serve?.stop();
    await postgres.remove();
    remove();
  }
}

async function loaded({ workers, close }, milliseconds) {
  await load(workers, WARM_UP);
  const result = await load(workers, milliseconds);
  await close();
  return result;
}

/** Each of the many has a connection, and each statement is a transaction. */
function openDriver(url) {
  const pool = new pg.Pool({ connectionString: url, max: MANY });
  const work = async () => {
    const id = randomUUID();
    await pool.query({ name: 'acquire', text: ACQUIRE('$1', '$2'), values: [id, randomUUID()] });
    await pool.query({ name: 'complete', text: COMPLETE('$1'), values: [id] });
  };
  return { workers: Array.from({ length: MANY }, () => work), close: () => pool.end() };
}

/** @returns pairs of statements that it does in a second, in a transaction each */
async function pgbench(url, directory, milliseconds) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const script = join(directory, 'pair.sql');
  const key = "'5e0ff1ad-3e9a-4c5b-' || :number";
  writeFileSync(
    script,
    `\\set number random(1, 1000000000000000)\n${ACQUIRE(key, key)};\n${COMPLETE(key)};\n`,
  );
  const env = {
    PATH: process.env.PATH,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
  };
  const seconds = String(Math.ceil(milliseconds / 1_000));
  const args = ['--no-vacuum', '--protocol=prepared', '--client', String(MANY), '--jobs=2'];
  const { stdout } = await promisify(execFile)(
    'pgbench',
    [...args, '--time', seconds, '--file', script],
    { env },
  );
  const [, rate] = /tps = ([\d.]+)/.exec(stdout) ?? [];
  if (rate === undefined || !/failed transactions: 0\b/.test(stdout)) throw new Error(stdout);
  return Number(rate);
}

function rowsOf(of, runs) {
  return Object.entries(runs).flatMap(([count, results]) => {
    const isClaim = count === String(MANY);
    const what = `acquire and complete on PostgreSQL, ${count} connections`;
    const rate = median(of[count]);
    const beside = (base, name, bound) =>
      compared(what, rate, 'leases a second', { what: name, value: median(of[base]) }, bound);
    // The first one is not counted, as with all that is interleaved.
    const counted = results.slice(1);
    const [p50, p99] = [
      median(counted.map((one) => one.p50)),
      median(counted.map((one) => one.p99)),
    ];
    return [
      ...(isClaim && of.pgbench ? [beside('pgbench', 'pgbench', { least: 0.5 })] : []),
      ...(isClaim && !of.pgbench
        ? [{ what: `${what}: beside pgbench`, missing: 'there is no pgbench on the PATH' }]
        : []),
      ...(isClaim ? [beside('driver', 'its statements by the driver')] : []),
      compared(`${what}: 99 of 100`, p99, 'ms', { what: 'half of them', value: p50 }, { most: 10 }),
    ];
  });
}
