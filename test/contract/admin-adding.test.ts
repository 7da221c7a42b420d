import { describe, expect, test } from 'vitest';
import { LeaseList } from '../../src/services/admin/wire.ts';
import { type Caller, createAdminService, refusal } from './admin-service.ts';

const JOBS = 'POST /admin/v1/jobs';
const RUNNER_JOBS = 'POST /admin/v1/runner-jobs';
const CANCEL = 'POST /admin/v1/runner-jobs/cancel';

const stored = async (admin: Caller) => (await admin.get(LeaseList, '/leases')).leases.length;

describe('jobs', () => {
  test('are added as they are described, each so often, in their order', async () => {
    const admin = await createAdminService().caller('default');
    const jobs = [
      { job_type: 'a', asset_uuid: 'x', required_capabilities: ['ocr'] },
      { job_type: 'b', source: { storage_id: 's' } },
    ];
    const added = await admin.ask(JOBS, {}, { ttl: 60, count: 2, jobs });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject([
      { job_type: 'a', asset_uuid: 'x', status: 'pending', required_capabilities: ['ocr'] },
      { job_type: 'a', asset_uuid: 'x' },
      { job_type: 'b', asset_uuid: expect.stringMatching(/^[0-9a-f-]{36}$/), source: {} },
      { job_type: 'b' },
    ]);
    expect((await admin.ask('GET /api/v1/jobs')).body).toEqual(added.body);
  });

  test.each([
    {},
    { ttl: 60 },
    { ttl: 60, jobs: [] },
    { jobs: [{ job_type: 't' }] },
    { ttl: 0, jobs: [{ job_type: 't' }] },
    { ttl: 2_592_001, jobs: [{ job_type: 't' }] },
    { ttl: 1.5, jobs: [{ job_type: 't' }] },
    { ttl: 60, jobs: [{ job_type: 't' }, { job_type: '' }] },
    { ttl: 60, jobs: [{ job_type: 't' }, { job_typ: 't' }] },
    { ttl: 60, jobs: [{ job_type: 't', job_id: 'mine' }] },
    { ttl: 60, count: 0, jobs: [{ job_type: 't' }] },
    { ttl: 60, count: 100_001, jobs: [{ job_type: 't' }] },
    { ttl: 60, jobs: [{ job_type: 't' }], more: 1 },
    '{"ttl": 60, "jobs": [{"job_type": "t"}]',
  ])('are all refused when one is wrong: %j', async (body) => {
    const admin = await createAdminService().caller('default');
    expect(await admin.ask(JOBS, {}, body)).toMatchObject(refusal(422, 'invalid_request'));
    expect(await stored(admin)).toBe(0);
  });

  test('are so many at once that others need not wait for long', async () => {
    const admin = await createAdminService().caller('default');
    const jobs = [{ job_type: 't' }, { job_type: 't' }];
    const refused = await admin.ask(JOBS, {}, { ttl: 60, count: 2_501, jobs });
    expect(refused).toMatchObject(refusal(422, 'too_many'));
    expect(await stored(admin)).toBe(0);
    expect((await admin.ask(JOBS, {}, { ttl: 60, count: 2_500, jobs })).status).toBe(201);
  });

  test('are no more than a namespace may store', async () => {
    const service = createAdminService(3);
    const [admin, other] = [await service.caller('a'), await service.caller('b')];
    await admin.jobIds(2);
    const body = { ttl: 60, count: 2, jobs: [{ job_type: 't' }] };
    expect(await admin.ask(JOBS, {}, body)).toMatchObject(refusal(402, 'storage_full'));
    expect(await stored(admin)).toBe(2);
    expect((await other.ask(JOBS, {}, body)).status).toBe(201);
  });
});

describe('runner jobs', () => {
  test('are added without telling what they carry', async () => {
    const admin = await createAdminService().caller('default');
    const job = { tags: ['t'], access_token: 'canary-credential', data: { a: 'canary-data' } };
    const added = await admin.ask(RUNNER_JOBS, {}, { ttl: 60, jobs: [job] });
    expect(added).toMatchObject({ status: 201, body: [{ status: 'PENDING', tags: ['t'] }] });
    expect(added.text).not.toContain('canary');
    const query = { runner_host: 'SELF', runner_id: 'r', tags: 't' };
    const leased = await admin.ask('POST /api/v1/runner-jobs/lease', query);
    expect(leased.text).toContain('canary-credential');
  });

  test('are canceled at once, or by who has them', async () => {
    const admin = await createAdminService().caller('default');
    const body = { ttl: 60, count: 2, jobs: [{ max_tries: 1 }] };
    const added = await admin.ask(RUNNER_JOBS, {}, body);
    const [first, second] = Object(added.body);
    const query = { runner_host: 'SELF', runner_id: 'r' };
    const { id, ack } = Object((await admin.ask('POST /api/v1/runner-jobs/lease', query)).body);
    expect(id).toBe(first.id);
    const cancel = (job: string) => admin.ask(CANCEL, { id: job });
    expect((await cancel(id)).body).toEqual({ id, status: 'RUNNING', cancel_job: true });
    const ping = await admin.ask('POST /api/v1/runner-jobs/ping', { ack });
    expect(ping.body).toMatchObject({ cancel_job: true });
    expect((await cancel(second.id)).body).toMatchObject({ status: 'CANCELED' });
    expect(await cancel(second.id)).toMatchObject(refusal(409, 'already_finished'));
    expect(await cancel('nope')).toMatchObject(refusal(404, 'not_found'));
    expect(await admin.ask(CANCEL)).toMatchObject(refusal(422, 'invalid_request'));
  });

  test('whose tries are used up were given up', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    const added = await admin.ask(RUNNER_JOBS, {}, { ttl: 60, jobs: [{ max_tries: 1 }] });
    const [{ id }] = Object(added.body);
    await admin.ask('POST /api/v1/runner-jobs/lease', { runner_host: 'SELF', runner_id: 'r' });
    clock.advance(60_000);
    expect(await admin.ask(CANCEL, { id })).toMatchObject(refusal(409, 'given_up'));
    const lease = await admin.ask('GET /admin/v1/lease', { kind: 'runner_job', id });
    expect(lease.body).toMatchObject({ state: 'expired', closed: true, holder: 'r' });
  });
});
