import { describe, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { LEASE } from '../support/embedded-jobs.ts';
import { type LeaseQuery, NONE, startAskUi } from './askui-service.ts';

const WORKSPACE = '0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11';
const REQUEST = {
  runner_host: 'SELF',
  runner_id: 'r1',
  workspace_id: WORKSPACE,
  tags: ['a', 'b'],
};

async function start(count: number) {
  const service = await startAskUi();
  const job = { workspace_id: WORKSPACE, tags: ['a'] };
  const ids = await service.addRunnerJobs(Array.from({ length: count }, () => job));
  return { ...service, ids };
}

describe('a lease with an Idempotency-Key', () => {
  test('is answered again as the first time, also after pings, while it is live', async () => {
    const { lease, leased, ping, clock } = await start(2);
    const first = await leased(REQUEST, 'key-1');
    const answer = { status: 200, body: first };
    expect(await lease(REQUEST, 'key-1')).toEqual(answer);
    clock.advance(LEASE - 1);
    await ping(first.ack);
    clock.advance(LEASE - 1);
    expect(await lease(REQUEST, 'key-1')).toEqual(answer);
    expect((await ping(first.ack)).status).toBe(200);
  });

  test('is answered again as the first time where the job is to be canceled', async () => {
    const { engine, lease, leased } = await start(2);
    const first = await leased(REQUEST, 'key-1');
    await engine.change('runner_job', first.id, { type: 'request_cancel' }, NOBODY);
    expect(await lease(REQUEST, 'key-1')).toEqual({ status: 200, body: first });
  });

  test('leases one job, however many come at once', async () => {
    const { lease, leased, ids } = await start(2);
    const replies = await Promise.all(Array.from({ length: 8 }, () => lease(REQUEST, 'key-1')));
    for (const reply of replies) expect(reply).toEqual(replies[0]);
    expect((await leased(REQUEST)).id).toBe(ids[1]);
  });

  test.each<[string, LeaseQuery]>([
    ['host', { runner_host: 'ASKUI' }],
    ['runner', { runner_id: 'r2' }],
    ['workspace', { workspace_id: '7c0e55b2-2a63-4d0d-9d55-54f1a1b0c2d3' }],
    ['workspace, left out', { workspace_id: undefined }],
    ['list of tags', { tags: ['a'] }],
    ['list of tags, left out', { tags: undefined }],
  ])('is refused with another %s while it is live', async (_, other) => {
    const { lease, leased, complete } = await start(2);
    const first = await leased(REQUEST, 'key-1');
    expect((await lease({ ...REQUEST, ...other }, 'key-1')).status).toBe(409);
    expect(await lease(REQUEST, 'key-1')).toEqual({ status: 200, body: first });
    await complete(first.ack, 'PASSED');
    expect((await lease({ ...REQUEST, ...other }, 'key-1')).status).toBe(200);
  });

  test.each<[string, LeaseQuery]>([
    ['tags in another order', { tags: ['b', 'a'] }],
    ['a workspace in capitals', { workspace_id: WORKSPACE.toUpperCase() }],
  ])('is the same with %s', async (_, same) => {
    const { lease, leased } = await start(2);
    const first = await leased(REQUEST, 'key-1');
    expect(await lease({ ...REQUEST, ...same }, 'key-1')).toEqual({ status: 200, body: first });
  });

  test('is of another job with another key, or none', async () => {
    const { leased, ids } = await start(3);
    const found = [
      await leased(REQUEST, 'key-1'),
      await leased(REQUEST, 'key-2'),
      await leased(REQUEST),
    ];
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  test('that is empty is one without', async () => {
    const { leased, ids } = await start(2);
    const found = [await leased(REQUEST, ''), await leased(REQUEST, '')];
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  test('is of a new job when the first one is completed', async () => {
    const { leased, complete, ids } = await start(2);
    await complete((await leased(REQUEST, 'key-1')).ack, 'PASSED');
    const next = await leased(REQUEST, 'key-1');
    expect(next).toMatchObject({ id: ids[1], tries: 1 });
  });

  test('is a new lease when the first one ran out', async () => {
    const { leased, clock, ids } = await start(1);
    const first = await leased(REQUEST, 'key-1');
    clock.advance(LEASE);
    const next = await leased(REQUEST, 'key-1');
    expect(next).toMatchObject({ id: ids[0], tries: 2 });
    expect(next.ack).not.toBe(first.ack);
  });

  test('does not use up the key when there is no job', async () => {
    const { lease, leased, addRunnerJob } = await start(0);
    expect(await lease(REQUEST, 'key-1')).toEqual(NONE);
    const id = await addRunnerJob();
    expect(await lease(REQUEST, 'key-1')).toEqual(NONE);
    expect((await leased({ runner_id: 'r2' }, 'key-1')).id).toBe(id);
  });
});
