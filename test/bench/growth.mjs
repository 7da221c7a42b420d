// What a service with a thousand leases takes for what it is asked, and one with a million: each on its own
// database, one after the other. What is copied into them the service itself wrote.
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import {
  growMachine,
  loadProject,
  QUESTIONS,
  serveGrown,
  startSweeping,
  workApart,
} from './grown.mjs';
import { compared, interleaved, median } from './harness.mjs';
import { load } from './load.mjs';
import { BIN, makePlace, timed } from './package.mjs';
import { HAS_PROC, memory } from './process-cost.mjs';

const SHORT = { few: 1_000, many: 100_000, rounds: 7, commandRounds: 5, used: 2_000 };
const LONG = { few: 1_000, many: 1_000_000, rounds: 30, commandRounds: 15, used: 10_000 };
/** What this machine's ledger has in `ls`. */
const OWN = 20;
const MANY_OWN = 1_000;
const BOUND = { most: 1.5 };
/** MiB. */
const MEMORY = { most: 200 };
/** Asked one after the other in a round. */
const AT_A_TIME = 5;

/** @returns rows: medians in milliseconds, and how much memory a service takes at most in MiB */
export async function measure({ isShort, progress }) {
  const options = { ...(isShort ? SHORT : LONG), progress };
  const place = makePlace();
  const project = await loadProject();
  const cleaning = [() => place.remove()];
  try {
    return await measureAll(project, place, options, cleaning);
  } finally {
    for (const clean of cleaning.reverse()) await clean();
  }
}

async function measureAll(project, place, options, cleaning) {
  const { few, many, progress } = options;
  progress(`makes SQLite databases of ${few} and ${many} leases`);
  const machines = [0, few, many].map((leases) => growMachine(place, leases));
  const [none, ...grown] = machines;
  const rows = await commandRows(grown, options);
  rows.push(...(await openingRows([none, grown[1]], options)));
  const files = grown.map(({ file }) => file);
  rows.push(...(await servedRows('SQLite', files, place, options)));
  rows.push(await sweepRow('SQLite', files, options));

  progress(`makes PostgreSQL databases of ${few} and ${many} leases`);
  const server = await project.startPostgres({ fsync: 'on' });
  cleaning.push(() => server.remove());
  const urls = [];
  for (const leases of [few, many]) {
    urls.push(await server.createDatabase());
    await project.growPostgres(urls.at(-1), { leases });
  }
  rows.push(...(await servedRows('PostgreSQL', urls, place, options)));
  rows.push(await sweepRow('PostgreSQL', urls, options));
  return rows;
}

/** @param works by their names, for few and for many leases each */
async function ratios(works, rounds, unit, { few, many }, isBounded = true) {
  const values = await interleaved(
    Object.fromEntries(
      Object.entries(works).flatMap(([what, [onFew, onMany]]) => [
        [`${what} few`, onFew],
        [`${what} many`, onMany],
      ]),
    ),
    rounds,
  );
  return Object.keys(works).map((what) => {
    const base = { what: `with ${few}`, value: median(values[`${what} few`]) };
    const value = median(values[`${what} many`]);
    return compared(`${what}, ${many} leases`, value, unit, base, isBounded ? BOUND : undefined);
  });
}

/** Commands on the embedded service, with all that it takes to start them. */
async function commandRows(grown, options) {
  const { commandRounds, progress } = options;
  progress('commands');
  const hold = ({ file, ledger }, count) => workApart('hold', { file, ledger, count });
  for (const machine of grown) hold(machine, OWN);
  const run = (args) =>
    grown.map(
      ({ env }) =>
        () =>
          timed(process.execPath, [BIN, ...args()], env),
    );
  const rows = await ratios(
    {
      'leasectl lease': run(() => ['lease', `bench/${randomUUID()}`]),
      'leasectl status': run(() => ['status', 'own-0']),
      'leasectl jobs claim --next': run(() => ['jobs', 'claim', '--next']),
      'leasectl runner-jobs lease': run(() => [
        'runner-jobs',
        'lease',
        '--runner-id',
        randomUUID(),
      ]),
      'leasectl ls': run(() => ['ls']),
    },
    commandRounds,
    'ms',
    options,
  );
  const [machine] = grown;
  const ls = () => timed(process.execPath, [BIN, 'ls'], machine.env);
  ls();
  const before = median([ls(), ls(), ls()]);
  hold(machine, MANY_OWN);
  const value = median([ls(), ls(), ls()]);
  const base = { what: `of ${OWN}`, value: before };
  return [...rows, compared(`leasectl ls of ${MANY_OWN} leases held here`, value, 'ms', base)];
}

