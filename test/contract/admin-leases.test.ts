import { describe, expect, test } from 'vitest';
import { LeaseDetails, LeaseList } from '../../src/services/admin/wire.ts';
import { type Caller, createAdminService, refusal } from './admin-service.ts';

const LEASES = 'GET /admin/v1/leases';
const LEASE = 'GET /admin/v1/lease';
const BREAK = 'POST /admin/v1/lease/break';

async function idsOf(caller: Caller, query: Readonly<Record<string, string>> = {}) {
  const { leases } = await caller.get(LeaseList, '/leases', query);
  return leases.map(({ id }) => id);
}

/** A lease in each state. */
async function inAllStates({ leased, ask, jobIds, claimed }: Caller) {
  const [waiting = '', given = ''] = await jobIds(2);
  await claimed(given);
  await ask(BREAK, { kind: 'job', id: given });
  await leased('held');
  const done = await leased('done');
  await ask('POST /v1/ai/complete', {}, { key: 'done', lease_id: done, result: { a: 1 } });
  const failed = await leased('failed');
  await ask('POST /v1/ai/fail', {}, { key: 'failed', lease_id: failed, error_code: 'broke' });
  return { waiting, given };
}

describe('the list', () => {
  test('has what is in a state, of a kind, or begins in a way', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    await admin.leased('ran/out');
    clock.advance(60_000);
    const { waiting } = await inAllStates(admin);
    expect(await idsOf(admin, { kind: 'key' })).toEqual(['done', 'failed', 'held', 'ran/out']);
    expect(await idsOf(admin, { state: 'held' })).toEqual(['held']);
    expect(await idsOf(admin, { state: 'expired' })).toEqual(['ran/out']);
    expect(await idsOf(admin, { state: 'completed' })).toEqual(['done']);
    expect(await idsOf(admin, { state: 'failed' })).toEqual(['failed']);
    expect(await idsOf(admin, { state: 'waiting', kind: 'job' })).toContain(waiting);
    expect(await idsOf(admin, { kind: 'key', prefix: 'ran/' })).toEqual(['ran/out']);
    expect(await idsOf(admin, { kind: 'runner_job' })).toEqual([]);
  });

  test('is had in pieces, whatever the ids', async () => {
    const admin = await createAdminService().caller('default');
    const keys = ['a b', 'a/b', 'a:b', 'key:x', '%', 'é', '🔒', '𝔷', '￿'];
    for (const key of keys) await admin.leased(key);
    await admin.jobIds(3);
    const whole = await idsOf(admin);
    expect(whole).toHaveLength(12);
    const pieces: string[] = [];
    let after: string | null = '';
    for (let piece = 1; after !== null; piece += 1) {
      const query: Record<string, string> = after === '' ? {} : { after };
      const { leases, next } = await admin.get(LeaseList, '/leases', { limit: '5', ...query });
      pieces.push(...leases.map(({ id }) => id));
      expect(leases.length).toBe(piece < 3 ? 5 : 2);
      after = next;
    }
    expect(pieces).toEqual(whole);
    expect(new Set(pieces).size).toBe(12);
  });

  test('goes on behind what is forgotten', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const lease_id = await admin.leased(key);
      await admin.ask('POST /v1/ai/complete', {}, { key, lease_id });
    }
    clock.advance(7 * 86_400_000);
    await admin.leased('y');
    await admin.leased('z');
    expect(await idsOf(admin)).toEqual(['y', 'z']);
    const { leases, next } = await admin.get(LeaseList, '/leases', { limit: '1' });
    expect({ ids: leases.map(({ id }) => id), next }).toEqual({ ids: ['y'], next: 'key:y' });
    expect(await idsOf(admin, { limit: '1', after: 'key:y' })).toEqual(['z']);
  });

  test('tells what is known of each', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    const { given } = await inAllStates(admin);
    clock.advance(10_000);
    const { leases, now } = await admin.get(LeaseList, '/leases');
    expect(now).toBe('2025-01-15T10:30:10.000Z');
    const of = (id: string) => leases.find((lease) => lease.id === id);
    expect(of('held')).toEqual({
      kind: 'key',
      id: 'held',
      state: 'held',
      holder: expect.stringMatching(/^caller-/),
      fencing_token: 1,
      version: 1,
      first_seen_at: '2025-01-15T10:30:00.000Z',
      acquired_at: '2025-01-15T10:30:00.000Z',
      ttl: 60,
      changed_at: '2025-01-15T10:30:00.000Z',
      expires_at: '2025-01-15T10:31:00.000Z',
      finished_at: null,
      error_code: null,
      cancel_requested: false,
      closed: false,
      origin: null,
    });
    expect(of('failed')).toMatchObject({
      state: 'failed',
      error_code: 'broke',
      expires_at: null,
      finished_at: '2025-01-15T10:30:00.000Z',
    });
    expect(of(given)).toMatchObject({
      kind: 'job',
      state: 'waiting',
      holder: expect.stringMatching(/^caller-/),
      fencing_token: 1,
      expires_at: null,
    });
  });

  test.each([
    { kind: 'keys' },
    { state: 'gone' },
    { limit: '0' },
    { limit: '1001' },
    { limit: '1e3' },
    { after: 'nope' },
    { after: 'key:' },
    { prefix: '' },
    { prefix: 'a\u0000' },
  ])('refuses %j', async (query) => {
    const admin = await createAdminService().caller('default');
    const { status, body } = await admin.ask(LEASES, query as Record<string, string>);
    expect({ status, body }).toMatchObject(refusal(422, 'invalid_request'));
  });
});

