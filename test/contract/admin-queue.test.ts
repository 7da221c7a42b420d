import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { engineOn } from '../../src/engines.ts';
import { type Counting, queueRoute } from '../../src/services/admin/queue-route.ts';
import { QueueInfo } from '../../src/services/admin/queue-wire.ts';
import { workOf } from '../../src/services/retaia/new-job.ts';
import { ANYBODY, needsOf } from '../../src/services/retaia/routes.ts';
import { type Caller, createAdminService, refusal } from './admin-service.ts';

const queueOf = ({ get }: Caller) => get(QueueInfo, '/queue', { kind: 'job' });
const NOBODY = { last_claimed_at: null, last_claimed_by: null };
const NONE = { pending: 0, ran_out: 0, claimed: 0, completed: 0, failed: 0, retried: 0 };
const at = (seconds: number) => new Date(Date.UTC(2025, 0, 15, 10, 30, seconds)).toISOString();
const by = { caller: null, requestId: null };
const NOTHING = { result: null, resultHash: null, errorCode: null, errorHash: null };

async function add(engine: Engine, job_type: string, ...ids: readonly string[]) {
  const work = workOf({ job_type }, randomUUID);
  await engine.add(
    ids.map((id) => ({ kind: 'job', id, ttl: 60_000, work })),
    by,
  );
}

async function claim(engine: Engine, id: string, claimed_by: string): Promise<string> {
  const request = { metadata: { claimed_by }, idempotencyKey: null, requestHash: null };
  const { outcome } = await engine.acquire({ kind: 'job', id, ttl: null, ...request }, by);
  if (outcome.type !== 'acquired') throw new Error(outcome.type);
  return outcome.lease.handle;
}

test('an empty queue is told as one', async () => {
  const admin = await createAdminService().caller('default');
  expect(await queueOf(admin)).toEqual({
    ...{ kind: 'job', now: at(0), counted: 0, is_whole: true, ...NONE, ...NOBODY },
    ...{
      oldest_pending_id: null,
      most_retried_id: null,
      oldest_pending_at: null,
      types: [],
      types_left_off: 0,
    },
  });
});

test('jobs are counted by type and by what they need, in each state', async () => {
  const { caller, clock, store } = createAdminService();
  const admin = await caller('default');
  const engine = engineOn(store);
  await add(engine, 'a', 'a-lost', 'a-held', 'a-waits');
  await claim(engine, 'a-lost', 'one');
  clock.advance(60_000);
  await claim(engine, 'a-held', 'two');
  const needy = { job_type: 'a', required_capabilities: ['ocr', 'gpu', 'ocr'] };
  const [oldest] = await admin.jobIds(2, needy);
  expect(oldest).toBeDefined();
  clock.advance(5_000);
  await add(engine, 'b', 'b-failed', 'b-done', 'b-back');
  const fail = { type: 'finish', way: 'fail', ...NOTHING } as const;
  for (const [id, command] of [
    ['b-failed', fail],
    ['b-done', { ...fail, way: 'complete' }],
    ['b-back', { type: 'release' }],
  ] as const) {
    const handle = await claim(engine, id, 'three');
    const { outcome } = await engine.change('job', id, { ...command, handle }, by);
    expect(outcome.type).toBe(command.type === 'release' ? 'released' : 'finished');
  }
  expect(await queueOf(admin)).toEqual({
    ...{ kind: 'job', now: at(65), counted: 8, is_whole: true },
    ...{ pending: 5, ran_out: 1, claimed: 1, completed: 1, failed: 1, retried: 0 },
    ...{ oldest_pending_id: 'a-lost', oldest_pending_at: at(0), most_retried_id: null },
    ...{ last_claimed_at: at(65), last_claimed_by: 'three', types_left_off: 0 },
    types: [
      {
        ...{ job_type: 'a', required_capabilities: [], unclaimed_capabilities: [] },
        ...{ ...NONE, pending: 2, ran_out: 1, claimed: 1, oldest_pending_at: at(0) },
        ...{ last_claimed_at: at(60), last_claimed_by: 'two' },
      },
      {
        ...{ job_type: 'a', required_capabilities: ['gpu', 'ocr'] },
        ...{ ...NONE, pending: 2, oldest_pending_at: at(60), ...NOBODY },
        unclaimed_capabilities: ['gpu', 'ocr'],
      },
      {
        ...{ job_type: 'b', required_capabilities: [], unclaimed_capabilities: [] },
        ...{ ...NONE, pending: 1, completed: 1, failed: 1, oldest_pending_at: at(65) },
        ...{ last_claimed_at: at(65), last_claimed_by: 'three' },
      },
    ],
  });
});

