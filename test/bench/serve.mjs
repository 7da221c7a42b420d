// How many leases `leasectl serve` acquires and completes on SQLite in a second, and how long nearly all
// of them take: beside what the machine's disk allows SQLite itself, and beside etcd and Redis.
import { openBare } from './bare-sqlite.mjs';
import { compared, interleaved, median } from './harness.mjs';
import { load } from './load.mjs';
import { makePlace } from './package.mjs';
import { grantCreateAndRevoke, startEtcd, startRedis } from './rivals.mjs';
import { acquire, startServe } from './targets.mjs';

const SHORT = { rounds: 2, others: [], run: 800 };
/** `others`: counts of connections beside those of the claim. */
const LONG = { rounds: 7, others: [2, 512], run: 2_000 };
/** Connections of the claim. */
const MANY = 64;
/** Milliseconds before each run that are not counted. */
const WARM_UP = 300;

/** @returns rows: medians of the runs */
export async function measure({ isShort, progress }) {
  const { rounds, others, run } = isShort ? SHORT : LONG;
  const { directory, remove } = makePlace();
  const bare = openBare(`${directory}/bare.db`);
  const running = [];
  const start = async (promise) => {
    const target = await promise;
    if (target) running.push(target);
    return target;
  };
  try {
    const serve = await start(startServe('SQLite', `${directory}/leases.db`, directory));
    // Nothing but the claim in the short form: what others have installed decides nothing there.
    const etcd = isShort ? undefined : await start(startEtcd(directory));
    const redis = isShort ? undefined : await start(startRedis(directory));
    const pairs = Object.fromEntries([MANY, ...others].map((count) => [count, []]));
    const rates = (target, count, work) => async () => {
      const result = await loaded(target, count, run, work);
      if (target === serve && !work) pairs[count].push(result);
      return result.rate;
    };
    progress(`${rounds} interleaved runs of ${run / 1_000} s each`);
    const of = await interleaved(
      {
        bare: () => bare.rate(1, run),
        together: () => bare.rate(MANY, run),
        acquired: rates(serve, MANY, acquire),
        ...Object.fromEntries([MANY, ...others].map((count) => [count, rates(serve, count)])),
        ...(etcd
          ? { etcd: rates(etcd, MANY), revoked: rates(etcd, MANY, grantCreateAndRevoke) }
          : {}),
        ...(redis ? { redis: rates(redis, MANY) } : {}),
      },
      rounds,
    );
    return [
      ...ownRows(of, pairs),
      ...(etcd ? etcdRows(of, etcd.name) : [missing('etcd', isShort)]),
      ...(redis ? redisRows(of, redis.name) : [missing('redis-server', isShort)]),
    ];
  } finally {
    await Promise.all(running.map((target) => target.stop()));
    bare.close();
    remove();
  }
}

async function loaded(target, count, milliseconds, work) {
  const { workers, close } = await target.open(count, work);
  await load(workers, WARM_UP);
  const result = await load(workers, milliseconds);
  await close();
  return result;
}

function missing(program, isShort) {
  const why = isShort ? 'not in the short form' : `there is no ${program} on the PATH`;
  return { what: `beside ${program}`, missing: why };
}

/** Each lease is changed twice, so its changes are compared with a transaction each. */
function ownRows(of, pairs) {
  const bare = { what: 'SQLite, a transaction each', value: median(of.bare) };
  const together = { what: `SQLite, ${MANY} in each transaction`, value: median(of.together) };
  return Object.entries(pairs).flatMap(([count, runs]) => {
    const isClaim = count === String(MANY);
    const what = `acquire and complete, ${count} connections`;
    const changes = 2 * median(of[count]);
    const [p50, p99] = [median(runs.map((run) => run.p50)), median(runs.map((run) => run.p99))];
    const half = isClaim ? { least: 0.5 } : undefined;
    return [
      compared(what, changes, 'changes a second', bare, half),
      ...(isClaim ? [compared(what, changes, 'changes a second', together)] : []),
      compared(`${what}: 99 of 100`, p99, 'ms', { what: 'half of them', value: p50 }, { most: 10 }),
    ];
  });
}

/**
 * What is the same for whoever asks: a lease that is taken, and one that is taken and given back, which is two
 * requests here, and three there. How many pairs of requests both answer stands beside it.
 */
function etcdRows(of, name) {
  const [acquired, completed] = [
    `acquire, ${MANY} connections`,
    `acquire and complete, ${MANY} connections`,
  ];
  const row = (what, rates, rival, rivals, bound) =>
    compared(what, median(rates), 'leases a second', { what: rival, value: median(rivals) }, bound);
  return [
    row(acquired, of.acquired, name, of.etcd, { least: 1 }),
    row(completed, of[MANY], `${name}, and revoke`, of.revoked, { least: 1 }),
    row(completed, of[MANY], name, of.etcd),
  ];
}

function redisRows(of, name) {
  const redis = { what: name, value: median(of.redis) };
  const what = `acquire, ${MANY} connections`;
  return [compared(what, median(of.acquired), 'leases a second', redis)];
}
