import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { SCOPES } from '../../src/engine/access.ts';
import type { Kind } from '../../src/engine/lease.ts';
import { PROBLEMS } from '../../src/http/route.ts';
import { workOf as runnerJobOf } from '../../src/services/askui/new-job.ts';
import { workOf as jobOf } from '../../src/services/retaia/new-job.ts';
import { type Asking, ENDPOINTS, openStore, startDescribed } from './openapi-service.ts';

/*
 * Real answers of every endpoint, each of which is held against its description as it comes; and at
 * the end, whether every answer that is described was one of them.
 */

const seen = new Set<string>();

async function start(options?: Parameters<typeof startDescribed>[1], store = openStore()) {
  const described = await startDescribed(store, options);
  const ask = async (operationId: string, asking?: Asking) => {
    const answer = await described.ask(operationId, asking);
    seen.add(`${operationId} ${answer.status}`);
    return answer;
  };
  const add = async (kind: Kind, id: string) => {
    const work =
      kind === 'job'
        ? jobOf({ job_type: 'extract_facts' }, randomUUID)
        : runnerJobOf({}, randomUUID);
    await described.engine.add([{ kind, id, ttl: 60_000, work }], NOBODY);
  };
  return { ...described, ask, add };
}

const fieldOf = (body: unknown, name: string) => String(Object(body)[name]);

describe('keys', () => {
  async function leased() {
    const { ask } = await start();
    const { body } = await ask('leaseKey', { body: { key: 'k', ttl: 60, metadata: { a: 1 } } });
    return { ask, handle: { key: 'k', lease_id: fieldOf(body, 'lease_id') } };
  }

  test.each(['leaseKey', 'runKey'])('%s', async (acquire) => {
    const { ask } = await start({ capacity: 1 });
    const repeated = { 'idempotency-key': 'i' };
    await ask(acquire, { body: { key: 'k' }, headers: repeated });
    await ask(acquire, { body: { key: 'k' } });
    await ask(acquire, { body: { key: 'k', ttl: 9 }, headers: repeated });
    await ask(acquire, { body: { key: 'another' } });
    await ask(acquire, { body: { key: '' } });
    await ask(acquire, { body: 'no JSON' });
    expect(seen).toContain(`${acquire} 402`);
    if (acquire === 'leaseKey') return;
    expect((await ask('runKey', { body: { agent_id: 'a', tool: 't' } })).status).toBe(403);
  });

  test.each(['keyStatus', 'keyResult'])('%s', async (look) => {
    const { ask, handle } = await leased();
    await ask(look, { query: { key: 'k' } });
    await ask('completeKey', { body: { ...handle, result: { a: [1] } } });
    await ask(look, { query: { key: 'k' } });
    await ask('leaseKey', { body: { key: 'k' } });
    await ask(look, { query: { key: 'unheard of' } });
    await ask(look);
  });

  test.each([
    ['extendKey', { ttl: 30 }],
    ['completeKey', { result_hash: 'abc' }],
    ['cancelKey', { reason: 'bored' }],
    ['failKey', { error_code: 'E1', error_hash: 'abc' }],
  ])('%s', async (end, more) => {
    const { ask, handle } = await leased();
    await ask(end, { body: { ...handle, lease_id: 'guessed', ...more } });
    await ask(end, { body: { ...handle, key: 'unheard of', ...more } });
    await ask(end, { body: { key: 'k' } });
    expect((await ask(end, { body: { ...handle, ...more } })).status).toBe(200);
  });
});

describe('jobs', () => {
  async function claimed() {
    const { ask, add, engine } = await start();
    await add('job', 'j');
    const params = { job_id: 'j' };
    const { body } = await ask('claimJob', { params });
    const lock = {
      lock_token: fieldOf(body, 'lock_token'),
      fencing_token: Number(fieldOf(body, 'fencing_token')),
    };
    return { ask, add, engine, params, lock };
  }
  const submission = { job_type: 'extract_facts', result: { facts_patch: { codec: 'h264' } } };
  const failure = { error_code: 'E1', message: 'No frames.', retryable: false };

  test('listJobs and claimJob', async () => {
    const { ask, add, params } = await claimed();
    await ask('listJobs', { query: { limit: '5' } });
    await add('job', 'waits');
    expect((await ask('listJobs')).body).toHaveLength(1);
    await ask('listJobs', { query: { limit: 'all' } });
    await ask('claimJob', { params });
    await ask('claimJob', { params: { job_id: 'unheard of' } });
  });

  test.each([
    ['heartbeatJob', {}],
    ['submitJob', submission],
    ['failJob', failure],
    ['failJob', { ...failure, retryable: true }],
  ])('%s', async (call, more) => {
    const { ask, engine, params, lock } = await claimed();
    let keys = 0;
    const send = (body: object | string, headers = { 'idempotency-key': `i${++keys}` }) =>
      ask(call, { params, body, headers });
    await send({ ...more });
    await send({ ...lock, lock_token: 'guessed', ...more });
    await send('no JSON');
    await ask(call, { params, body: { ...lock, fencing_token: 0, ...more }, headers: {} });
    expect((await send({ ...lock, fencing_token: 0, ...more })).status).toBe(422);
    const right = { 'idempotency-key': 'right' };
    expect((await send({ ...lock, ...more }, right)).status).toBe(200);
    await send({ ...lock, ...more }, right);
    await engine.change('job', 'j', { type: 'break' }, NOBODY);
    await send({ ...lock, ...more });
  });

  test('grantToken', async () => {
    const { ask, access } = await start();
    const client = await access.addClient('agent', ['jobs:claim']);
    const form = (more: Record<string, string>) =>
      ask('grantToken', { body: new URLSearchParams(more) });
    const credentials = { client_id: client?.id ?? '', client_secret: client?.secret ?? '' };
    const granted = await form({ grant_type: 'client_credentials', ...credentials });
    expect(granted.status).toBe(200);
    await form({ grant_type: 'password' });
    expect((await form({ grant_type: 'client_credentials' })).status).toBe(401);
  });
});