/** From nothing to the first answer: as it was closed, and with the log that a crash leaves. */
async function openingRows(machines, { rounds, many, progress }) {
  progress('opening');
  const options = { few: 'none', many };
  const rowsOf = (what, open) => {
    const works = machines.map(
      ({ file }) =>
        () =>
          open(file),
    );
    return ratios({ [what]: works }, rounds, 'ms', options);
  };
  for (const { file } of machines) workApart('bringHome', { file });
  const open = (file) => workApart('open', { file });
  const closed = await rowsOf('opening it', open);
  for (const { file, env } of machines) await leaveLog(file, env);
  const crashed = await rowsOf('opening it, with a log left behind', (file) => {
    rmSync(`${file}-shm`, { force: true });
    copyFileSync(`${file}-log`, `${file}-wal`);
    return open(file);
  });
  return [...closed, ...crashed];
}

/** Keeps the log of a service that is killed. */
async function leaveLog(file, env) {
  const service = await serveGrown(file, env);
  for (let count = 0; count < 100; count += 1) await QUESTIONS.acquire(service);
  await service.stop('SIGKILL');
  if (!existsSync(`${file}-wal`)) throw new Error('no log was left behind');
  copyFileSync(`${file}-wal`, `${file}-log`);
}

async function servedRows(name, locations, { env }, options) {
  const { rounds, used, many, progress } = options;
  progress(`leasectl serve on ${name}`);
  const services = [];
  try {
    for (const location of locations) {
      const service = await serveGrown(location, env);
      const { leases } = await service.get('/admin/v1/leases?kind=key&limit=3');
      services.push({ ...service, key: leases[1].id });
      // Not even of few there is to be too little.
      const count = AT_A_TIME * (rounds + 2);
      await service.post('/admin/v1/jobs', {
        ttl: 60,
        count,
        jobs: [{ job_type: 'extract_facts' }],
      });
      await service.post('/admin/v1/runner-jobs', { ttl: 60, count, jobs: [{}] });
    }
    const works = Object.entries(QUESTIONS).map(([what, ask]) => [
      `${name}, ${what}`,
      services.map((service) => () => timedEach(() => ask(service))),
    ]);
    const rows = await ratios(Object.fromEntries(works), rounds, 'ms', options);
    const what = `memory of leasectl serve on ${name}, ${many} leases`;
    if (!HAS_PROC) return [...rows, { what, missing: 'there is no /proc' }];
    // While its housekeeping goes on.
    const asking = await Promise.all(Array.from({ length: 64 }, () => services[1].open()));
    const questions = ['acquire', 'status', 'a page of what is held'].map(
      (what) => QUESTIONS[what],
    );
    const any = () => questions[Math.floor(Math.random() * questions.length)];
    const { key } = services[1];
    await load(
      asking.map((connection) => () => any()({ ...connection, key })),
      used,
    );
    return [...rows, { what, value: memory(services[1].pid).peak, unit: 'MiB', bound: MEMORY }];
  } finally {
    for (const { stop } of services) await stop();
  }
}

async function timedEach(work) {
  const begun = performance.now();
  for (let count = 0; count < AT_A_TIME; count += 1) await work();
  return (performance.now() - begun) / AT_A_TIME;
}

/** A database of few leases has more to do by one. */
const STEPS = 12;

async function sweepRow(name, locations, options) {
  const { progress } = options;
  progress(`housekeeping on ${name}`);
  const sweeping = locations.map((location) => startSweeping(location));
  try {
    const steps = { [`${name}, a step of the housekeeping`]: sweeping.map(({ step }) => step) };
    const [row] = await ratios(steps, STEPS, 'ms', options);
    return row;
  } finally {
    for (const { stop } of sweeping) await stop();
  }
}
