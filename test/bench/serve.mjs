// How many acquisitions and completions `leasectl serve` answers in a second, and how long nearly all
// of them take, against a bare way to PostgreSQL and back, and against Redis: medians of interleaved
// runs, so that a machine that slows down slows them all. Needs a build. Usage: npm run bench:serve [ROUNDS]
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, median } from './load.mjs';
import { forget, selectOne, startDatabase, startRedis, startServe } from './targets.mjs';

const ROUNDS = Math.max(1, Number(process.argv[2]) || 5);
const CONNECTIONS = [2, 64, 512];
/** Milliseconds of each run, and of the one before it that is not counted. */
const RUN = 2_000;
const WARM_UP = 300;

async function run(target, count) {
  const { workers, close } = await target.open(count);
  await measure(workers, WARM_UP);
  const result = await measure(workers, RUN);
  await close();
  return result;
}

/** What one is of another, where there is that one. */
function ratio(value, base) {
  return base === undefined ? '-' : (value / base).toFixed(3);
}

function print(cells) {
  const [name, ...others] = cells;
  process.stdout.write(`${name.padEnd(30)}${others.map((cell) => cell.padStart(13)).join('')}\n`);
}

function report(results, count) {
  const figures = [...results].map(([name, runs]) => {
    const own = runs.filter((run) => run.count === count);
    return [name, median(own.map(({ rate }) => rate)), median(own.map(({ p99 }) => p99))];
  });
  const of = (name) => figures.find(([own]) => own === name) ?? [];
  const [, select, selectP99] = of('SELECT 1');
  const [, redis, redisP99] = of('redis SET NX PX');
  print([
    `${count} connections`,
    'per second',
    'of SELECT 1',
    'of redis',
    'p99',
    'of SELECT 1',
    'of redis',
  ]);
  for (const [name, rate, p99] of figures) {
    const rates = [rate.toFixed(0), ratio(rate, select), ratio(rate, redis)];
    print([name, ...rates, `${p99.toFixed(1)} ms`, ratio(p99, selectP99), ratio(p99, redisP99)]);
  }
  process.stdout.write('\n');
}

const directory = mkdtempSync(join(tmpdir(), 'leasectl-bench-'));
const postgres = await startDatabase();
const targets = [];
try {
  targets.push(await startServe('SQLite', join(directory, 'leases.db'), directory));
  targets.push(await startServe('PostgreSQL', await postgres.createDatabase(), directory));
  targets.push(selectOne(await postgres.createDatabase()));
  const redis = await startRedis(directory);
  if (redis) targets.push(redis);
  else process.stdout.write('There is no redis-server: nothing is compared with it.\n');
  const results = new Map(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const count of CONNECTIONS) {
      for (const target of targets) {
        results.get(target.name).push({ count, ...(await run(target, count)) });
      }
    }
  }
  process.stdout.write(
    `Node ${process.version}, medians of ${ROUNDS} interleaved runs of ${RUN / 1_000} s\n\n`,
  );
  for (const count of CONNECTIONS) report(results, count);
} finally {
  await Promise.all(targets.map((target) => target.stop()));
  await postgres.remove();
  forget(directory);
}
