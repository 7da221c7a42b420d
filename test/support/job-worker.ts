import { randomBytes, randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../src/domain/failure.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createInProcessTransport } from '../../src/server/in-process.ts';
import { createAskUiClient, visibleAt } from '../../src/services/askui/client.ts';
import { askUiRoutes } from '../../src/services/askui/routes.ts';
import { createRetaiaClient, jobsOf } from '../../src/services/retaia/client.ts';
import { claimNext } from '../../src/services/retaia/find-jobs.ts';
import { BASE_PATH, retaiaRoutes } from '../../src/services/retaia/routes.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { isRare, type Line } from './contention-check.ts';

/*
 * A process with many loops that take jobs and finish them, to be killed in the middle of it. It
 * tells of everything on stdout as soon as it is answered. It begins when it is told to, by a line
 * on stdin, and ends when stdin does.
 *
 * Most loops are good workers. Some hold on to a job by heartbeats; some fail it, to be tried again;
 * and some come too late, or show a fencing token that is not theirs any more: they are to be refused.
 */

/** A job as the loop has it that took it. */
interface Held {
  readonly by: string;
  readonly job: string;
  /** What the holder shows. */
  readonly secret: string;
  token: number;
  /** When the answer to the call that acquired it had come. */
  readonly since: number;
}

/** What a service answers to a claim. */
interface Taken {
  readonly job: string;
  readonly secret: string;
  readonly token: unknown;
  readonly until: unknown;
}

/** A service as the loops see it. */
interface Port {
  /**
   * @param claiming called right before each claim
   * @returns undefined when there is nothing to take
   */
  take(claiming: () => void, by: string): Promise<Taken | undefined>;
  beat(held: Held): Promise<Pick<Taken, 'token' | 'until'>>;
  /** @param token shown beside the secret, where the service knows of it; undefined for none */
  finish(held: Held, token: number | undefined): Promise<unknown>;
  release?(held: Held): Promise<unknown>;
}

/** How often one that comes too late asks. */
const LATE_ATTEMPTS = 5;

const [file = '', name = '', form = '', ttlText = '', loopsText = ''] = process.argv.slice(2);
const ttl = Number(ttlText);
const loops = Number(loopsText);
const store = openSqliteStore({ file });
const newHandle = () => randomBytes(16).toString('hex');
const engine = createEngine({ store, newHandle, monthlyLimit: 1 });
const likeContext = { knowsAcquisitions: () => true, clean: (text: string) => text };

function retaiaPort(isNext: boolean): Port {
  const routes = retaiaRoutes(engine);
  const transport = createInProcessTransport(routes, { basePath: BASE_PATH, caller: () => name });
  const client = createRetaiaClient({ ...likeContext, transport });
  const lock = ({ secret }: Held, token: number | undefined) => ({
    lock_token: secret,
    ...(token === undefined ? {} : { fencing_token: token }),
  });
  /** Any of those listed: the oldest is wanted by all. */
  const claimListed = async (claim: typeof client.claim) => {
    const jobs = jobsOf(await client.list(100));
    const job = jobs[Math.floor(Math.random() * jobs.length)];
    return job && unless(isTaken, claim(job.job_id, randomUUID()));
  };
  return {
    async take(claiming) {
      const claim: typeof client.claim = (...request) => {
        claiming();
        return client.claim(...request);
      };
      const next = {
        client: { list: client.list, claim },
        filter: { type: undefined, capabilities: undefined },
        newIdempotencyKey: randomUUID,
        random: Math.random,
        isInTime: () => true,
      };
      const job = await (isNext ? unless(isNone, claimNext(next)) : claimListed(claim));
      if (!job) return undefined;
      const { job_id, lock_token, fencing_token, locked_until } = job;
      return { job: job_id, secret: lock_token, token: fencing_token, until: locked_until };
    },
    async beat(held) {
      const answer = await client.heartbeat(held.job, lock(held, held.token));
      return { token: answer?.fencing_token, until: answer?.locked_until };
    },
    finish(held, token) {
      const body = { job_type: 'extract_facts', result: { facts_patch: { by: held.by } } };
      return client.submit(held.job, randomUUID(), { ...lock(held, token), ...body });
    },
    release(held) {
      const body = { error_code: 'E_AGAIN', message: 'Try again.', retryable: true };
      return client.fail(held.job, randomUUID(), { ...lock(held, held.token), ...body });
    },
  };
}

function askUiPort(): Port {
  const transport = createInProcessTransport(askUiRoutes(engine), {
    basePath: '',
    caller: () => name,
  });
  const client = createAskUiClient({ ...likeContext, transport });
  return {
    async take(claiming, by) {
      claiming();
      const tags = by.endsWith('-0') ? ['rare'] : [];
      const job = await client.lease({ runner_host: 'SELF', runner_id: by, tags }, randomUUID());
      return job
        ? { job: job.id, secret: job.ack, token: job.tries, until: visibleAt(job.visible) }
        : undefined;
    },
    async beat({ secret, job, token }) {
      const { visible } = await client.ping(secret, job);
      return { token, until: visibleAt(visible) };
    },
    finish: ({ secret, job }) => client.complete(secret, job, 'PASSED'),
  };
}

