import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { workOf as runnerWorkOf } from '../../src/services/askui/new-job.ts';
import { workOf } from '../../src/services/retaia/new-job.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { bundleWorker } from '../support/bundle-worker.ts';
import {
  type Evidence,
  type Facts,
  findFacts,
  findViolations,
  isRare,
  type Line,
  type Row,
} from '../support/contention-check.ts';
import { type Outcome, outcomeOf, temporaryDirectory } from '../support/sandbox.ts';

const JOBS = 2_000;
const PROCESSES = 8;
/** In each process. */
const LOOPS = 8;
const KILLS = 10;
/** Milliseconds: far longer than a good worker needs, and short enough to wait for. */
const TTL = 2_000;
/** Milliseconds; what is not finished then, counts as lost. */
const PATIENCE = 240_000;

type Form = 'claim' | 'claimNext' | 'lease';

interface Worker {
  readonly child: ChildProcess;
  readonly name: string;
  readonly outcome: Promise<Outcome>;
  /** How many bytes it has told. */
  told: number;
}

/** Many processes at work on one database. */
interface Scene {
  readonly db: Database.Database;
  /** Starts one more process. */
  readonly hire: () => Worker;
  /** Those that were not killed. */
  readonly workers: Worker[];
  readonly killed: Worker[];
}

const IDS = Array.from({ length: JOBS }, (_, index) => `job-${String(index).padStart(4, '0')}`);

async function addJobs(file: string, form: Form): Promise<void> {
  const store = openSqliteStore({ file });
  const engine = createEngine({ store, newHandle: () => randomUUID(), monthlyLimit: 1 });
  const kind = form === 'lease' ? 'runner_job' : 'job';
  const added = IDS.map((id) => {
    const tags = isRare(id) ? ['rare'] : [];
    const work =
      form === 'lease'
        ? runnerWorkOf({ tags, max_tries: 1_000 }, randomUUID)
        : workOf({ job_type: 'extract_facts' }, randomUUID);
    return { kind, id, ttl: TTL, work } as const;
  });
  await engine.add(added, NOBODY);
  await store.close();
}

async function setScene(form: Form): Promise<Scene> {
  const directory = temporaryDirectory();
  const file = join(directory, 'leases.db');
  const [script] = await Promise.all([bundleWorker('job-worker', directory), addJobs(file, form)]);
  const db = new Database(file);
  onTestFinished(() => {
    db.close();
  });
  const workers: Worker[] = [];
  const killed: Worker[] = [];
  const hire = () => {
    const name = `p${workers.length + killed.length + 1}`;
    const args = [script, file, name, form, String(TTL), String(LOOPS)];
    const worker = startWorker(name, args);
    workers.push(worker);
    return worker;
  };
  return { db, hire, workers, killed };
}

function startWorker(name: string, args: readonly string[]): Worker {
  const child = spawn(process.execPath, args);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  // Nothing can be told to one that has died: its outcome says why.
  child.stdin.on('error', () => undefined);
  const worker = { child, name, outcome: outcomeOf(child), told: 0 };
  child.stdout.on('data', (chunk: Buffer) => {
    worker.told += chunk.length;
  });
  return worker;
}

const READY = 'ready\n';
const isReady = ({ told }: Worker) => told >= READY.length;
const isAtWork = ({ told }: Worker) => told > READY.length;
const begin = ({ child }: Worker) => child.stdin?.write('begin\n');

/** Waits for a condition, as long as nobody has died who was not killed. */
async function until({ workers }: Scene, isMet: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!isMet() && performance.now() < deadline) {
    for (const { child, name, outcome } of workers) {
      if (child.exitCode === null) continue;
      throw new Error(`${name} ended in the middle: ${(await outcome).stderr}`);
    }
    await delay(30);
  }
}

function finishedIn({ db }: Scene): number {
  const sql = 'SELECT count(*) AS finished FROM leases WHERE finish_way IS NOT NULL';
  return Number(Object(db.prepare(sql).all()[0]).finished);
}

/** Kills one that is in the middle of its work, and has another one take its place. */
async function replaceOne(scene: Scene): Promise<void> {
  const { workers, killed, hire } = scene;
  const place = Math.floor(Math.random() * workers.length);
  await until(scene, () => workers.slice(place, place + 1).some(isAtWork));
  await delay(Math.random() * 50);
  for (const victim of workers.splice(place, 1)) {
    victim.child.kill('SIGKILL');
    killed.push(victim);
  }
  const newcomer = hire();
  await until(scene, () => isReady(newcomer));
  begin(newcomer);
}

/** @returns how long it took to finish all jobs, in milliseconds */
async function play(scene: Scene): Promise<number> {
  const { workers, hire } = scene;
  for (let place = 0; place < PROCESSES; place += 1) hire();
  await until(scene, () => workers.every(isReady));
  const begun = performance.now();
  workers.forEach(begin);
  // The last is replaced half-way, so that whoever comes then finds something to do.
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await until(scene, () => finishedIn(scene) >= (JOBS / 2 / KILLS) * kill);
    await replaceOne(scene);
  }
  await until(scene, () => finishedIn(scene) === JOBS);
  const duration = performance.now() - begun;
  for (const { child } of workers) child.stdin?.end();
  return duration;
}