test('runner jobs', async () => {
  const { ask, add } = await start();
  const query = { runner_host: 'SELF', runner_id: 'r' };
  expect((await ask('leaseRunnerJob', { query })).body).toBeNull();
  await add('runner_job', 'one');
  const headers = { 'idempotency-key': 'i' };
  const { body } = await ask('leaseRunnerJob', { query, headers });
  await ask('leaseRunnerJob', { query: { ...query, runner_id: 'other' }, headers });
  await ask('leaseRunnerJob');
  const ack = { ack: fieldOf(body, 'ack') };
  await ask('pingRunnerJob', { query: ack });
  await ask('pingRunnerJob', { query: { ack: 'guessed' } });
  await ask('completeRunnerJob', { query: ack, body: { status: 'LOST' } });
  await ask('completeRunnerJob', { query: ack, body: { status: 'PASSED' } });
});

describe('the administration', () => {
  test('of work', async () => {
    const { ask } = await start({ capacity: 3 });
    const added = [
      ['addJobs', { job_type: 'extract_facts', source: { storage_id: 'nas' } }],
      ['addRunnerJobs', { tags: ['gpu'], max_tries: 1 }],
    ] as const;
    for (const [operationId, job] of added) {
      expect((await ask(operationId, { body: { ttl: 60, jobs: [job] } })).status).toBe(201);
      await ask(operationId, { body: { ttl: 60, count: 9, jobs: [job] } });
      await ask(operationId, { body: { ttl: 60 } });
    }
    const { body } = await ask('listLeases', { query: { kind: 'runner_job' } });
    const id = String(Object(body).leases[0].id);
    expect((await ask('cancelRunnerJob', { query: { id } })).status).toBe(200);
    await ask('leaseKey', { body: { key: 'k' } });
    await ask('cancelRunnerJob', { query: { id: 'unheard of' } });
    await ask('cancelRunnerJob');
    // Given up: canceled before, or out of tries.
    const { ask: other, add, engine } = await start();
    await add('runner_job', 'tried');
    for (let tries = 0; tries < 3; tries += 1) {
      await other('leaseRunnerJob', { query: { runner_host: 'SELF', runner_id: 'r' } });
      await engine.change('runner_job', 'tried', { type: 'break' }, NOBODY);
    }
    expect((await other('cancelRunnerJob', { query: { id: 'tried' } })).status).toBe(409);
  });

  test('of leases', async () => {
    const { ask, add } = await start();
    await add('job', 'j');
    await ask('claimJob', { params: { job_id: 'j' } });
    await ask('leaseKey', { body: { key: 'k', metadata: { a: 1 } } });
    for (const id of ['j', 'k']) {
      const query = { kind: id === 'j' ? 'job' : 'key', id };
      expect((await ask('showLease', { query })).status).toBe(200);
      const body = { reason: 'stuck' };
      await ask('breakLease', { query, ...(id === 'j' ? { body } : {}) });
      await ask('breakLease', { query });
      await ask('showLease', { query });
    }
    expect((await ask('showQueue', { query: { kind: 'job' } })).status).toBe(200);
    await ask('showQueue');
    await ask('listLeases', { query: { limit: '1' } });
    await ask('listHistory', { query: { limit: '1' } });
    expect((await ask('followEvents', { query: { id: 'k' } })).status).toBe(200);
    expect((await ask('followEvents', { query: { kind: 'all' } })).status).toBe(422);
    const headers = { 'last-event-id': 'nowhere' };
    expect((await ask('followEvents', { headers })).status).toBe(422);
    for (const operationId of ['listLeases', 'listHistory']) {
      expect((await ask(operationId)).status).toBe(200);
      await ask(operationId, { query: { limit: 'all' } });
    }
    for (const operationId of ['showLease', 'breakLease']) {
      await ask(operationId, { query: { kind: 'key', id: 'unheard of' } });
      await ask(operationId);
    }
  });

  test('of tokens and clients', async () => {
    const { ask, token } = await start();
    const all = { token: await token('all', SCOPES) };
    const body = { name: 'ci', scope: 'keys:read keys:write' };
    for (const [add, list, end] of [
      ['addToken', 'listTokens', 'revokeToken'],
      ['addClient', 'listClients', 'removeClient'],
    ] as const) {
      expect((await ask(add, { ...all, body })).status).toBe(201);
      await ask(add, { ...all, body });
      await ask(add, { ...all, body: {} });
      await ask(list, all);
      expect((await ask(end, { ...all, query: { name: 'ci' } })).status).toBe(200);
      await ask(end, { ...all, query: { name: 'unheard' } });
      await ask(end, all);
      await ask(list, all);
    }
  });
});

test('the service itself', async () => {
  const { ask, service } = await start();
  for (const operationId of ['health', 'readiness', 'metrics', 'openapi']) await ask(operationId);
  service.beginStop();
  expect((await ask('readiness')).status).toBe(503);
});

/** What any endpoint may answer instead: see openapi-refusals.test.ts. */
const COMMON = new Set<number>(Object.values(PROBLEMS).map(({ status }) => status));

afterAll(() => {
  const described = ENDPOINTS.flatMap(({ operation }) =>
    Object.keys(operation.responses)
      .filter((status) => !COMMON.has(Number(status)))
      .map((status) => `${operation.operationId} ${status}`),
  );
  expect(described.filter((answer) => !seen.has(answer))).toEqual([]);
});