function isTaken(error: Failure): boolean {
  return error.code === 'held' || error.reason === 'STATE_CONFLICT';
}

function isNone({ code }: Failure): boolean {
  return code === 'none_available';
}

function isLost({ code }: Failure): boolean {
  return code === 'lease_lost';
}

/** What it resolves to; undefined when it fails in the expected way. */
async function unless<T>(isExpected: (error: Failure) => boolean, call: Promise<T>) {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Failure && isExpected(error)) return undefined;
    throw error;
  }
}

function tell(line: Line): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function take(port: Port, by: string): Promise<Held | undefined> {
  let sent = 0;
  const taken = await port.take(() => {
    sent = Date.now();
  }, by);
  if (!taken) return undefined;
  const since = Date.now();
  const { job, secret } = taken;
  const token = Number(taken.token);
  tell({ what: 'claimed', by, job, token, sent, answered: since, until: momentOf(taken.until) });
  return { by, job, secret, token, since };
}

function momentOf(until: unknown): number {
  const moment = typeof until === 'number' ? until : Date.parse(String(until));
  // Compared with that, nothing would ever be found wrong.
  if (Number.isNaN(moment)) throw new Error(`${until} is no moment`);
  return moment;
}

/** @returns whether the lease goes on */
async function beat(port: Port, held: Held): Promise<boolean> {
  const { by, job, token } = held;
  const sent = Date.now();
  const answer = await unless(isLost, port.beat(held));
  const span = { by, job, token, sent, answered: Date.now() };
  if (!answer) {
    tell({ what: 'refused', ...span });
    return false;
  }
  held.token = Number(answer.token);
  tell({ what: 'beaten', ...span, token: held.token, until: momentOf(answer.until) });
  return true;
}

/** @param token shown with the request; undefined to show the secret alone */
async function finish(port: Port, held: Held, token: number | undefined): Promise<boolean> {
  const { by, job } = held;
  const about = { by, job, token: token ?? held.token, sent: Date.now() };
  tell({ what: 'finishing', ...about });
  const call = port.finish(held, token).then(() => true);
  const isDone = (await unless(isLost, call)) ?? false;
  tell({ what: isDone ? 'finished' : 'refused', ...about, answered: Date.now() });
  return isDone;
}

async function release(held: Held, call: (held: Held) => Promise<unknown>): Promise<void> {
  const { by, job, token } = held;
  const about = { by, job, token, sent: Date.now() };
  tell({ what: 'releasing', ...about });
  const isDone = await unless(
    isLost,
    call(held).then(() => true),
  );
  tell({ what: isDone ? 'released' : 'refused', ...about, answered: Date.now() });
}

/** Does nothing until the lease is over for certain, and then goes on as if it were not. */
async function comeLate(port: Port, held: Held): Promise<void> {
  await delay(held.since + ttl + 1 - Date.now());
  if (Math.random() < 0.25 && (await beat(port, held))) return;
  for (let attempt = 0; attempt < LATE_ATTEMPTS; attempt += 1) {
    // The secret alone has to be refused too, where another holder came.
    if (await finish(port, held, attempt % 2 === 0 ? undefined : held.token)) return;
    await delay(Math.random() * 60);
  }
}

/** Holds a job for longer than a lease lasts. */
async function keep(port: Port, held: Held): Promise<void> {
  while (Date.now() < held.since + ttl * 1.25) {
    await delay(ttl / 6);
    if (!(await beat(port, held))) return;
  }
  await finish(port, held, held.token);
}

async function doJob(port: Port, held: Held): Promise<void> {
  // Long enough for whoever had the job before to come too late in the middle of it.
  await delay(held.token > 1 ? 50 + Math.random() * 100 : Math.random() * 20);
  if (Math.random() < 0.1 && !(await beat(port, held))) return;
  const isFenced = port.release !== undefined;
  if (isFenced && held.token > 1 && (await finish(port, held, held.token - 1))) return;
  await finish(port, held, held.token);
}

async function treat(port: Port, held: Held, loop: number, turn: number): Promise<void> {
  const { job, token } = held;
  const isLate = loop === 0 && token < 3 && (turn % 2 === 0 || (isRare(job) && token === 1));
  if (isLate) await comeLate(port, held);
  else if (loop === 1 && turn % 4 === 0) await keep(port, held);
  else if (port.release && token === 1 && /[05]0$/.test(job)) await release(held, port.release);
  else await doJob(port, held);
}

async function work(port: Port, loop: number): Promise<void> {
  for (let turn = 0; !isOver; turn += 1) {
    const held = await take(port, `${name}-${loop}`);
    if (held) await treat(port, held, loop, turn);
    else await delay(50 + Math.random() * 100);
  }
}

let isOver = false;
const port = form === 'lease' ? askUiPort() : retaiaPort(form === 'claimNext');
process.stdin.on('end', () => {
  isOver = true;
});
process.stdin.once('data', async () => {
  await Promise.all(Array.from({ length: loops }, (_, loop) => work(port, loop)));
  await store.close();
});
writeSync(1, 'ready\n');
