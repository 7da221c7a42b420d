// What `exec` adds to the command that it runs, and what it takes of the machine meanwhile, on the
// local profile and with a hosted service.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { interleaved, median } from './harness.mjs';
import { BIN, hostedAt, makePlace, startStub, timed } from './package.mjs';
import { childrenOf, computed, HAS_PROC, memory, wordsOf } from './process-cost.mjs';

const SHORT = { rounds: 5, ttls: ['1s'], settling: 3_000, seconds: 4 };
const LONG = { rounds: 31, ttls: ['60s', '1s'], settling: 10_000, seconds: 20 };

/** Milliseconds. */
const MOST_ADDED = 30;
/** Percent of a core. */
const MOST_COMPUTED = 1;
/** MiB. */
const MOST_MEMORY = 80;

/** Says when it begins and when it ends, in nanoseconds by the wall clock. */
const CHILD = ['sh', '-c', 'date +%s%N; sleep 0.2; date +%s%N'];

/** @returns rows of both services: milliseconds, percent of a core, MiB */
export async function measure({ isShort, progress }) {
  if (!HAS_PROC) return [{ what: 'exec', missing: 'there is no /proc' }];
  const { rounds, ttls, ...watching } = isShort ? SHORT : LONG;
  const stub = await startStub();
  const { env, directory, remove } = makePlace();
  const services = { local: env, hosted: { ...env, ...hostedAt(stub.url) } };
  try {
    progress(`${rounds} interleaved runs of exec and lease of each service`);
    const rows = await added(services, rounds, directory);
    const nodes = Object.fromEntries(
      Object.keys(services).map((name) => [name, join(directory, `node-${name}`)]),
    );
    for (const node of Object.values(nodes)) copyFileSync(process.execPath, node);
    for (const ttl of ttls) {
      progress(`${watching.seconds} s of waiting, with leases of ${ttl}`);
      const waits = Object.entries(services).map(([name, environment]) =>
        waiting({ name, env: environment, node: nodes[name], ttl, directory, ...watching }),
      );
      rows.push(...(await Promise.all(waits)).flat());
    }
    return rows;
  } finally {
    await stub.stop();
    remove();
  }
}

/**
 * What passes from the moment at which `exec` has its lease until its command begins, and from the command's end
 * until its own. That it does not do more before than `lease` does from start to end is to be seen
 * from the sum, less what `lease` takes.
 */
async function added(services, rounds, directory) {
  let runs = 0;
  const parts = { local: [], hosted: [] };
  const works = {};
  for (const [name, env] of Object.entries(services)) {
    works[`lease, ${name}`] = () => {
      runs += 1;
      return timed(process.execPath, [BIN, 'lease', `bench-${runs}`, '--ttl', '60s'], env);
    };
    works[`exec, ${name}`] = (round) => {
      runs += 1;
      const times = execTimes(`bench-${runs}`, env, join(directory, `events-${runs}`));
      if (round > 0) parts[name].push(times);
      return times.start + times.before + times.after;
    };
  }
  const times = await interleaved(works, rounds);
  const row = (what, value, bound) => ({ what, value, unit: 'ms', bound });
  return Object.entries(parts).flatMap(([name, runs]) => {
    const [whole, lease] = [times[`exec, ${name}`], times[`lease, ${name}`]].map(median);
    const of = (part) => median(runs.map(part));
    const most = { most: MOST_ADDED };
    return [
      row(
        `exec adds to its command, ${name}`,
        of(({ before, after }) => before + after),
        most,
      ),
      row(
        '  from the lease until the command begins',
        of(({ before }) => before),
      ),
      row(
        "  from the command's end until its own",
        of(({ after }) => after),
      ),
      row(`exec, less its command and a whole lease KEY, ${name}`, whole - lease, most),
      row(
        '  from its start until it has the lease',
        of(({ start }) => start),
      ),
      row(`  a whole lease KEY, ${name}`, lease),
    ];
  });
}

/** @returns milliseconds from its start until it has the lease, from there until its command begins, and after that */
function execTimes(key, env, events) {
  const words = [BIN, 'exec', key, '--status-file', events, '--', ...CHILD];
  const began = now();
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  const ended = now();
  const [childBegan, childEnded] = stdout.split('\n').map((text) => Number(text) / 1e6);
  if (status !== 0 || !childEnded) throw new Error(`exec ended with ${status}: ${stderr}`);
  const [first] = readFileSync(events, 'utf8').split('\n');
  const { event, time } = JSON.parse(first);
  if (event !== 'acquired') throw new Error(`exec told of ${event} first`);
  const acquired = Date.parse(time);
  return {
    start: acquired - began,
    before: childBegan - acquired,
    after: ended - childEnded,
  };
}

/** By the wall clock, as `date` tells it, in milliseconds with their fractions. */
function now() {
  return performance.timeOrigin + performance.now();
}

/**
 * What `exec` and its watchdog take while they wait. They run on a Node of their own, so that they share its
 * pages with each other, and with nobody else.
 */
async function waiting({ name, env, node, ttl, directory, settling, seconds }) {
  const events = join(directory, `events-${name}-${ttl}`);
  const words = [
    'exec',
    `bench-${ttl}`,
    '--ttl',
    ttl,
    '--status-file',
    events,
    '--',
    'sleep',
    '600',
  ];
  const child = spawn(node, [BIN, ...words], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await delay(settling);
    const watchdog = childrenOf(child.pid).find((pid) => wordsOf(pid)[1]?.endsWith('guard.js'));
    if (watchdog === undefined) throw new Error(`exec, ${name}: there is no watchdog`);
    const both = [child.pid, watchdog];
    const state = () => ({
      at: performance.now(),
      computed: both.map(computed).reduce((sum, one) => sum + one),
      renewals: readFileSync(events, 'utf8').split('"renewed"').length - 1,
    });
    const first = state();
    await delay(seconds * 1000);
    const last = state();
    const passed = (last.at - first.at) / 1000;
    const share = ((last.computed - first.computed) / passed) * 100;
    const renewals = (last.renewals - first.renewals) / passed;
    const [own, others] = both.map(memory);
    const where = `--ttl ${ttl}, ${name}`;
    const row = (what, value, unit, bound) => ({ what: `${what}, ${where}`, value, unit, bound });
    return [
      row('exec computes', share, '% of a core', { most: MOST_COMPUTED }),
      row('  renewals', renewals, 'per second'),
      row('exec has of the memory', own.share + others.share, 'MiB', { most: MOST_MEMORY }),
      row('  RSS of leasectl', own.settled, 'MiB'),
      row('  RSS of leasectl, at most', own.peak, 'MiB'),
      row('  RSS of its watchdog', others.settled, 'MiB'),
    ];
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