describe('one lease', () => {
  test('of a key tells who has it', async () => {
    const admin = await createAdminService().caller('default');
    await admin.leased('a/b c');
    const lease = await admin.get(LeaseDetails, '/lease', { kind: 'key', id: 'a/b c' });
    expect(lease).toMatchObject({
      id: 'a/b c',
      holder: expect.stringMatching(/^caller-/),
      acquired_at: '2025-01-15T10:30:00.000Z',
      ttl: 60,
      work: null,
      result_hash: null,
    });
  });

  test('of a runner job has no credentials in it', async () => {
    const admin = await createAdminService().caller('default');
    const job = { tags: ['t'], data: { x: 1 }, access_token: 'canary-credential' };
    const added = await admin.ask('POST /admin/v1/runner-jobs', {}, { ttl: 60, jobs: [job] });
    const [{ id }] = Object(added.body);
    const { text, body } = await admin.ask(LEASE, { kind: 'runner_job', id });
    expect(body).toMatchObject({
      state: 'waiting',
      holder: null,
      acquired_at: null,
      work: { pool: 'SELF', tags: ['t'], max_tries: 3, data: { data: { x: 1 } } },
    });
    expect(added.text + text).not.toContain('canary-credential');
  });

  test('that is not there is 404', async () => {
    const admin = await createAdminService().caller('default');
    const [id = ''] = await admin.jobIds(1);
    expect(await admin.ask(LEASE, { kind: 'key', id })).toMatchObject(refusal(404, 'not_found'));
    expect(await admin.ask(LEASE, { id })).toMatchObject(refusal(422, 'invalid_request'));
  });
});

test('no answer has a handle in it', async () => {
  const admin = await createAdminService().caller('default');
  const [id = ''] = await admin.jobIds(1);
  const handles = [await admin.leased('k'), await admin.claimed(id)];
  await admin.ask('POST /admin/v1/runner-jobs', {}, { ttl: 60, jobs: [{}] });
  const query = { runner_host: 'SELF', runner_id: 'r' };
  const { ack, id: leased } = Object(
    (await admin.ask('POST /api/v1/runner-jobs/lease', query)).body,
  );
  handles.push(ack);
  const asked = [
    await admin.ask(LEASES),
    await admin.ask(LEASE, { kind: 'key', id: 'k' }),
    await admin.ask(LEASE, { kind: 'job', id }),
    await admin.ask(LEASE, { kind: 'runner_job', id: leased }),
    await admin.ask('GET /admin/v1/history'),
    await admin.ask(BREAK, { kind: 'key', id: 'k' }),
    await admin.ask('POST /admin/v1/runner-jobs/cancel', { id: leased }),
    await admin.ask('GET /admin/v1/history'),
  ];
  expect(asked.map(({ status }) => status)).toEqual(asked.map(() => 200));
  for (const { text } of asked) for (const handle of handles) expect(text).not.toContain(handle);
});

describe('breaking', () => {
  test('ends a lease: its handle is refused, and others get the key', async () => {
    const admin = await createAdminService().caller('default');
    const lease_id = await admin.leased('k');
    const broken = await admin.ask(BREAK, { kind: 'key', id: 'k' }, { reason: 'gone' });
    expect(broken).toMatchObject({ status: 200, body: { state: 'expired', version: 2 } });
    for (const way of ['extend', 'complete', 'cancel']) {
      const refused = await admin.ask(`POST /v1/ai/${way}`, {}, { key: 'k', lease_id });
      expect(refused, way).toMatchObject({ status: 409 });
    }
    expect(await admin.leased('k')).not.toBe(lease_id);
    const late = await admin.ask('POST /v1/ai/complete', {}, { key: 'k', lease_id });
    expect(late.status).toBe(409);
  });

  test('puts a job back for others', async () => {
    const admin = await createAdminService().caller('default');
    const [id = ''] = await admin.jobIds(1);
    const lock_token = await admin.claimed(id);
    expect(await admin.ask(BREAK, { kind: 'job', id })).toMatchObject({
      status: 200,
      body: { state: 'waiting' },
    });
    const lost = await admin.ask(`POST /api/v1/jobs/${id}/heartbeat`, {}, { lock_token });
    expect(lost.status).toBe(423);
    expect(await admin.claimed(id)).not.toBe(lock_token);
  });

  test('what nobody holds is refused, and changes nothing', async () => {
    const { caller, clock } = createAdminService();
    const admin = await caller('default');
    await admin.leased('out');
    clock.advance(60_000);
    const lease_id = await admin.leased('done');
    await admin.ask('POST /v1/ai/complete', {}, { key: 'done', lease_id });
    const [job = ''] = await admin.jobIds(1);
    const before = (await admin.ask(LEASES)).text;
    const tried = async (kind: string, id: string) => admin.ask(BREAK, { kind, id });
    expect(await tried('key', 'out')).toMatchObject(refusal(409, 'not_held'));
    expect(await tried('job', job)).toMatchObject(refusal(409, 'not_held'));
    expect(await tried('key', 'done')).toMatchObject(refusal(409, 'already_finished'));
    expect(await tried('key', 'never')).toMatchObject(refusal(404, 'not_found'));
    const bad = await admin.ask(BREAK, { kind: 'key', id: 'out' }, { reson: 'x' });
    expect(bad).toMatchObject(refusal(422, 'invalid_request'));
    expect((await admin.ask(LEASES)).text).toBe(before);
  });
});
