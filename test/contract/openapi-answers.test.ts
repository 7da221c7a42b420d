import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { SCOPES, type Scope } from '../../src/engine/access.ts';
import type { Kind } from '../../src/engine/lease.ts';
import type { Store } from '../../src/engine/store.ts';
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
    await described.engine.add([{ kind, id, ttl: 60_000, work }]);
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
    if (acquire === 'runKey') await ask('runKey', { body: { agent_id: 'a', tool: 't' } });
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
    await engine.change('job', 'j', { type: 'break' });
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
    await form({ grant_type: 'client_credentials' });
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

test('the service itself', async () => {
  const { ask, service } = await start();
  for (const operationId of ['health', 'readiness', 'metrics', 'openapi']) await ask(operationId);
  service.beginStop();
  expect((await ask('readiness')).status).toBe(503);
});

describe('what keeps requests from their endpoints', () => {
  const scoped = ENDPOINTS.filter(({ operation }) => operation.security.length > 0);
  const scopeOf = ({ operation }: (typeof ENDPOINTS)[number]) =>
    operation.security.flatMap((way) => Object.values(way).flat())[0];

  test('is no token, or one for something else', async () => {
    const { ask, token } = await start();
    const all = await token('all', SCOPES);
    const others = new Map<Scope, string>();
    for (const scope of SCOPES) {
      const rest = SCOPES.filter((other) => other !== scope);
      others.set(scope, await token(`without ${scope}`, rest));
    }
    for (const endpoint of scoped) {
      const { operationId } = endpoint.operation;
      expect((await ask(operationId)).status).toBe(401);
      expect((await ask(operationId, { token: 'guessed' })).status).toBe(401);
      const other = others.get(SCOPES.find((scope) => scope === scopeOf(endpoint)) ?? 'admin');
      expect((await ask(operationId, { token: other })).status).toBe(403);
      expect((await ask(operationId, { token: all })).status).not.toBe(403);
    }
  });

  test('is a body that is too large', async () => {
    const { ask } = await start();
    for (const { method, operation } of ENDPOINTS) {
      if (method !== 'post') continue;
      const { status } = await ask(operation.operationId, { body: 'x'.repeat(1024 * 1024 + 1) });
      expect(status).toBe(413);
    }
  });

  test('is a database that is away', async () => {
    const fail = () => Promise.reject(new Failure('unavailable', 'The database is away.'));
    const away: Store = {
      within: () => away,
      read: fail,
      write: fail,
      sweep: fail,
      check: fail,
      close: async () => undefined,
    };
    const { ask } = await start({}, away);
    for (const { operation } of scoped) {
      expect((await ask(operation.operationId)).status).toBe(503);
    }
    const form = { grant_type: 'client_credentials', client_id: 'c', client_secret: 's' };
    expect((await ask('grantToken', { body: new URLSearchParams(form) })).status).toBe(503);
    expect((await ask('readiness')).status).toBe(503);
    expect((await ask('health')).status).toBe(200);
  });

  test('is that there were too many before', async () => {
    const { ask, token } = await start({ rate: 1 });
    for (const { operation } of scoped) {
      const own = await token(operation.operationId, SCOPES);
      await ask(operation.operationId, { token: own });
      expect((await ask(operation.operationId, { token: own })).status).toBe(429);
    }
  });
});

const { internal, unavailable, rate_limited, too_large } = PROBLEMS;

/** Whether an answer that is described can be brought about. */
function isSeenToBe({ method, operation }: (typeof ENDPOINTS)[number], status: number): boolean {
  const isScoped = operation.security.length > 0;
  // Only a bug makes it.
  if (status === internal.status) return false;
  // Nobody sends a body to be looked at.
  if (status === too_large.status) return method !== 'get';
  return isScoped || (status !== rate_limited.status && status !== unavailable.status);
}

afterAll(() => {
  const described = ENDPOINTS.flatMap((endpoint) =>
    Object.keys(endpoint.operation.responses)
      .filter((status) => isSeenToBe(endpoint, Number(status)))
      .map((status) => `${endpoint.operation.operationId} ${status}`),
  );
  expect(described.filter((answer) => !seen.has(answer))).toEqual([]);
});