test('a capability is one that somebody has, if a job was claimed that needs it', async () => {
  const { caller, store } = createAdminService();
  const admin = await caller('default');
  const [job = ''] = await admin.jobIds(1, { job_type: 'a', required_capabilities: ['ocr'] });
  await admin.jobIds(1, { job_type: 'b', required_capabilities: ['ocr', 'gpu'] });
  await claim(engineOn(store), job, 'one');
  const [b] = (await queueOf(admin)).types;
  expect(b).toMatchObject({ job_type: 'b', unclaimed_capabilities: ['gpu'] });
});

test('what three had in vain is retried, whether somebody has it now or not', async () => {
  const { caller, store } = createAdminService();
  const admin = await caller('default');
  const engine = engineOn(store);
  await add(engine, 'a', 'bad', 'done', 'good');
  await add(engine, 'b', 'worse');
  const retry = async (id: string, times: number) => {
    for (let time = 0; time < times; time += 1) {
      const handle = await claim(engine, id, 'one');
      await engine.change('job', id, { type: 'release', handle }, by);
    }
    return claim(engine, id, 'one');
  };
  await retry('good', 2);
  await retry('bad', 3);
  const handle = await retry('done', 5);
  await engine.change('job', 'done', { type: 'finish', way: 'complete', handle, ...NOTHING }, by);
  expect(await queueOf(admin)).toMatchObject({ retried: 1, most_retried_id: 'bad' });
  const back = await retry('worse', 3);
  await engine.change('job', 'worse', { type: 'release', handle: back }, by);
  expect(await queueOf(admin)).toMatchObject({
    ...{ retried: 2, most_retried_id: 'worse' },
    types: [
      { job_type: 'b', retried: 1 },
      { job_type: 'a', retried: 1 },
    ],
  });
});

test('a job is forgotten as it is elsewhere', async () => {
  const { caller, clock, store } = createAdminService();
  const admin = await caller('default');
  const engine = engineOn(store);
  await add(engine, 'a', 'j');
  const handle = await claim(engine, 'j', 'one');
  await engine.change('job', 'j', { type: 'finish', way: 'complete', handle, ...NOTHING }, by);
  expect(await queueOf(admin)).toMatchObject({ counted: 1, completed: 1 });
  clock.advance(7 * 86_400_000);
  expect(await queueOf(admin)).toMatchObject({ counted: 0, completed: 0, types: [] });
});

/** Asks for a queue of ten jobs, of which the two that are oldest are of type b. */
async function counted(counting: Counting) {
  const { store, clock } = createAdminService();
  const engine = engineOn(store);
  await add(engine, 'b', '00', '01');
  clock.advance(1_000);
  await add(engine, 'a', ...[2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `0${digit}`));
  await claim(engine, '00', 'one');
  const route = queueRoute(engine, { kind: 'job', needsOf, anybody: ANYBODY }, counting);
  const { body } = await route.handle({
    ...{ params: {}, query: new URLSearchParams('kind=job'), header: () => undefined, body: '' },
    by,
  });
  return QueueInfo.parse(JSON.parse(body));
}

test.each([1, 3, 5, 10, 11])('a queue is the same in pieces of %i', async (piece) => {
  expect(await counted({ piece, most: 100 })).toMatchObject({
    ...{ counted: 10, is_whole: true, pending: 9, claimed: 1 },
    ...{ oldest_pending_id: '01', oldest_pending_at: at(0) },
    types: [
      { job_type: 'b', pending: 1, claimed: 1 },
      { job_type: 'a', pending: 8 },
    ],
  });
});

test('of a queue that is too long only what waits and is held is known in whole', async () => {
  expect(await counted({ piece: 2, most: 4 })).toMatchObject({
    ...{ counted: 4, is_whole: false, pending: 9, claimed: 1, last_claimed_at: null },
    ...{ oldest_pending_id: '01', oldest_pending_at: at(0) },
    types: [{ job_type: 'a', pending: 4 }],
  });
});

test.each([{}, { kind: 'key' }, { kind: 'runner_job' }])('%j is refused', async (query) => {
  const admin = await createAdminService().caller('default');
  const { status, body } = await admin.ask('GET /admin/v1/queue', query);
  expect({ status, body }).toEqual(refusal(422, 'invalid_request'));
});