async function evidenceOf({ db, workers, killed }: Scene): Promise<Evidence> {
  const journals = [
    await journalsOf(killed, { signal: 'SIGKILL', code: null, stderr: '' }),
    await journalsOf(workers, { signal: null, code: 0, stderr: '' }),
  ];
  expect(db.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  const sql = 'SELECT id, finish_way AS way, fencing_token AS token FROM leases';
  const rows: Row[] = db.prepare(sql).all().map(Object);
  return { jobs: IDS, lines: journals.flat(), rows, ttl: TTL };
}

async function journalsOf(workers: readonly Worker[], end: Partial<Outcome>): Promise<Line[]> {
  const outcomes = await Promise.all(workers.map(({ outcome }) => outcome));
  return outcomes.flatMap(({ stdout, ...outcome }) => {
    expect(outcome).toEqual(end);
    // The first line says that it is ready. The last one may be cut: then it was not told.
    const lines = stdout.split('\n').slice(1, -1);
    return lines.map((line): Line => JSON.parse(line));
  });
}

/** How many jobs each loop of a process got. */
function sharesOf({ name }: Worker, { lines }: Evidence): number[] {
  const claims = lines.filter(({ what }) => what === 'claimed');
  return Array.from(
    { length: LOOPS },
    (_, loop) => claims.filter(({ by }) => by === `${name}-${loop}`).length,
  );
}

function hasFinished({ name }: Worker, { lines }: Evidence): boolean {
  return lines.some(({ what, by }) => what === 'finished' && by.startsWith(`${name}-`));
}

/** What is to happen in a scene, so that its end proves something. */
const FACTS: Readonly<Record<Form, readonly (keyof Facts)[]>> = {
  claim: ['inherited', 'kept', 'refusedTaken', 'refusedUntaken', 'refusedOutdated', 'released'],
  // Whose lease runs out first is the oldest: it is taken at once.
  claimNext: ['inherited', 'kept', 'refusedTaken', 'refusedOutdated', 'released'],
  // The ack is all that is shown, and nothing is given back.
  lease: ['inherited', 'kept', 'refusedTaken', 'refusedUntaken'],
};

describe(`${PROCESSES * LOOPS} loops in processes of which ${KILLS} are killed`, () => {
  test.for<Form>(['claim', 'claimNext', 'lease'])(
    `finish ${JOBS} jobs once each: %s`,
    { timeout: PATIENCE + 120_000 },
    async (form, { annotate }) => {
      const scene = await setScene(form);
      const duration = await play(scene);
      const evidence = await evidenceOf(scene);
      // Of the first ones: one mistake makes hundreds.
      expect(findViolations(evidence).slice(0, 20)).toEqual([]);

      const facts = findFacts(evidence);
      const shares = scene.workers.flatMap((worker) => sharesOf(worker, evidence));
      const [least, most] = [Math.min(...shares), Math.max(...shares)];
      const speed = Math.round((JOBS * 1_000) / duration);
      await annotate(`${speed} jobs/s, ${least} to ${most} for a loop, ${JSON.stringify(facts)}`);
      expect(FACTS[form].filter((name) => facts[name] === 0)).toEqual([]);
      expect(scene.killed).toHaveLength(KILLS);
      expect(scene.workers.every((worker) => hasFinished(worker, evidence))).toBe(true);
      expect(new Set(evidence.lines.map(({ by }) => by)).size).toBeGreaterThanOrEqual(
        PROCESSES * LOOPS,
      );
    },
  );
});

describe('what is told of a job', () => {
  const tell = (by: string, token: number) => (what: Line['what'], sent: number) => {
    const until = Math.floor((sent + TTL) / 1_000) * 1_000;
    return { what, by, job: 'job', token, sent, answered: sent + 10, until };
  };
  const [a, b, other] = [tell('a', 1), tell('b', 2), tell('other', 2)];
  const first = [a('claimed', 500), a('finishing', 2_700), a('refused', 2_700)];
  const rest = [b('beaten', 4_000), b('finishing', 5_000)];
  const second = [b('claimed', 2_600), ...rest];
  const sound = [...first, ...second, b('finished', 5_000)];
  const row: Row = { id: 'job', way: 'complete', token: 2 };
  const problemsOf = (lines: readonly Line[], rows = [row]) =>
    findViolations({ jobs: ['job'], lines, rows, ttl: TTL });

  test.each([
    ['one is late, and another one finishes', sound],
    ['who finished was killed before it could tell', [...first, ...second]],
    ['the next one comes as the lease ends', [...first, b('claimed', 2_490), ...rest]],
  ])('is believed: %s', (_, lines) => {
    expect(problemsOf(lines)).toEqual([]);
  });

  test.each([
    ['held by a when b got it, 1 ms early', [...first, b('claimed', 2_489), ...rest]],
    ['held by a when b got it, 390 ms early', [...sound, a('beaten', 1_000)]],
    ['finished 2 times', [...sound, b('finished', 5_100)]],
    ['finished by nobody', [...first, b('claimed', 2_600)]],
    ['finished by other with 2, which it never got', [...second, other('finished', 5_000)]],
    ['finished with 1 when 2 was current', [...second, a('claimed', 500), a('finished', 2_400)]],
    ['finished 40 ms after the end', [...first, ...second, b('finished', 6_050)]],
    ['beaten 50 ms after the end', [...sound, a('beaten', 2_560)]],
    ['refused to its holder, 490 ms before the end', [...sound, b('refused', 4_500)]],
    ['fell from 2 to 1', [...sound, tell('other', 1)('claimed', 9_000)]],
    ['fell from 3 to 2', [...sound, tell('other', 3)('claimed', 9_000)]],
    ['given out twice with 2', [...sound, other('claimed', 9_000)]],
  ])('is contradicted: %s', (problem, lines) => {
    expect(problemsOf(lines)).toContainEqual(expect.stringContaining(problem));
  });

  test.each([
    ['lost: its end is null', [{ ...row, way: null }]],
    ['lost: its end is cancel', [{ ...row, way: 'cancel' }]],
    ['there 0 times', []],
    ['there 2 times', [row, row]],
  ])('is contradicted by what is stored: %s', (problem, rows) => {
    expect(problemsOf(sound, rows)).toEqual([expect.stringContaining(problem)]);
  });
});
