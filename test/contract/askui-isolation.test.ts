import { describe, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { LEASE, type Reply, startEmbeddedJobs } from '../support/embedded-jobs.ts';
import { askUiOf, NONE, OUTDATED } from './askui-service.ts';
import { departures } from './onceonly-schema.ts';
import { CALLS, refusal, retaiaOf, show } from './retaia-service.ts';

/*
 * The services share one engine and one database. None of them ever meets what is another's.
 */

async function start() {
  const server = await startEmbeddedJobs();
  const onceOnly = (call: string, body: object, headers = {}): Promise<Reply> => {
    const path = `/v1/ai/${call}`;
    return server.send({ path, body, headers }, path, departures);
  };
  const keyStatus = (key: string): Promise<Reply> => {
    const path = '/v1/ai/status';
    return server.send({ method: 'GET', path, query: { key } }, path, departures);
  };
  return { server, retaia: retaiaOf(server), askUi: askUiOf(server), onceOnly, keyStatus };
}

describe('jobs of Retaia', () => {
  test('are never leased by AskUI, nor runner jobs listed or claimed by Retaia', async () => {
    const { server, retaia, askUi } = await start();
    const job = await server.addJob();
    expect(await askUi.lease()).toEqual(NONE);
    expect(await askUi.lease({ runner_host: 'ASKUI' })).toEqual(NONE);

    const runnerJob = await server.addRunnerJob();
    expect(await retaia.listed()).toEqual([job]);
    expect(await retaia.claim(runnerJob)).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect((await askUi.leased()).id).toBe(runnerJob);
    expect(await askUi.lease()).toEqual(NONE);
  });

  test('are others than runner jobs with the same id', async () => {
    const { server, retaia, askUi } = await start();
    await server.addJobs([{}], ['same']);
    await server.addRunnerJobs([{}], ['same']);
    const { ack, ...leased } = await askUi.leased();
    expect(leased.id).toBe('same');
    const lock = await retaia.lock('same');
    expect(lock.lock_token).not.toBe(ack);
    expect((await askUi.complete(ack, 'PASSED')).status).toBe(204);
    expect((await retaia.heartbeat('same', lock)).status).toBe(200);
  });

  test('are still there after a runner job with their id was canceled', async () => {
    const { server, retaia } = await start();
    await server.addJobs([{}], ['same']);
    await server.addRunnerJobs([{}], ['same']);
    await server.engine.change('runner_job', 'same', { type: 'request_cancel' }, NOBODY);
    expect(await retaia.listed()).toEqual(['same']);
  });
});

describe('a handle', () => {
  test('of Retaia is no ack, even of the job with the same id', async () => {
    const { server, retaia, askUi } = await start();
    await server.addJobs([{}], ['same']);
    await server.addRunnerJobs([{}], ['same']);
    await askUi.leased();
    const { lock_token } = await retaia.lock('same');
    expect(await askUi.ping(lock_token)).toEqual(OUTDATED);
    expect(await askUi.complete(lock_token, 'PASSED')).toEqual(OUTDATED);
  });

  test.each(CALLS)('of AskUI, or of OnceOnly, is no lock_token: %s', async (call) => {
    const { server, retaia, askUi, onceOnly } = await start();
    await server.addJobs([{}], ['same']);
    await server.addRunnerJobs([{}], ['same']);
    const { ack } = await askUi.leased();
    const { lease_id } = (await onceOnly('lease', { key: 'same' })).body as Record<string, unknown>;
    const lock = await retaia.lock('same');
    for (const lock_token of [ack, lease_id]) {
      const reply = await show(retaia, call, 'same', { lock_token });
      expect(reply).toEqual(refusal(409, 'STALE_LOCK_TOKEN'));
    }
    expect((await show(retaia, call, 'same', lock)).status).toBe(200);
  });

  test('of OnceOnly is no ack', async () => {
    const { askUi, onceOnly } = await start();
    const { lease_id } = (await onceOnly('lease', { key: 'k' })).body as Record<string, unknown>;
    expect(await askUi.ping(String(lease_id))).toEqual(OUTDATED);
    expect(await askUi.complete(String(lease_id), 'PASSED')).toEqual(OUTDATED);
  });
});

describe('keys of OnceOnly', () => {
  test('are others than jobs with the same name', async () => {
    const { server, retaia, askUi, onceOnly, keyStatus } = await start();
    await server.addJobs([{}], ['same']);
    await server.addRunnerJobs([{}], ['same']);
    await askUi.leased();
    const lock = await retaia.lock('same');
    expect((await keyStatus('same')).status).toBe(404);
    const { body } = await onceOnly('lease', { key: 'same' });
    expect(body).toMatchObject({ status: 'acquired', version: 1, usage: 1 });
    const { lock_token } = lock;
    const reply = await onceOnly('complete', { key: 'same', lease_id: lock_token });
    expect(reply).toMatchObject({ status: 409, body: { detail: { error: 'lease_mismatch' } } });
  });

  test('are neither listed, nor claimed, nor leased, also when they ran out', async () => {
    const { server, retaia, askUi, onceOnly } = await start();
    await onceOnly('lease', { key: 'k', ttl: 60 });
    server.clock.advance(LEASE);
    expect(await retaia.listed()).toEqual([]);
    expect(await retaia.claim('k')).toEqual(refusal(409, 'STATE_CONFLICT'));
    expect(await askUi.lease()).toEqual(NONE);
  });

  test('alone count for the monthly limit', async () => {
    const { server, retaia, askUi, onceOnly } = await start();
    await server.addRunnerJob();
    await askUi.leased();
    await retaia.lock(await server.addJob());
    expect((await onceOnly('lease', { key: 'k' })).body).toMatchObject({ usage: 1 });
  });
});

test('one Idempotency-Key means three things to three services', async () => {
  const { server, retaia, askUi, onceOnly } = await start();
  const id = await server.addJob();
  const runnerJob = await server.addRunnerJob();
  const headers = { 'idempotency-key': 'key-1' };
  const claimed = await retaia.claim(id, 'key-1');
  const leased = await askUi.leased({}, 'key-1');
  const acquired = await onceOnly('lease', { key: 'k' }, headers);
  expect(claimed.body['job_id']).toBe(id);
  expect(leased.id).toBe(runnerJob);
  expect(acquired.body).toMatchObject({ status: 'acquired', key: 'k' });
  expect(await retaia.claim(id, 'key-1')).toEqual(claimed);
  expect(await askUi.lease({}, 'key-1')).toEqual({ status: 200, body: leased });
  expect(await onceOnly('lease', { key: 'k' }, headers)).toEqual(acquired);
});
