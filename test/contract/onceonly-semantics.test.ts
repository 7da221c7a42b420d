import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { refusal, startService } from './onceonly-service.ts';

const DAY = 24 * 3_600_000;

describe('a key that was never seen', () => {
  test('is acquired for 300 s unless said otherwise', async () => {
    const { post, get } = await startService();
    const { body } = await post('/v1/ai/lease', { key: 'k' });
    expect(body).toMatchObject({ status: 'acquired', ttl: 300, ttl_left: null, charged: 1 });
    expect((await get('/v1/ai/status', { key: 'k' })).body['ttl_left']).toBe(300);
  });

  test('is unknown to every other call', async () => {
    const { post, get } = await startService();
    const handle = { key: 'k', lease_id: 'lease_x' };
    expect(await get('/v1/ai/status', { key: 'k' })).toEqual(refusal(404, 'not_found'));
    expect(await get('/v1/ai/result', { key: 'k' })).toEqual(refusal(404, 'not_found'));
    for (const call of ['extend', 'complete', 'cancel', 'fail']) {
      const reply = await post(`/v1/ai/${call}`, { ...handle, error_code: 'e' });
      expect(reply).toEqual(refusal(404, 'not_found'));
    }
  });
});

describe('a held key', () => {
  test('asks others to come back soon, and in time', async () => {
    const { post, acquire, clock } = await startService();
    await acquire('k', 60);
    clock.advance(57_400);
    const { body } = await post('/v1/ai/lease', { key: 'k' });
    expect(body).toMatchObject({ status: 'polling', ttl: 60, ttl_left: 2, retry_after_sec: 3 });
  });

  test('has no result yet', async () => {
    const { get, acquire } = await startService();
    await acquire('k');
    const { body } = await get('/v1/ai/result', { key: 'k' });
    expect(body).toMatchObject({ status: 'in_progress', result: null, done_at: null });
  });

  test('is extended to the time given, counted from now, else to the first one', async () => {
    const { post, get, acquire, clock } = await startService();
    const lease_id = await acquire('k', 60);
    clock.advance(30_000);
    await post('/v1/ai/extend', { key: 'k', lease_id, ttl: 100 });
    expect((await get('/v1/ai/status', { key: 'k' })).body['ttl_left']).toBe(100);
    const { body } = await post('/v1/ai/extend', { key: 'k', lease_id });
    expect(body).toMatchObject({ ttl: 60, version: 3 });
    expect((await get('/v1/ai/status', { key: 'k' })).body['ttl_left']).toBe(60);
  });

  test.each(['extend', 'complete', 'cancel', 'fail'])(
    'refuses another handle: %s',
    async (call) => {
      const { post, get, acquire } = await startService();
      await acquire('k');
      const before = await get('/v1/ai/status', { key: 'k' });
      const reply = await post(`/v1/ai/${call}`, { key: 'k', lease_id: 'x', error_code: 'e' });
      expect(reply).toEqual(refusal(409, 'lease_mismatch'));
      expect(await get('/v1/ai/status', { key: 'k' })).toEqual(before);
    },
  );
});

describe('a lease that ran out', () => {
  test('reads as failed, with the error expired', async () => {
    const { get, acquire, clock } = await startService();
    await acquire('k', 60);
    clock.advance(60_000);
    const expired = { status: 'failed', error_code: 'expired', done_at: '2025-01-15T10:31:00Z' };
    expect((await get('/v1/ai/status', { key: 'k' })).body).toMatchObject(expired);
    expect((await get('/v1/ai/result', { key: 'k' })).body).toMatchObject(expired);
  });

  test.each(['extend', 'complete', 'cancel', 'fail'])(
    'is over for its holder: %s',
    async (call) => {
      const { post, acquire, clock } = await startService();
      const lease_id = await acquire('k', 60);
      clock.advance(60_000);
      const reply = await post(`/v1/ai/${call}`, { key: 'k', lease_id, error_code: 'e' });
      expect(reply).toEqual(refusal(409, 'lease_expired'));
    },
  );

  test('is acquired anew, with a new handle, the next version, and since when it is known', async () => {
    const { post, acquire, clock } = await startService();
    const first = await acquire('k', 60);
    clock.advance(60_000);
    const { body } = await post('/v1/ai/lease', { key: 'k' });
    expect(body).toMatchObject({
      status: 'acquired',
      version: 2,
      first_seen_at: '2025-01-15T10:30:00Z',
      charged: 1,
    });
    expect(body['lease_id']).not.toBe(first);
    const late = await post('/v1/ai/complete', { key: 'k', lease_id: first });
    expect(late).toEqual(refusal(409, 'lease_mismatch'));
  });
});

const FINISHES = [
  ['complete', { result: { a: 1 } }, { status: 'completed', error_code: null }],
  ['fail', { error_code: 'boom' }, { status: 'failed', error_code: 'boom' }],
  ['cancel', { reason: 'late' }, { status: 'failed', error_code: 'canceled:late' }],
  ['cancel', {}, { status: 'failed', error_code: 'canceled' }],
] as const;

describe.each(FINISHES)('after %s %j', (call, more, state) => {
  async function finished() {
    const service = await startService();
    const lease_id = await service.acquire('k', 60);
    const request = { key: 'k', lease_id, ...more };
    const answer = await service.post(`/v1/ai/${call}`, request);
    expect(answer).toMatchObject({ status: 200, body: { status: state.status, version: 2 } });
    return { ...service, lease_id, request, answer };
  }

  test('the key reads so, and is never acquired again', async () => {
    const { get, post, clock } = await finished();
    const known = { ...state, done_at: '2025-01-15T10:30:00Z' };
    expect((await get('/v1/ai/status', { key: 'k' })).body).toMatchObject(known);
    expect((await get('/v1/ai/result', { key: 'k' })).body).toMatchObject(known);
    clock.advance(7 * DAY - 1);
    const { body } = await post('/v1/ai/lease', { key: 'k' });
    expect(body).toMatchObject({ ...known, charged: 0 });
  });

  test('the same again answers the same and changes nothing, however late', async () => {
    const { get, post, clock, request, answer } = await finished();
    const before = await get('/v1/ai/result', { key: 'k' });
    clock.advance(3 * DAY);
    expect(await post(`/v1/ai/${call}`, request)).toEqual(answer);
    expect(await get('/v1/ai/result', { key: 'k' })).toEqual(before);
  });

  test('another finish, an extension, and another handle are refused', async () => {
    const { post, request } = await finished();
    for (const other of ['complete', 'fail', 'cancel', 'extend'].filter((name) => name !== call)) {
      const reply = await post(`/v1/ai/${other}`, { error_code: 'e', ...request });
      expect(reply).toEqual(refusal(409, 'already_finished'));
    }
    const stranger = await post(`/v1/ai/${call}`, { ...request, lease_id: 'x' });
    expect(stranger).toEqual(refusal(409, 'lease_mismatch'));
  });

  test('the key is as never seen when seven days are over', async () => {
    const { get, post, clock, request } = await finished();
    clock.advance(7 * DAY);
    expect(await get('/v1/ai/status', { key: 'k' })).toEqual(refusal(404, 'not_found'));
    expect(await post(`/v1/ai/${call}`, request)).toEqual(refusal(404, 'not_found'));
    const { body } = await post('/v1/ai/lease', { key: 'k' });
    expect(body).toMatchObject({
      status: 'acquired',
      version: 1,
      first_seen_at: '2025-01-22T10:30:00Z',
    });
  });
});

describe('the result hash', () => {
  test('is the SHA-256 of the canonical result unless one is given', async () => {
    const { get, post, acquire } = await startService();
    const lease_id = await acquire('k');
    const result = { b: [1e30, 'ü'], a: { d: null, c: true } };
    await post('/v1/ai/complete', { key: 'k', lease_id, result });
    const canonical = '{"a":{"c":true,"d":null},"b":[1e+30,"ü"]}';
    const { body } = await get('/v1/ai/result', { key: 'k' });
    expect(body['result']).toEqual(result);
    expect(body['result_hash']).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  test('is stored alone as well, and absent without a result', async () => {
    const { get, post, acquire } = await startService();
    const [a, b] = [await acquire('a'), await acquire('b')];
    await post('/v1/ai/complete', { key: 'a', lease_id: a, result_hash: 'h' });
    await post('/v1/ai/complete', { key: 'b', lease_id: b });
    const resultOf = async (key: string) => (await get('/v1/ai/result', { key })).body;
    expect(await resultOf('a')).toMatchObject({ result: null, result_hash: 'h' });
    expect(await resultOf('b')).toMatchObject({ result: null, result_hash: null });
  });
});

describe('Idempotency-Key', () => {
  test.each(['lease', 'run'])('makes a repeated %s answer as the first time', async (call) => {
    const { post, clock } = await startService();
    const ask = (key: string, ttl: number) =>
      post(`/v1/ai/${call}`, { key, ttl }, { 'idempotency-key': 'i' });
    const first = await ask('k', 60);
    const lease_id = first.body['lease_id'];
    await post('/v1/ai/extend', { key: 'k', lease_id, ttl: 90 });
    await post('/v1/ai/lease', { key: 'other' });
    clock.advance(89_999);
    expect(await ask('k', 60)).toEqual(first);
    expect(await ask('k', 61)).toEqual(refusal(409, 'idempotency_conflict'));
    expect(await ask('k2', 60)).toEqual(refusal(409, 'idempotency_conflict'));
    clock.advance(1);
    const { body } = await ask('k', 60);
    expect(body).toMatchObject({ status: 'acquired', version: 3 });
    expect(body['lease_id']).not.toBe(lease_id);
  });
});

describe('POST /v1/ai/run', () => {
  test('leases a key', async () => {
    const { post, get } = await startService();
    const { body } = await post('/v1/ai/run', { key: 'k', ttl: 60 });
    expect(body).toMatchObject({ status: 'acquired', charged: 1 });
    expect((await get('/v1/ai/status', { key: 'k' })).body['lease_id']).toBe(body['lease_id']);
  });

  test('runs no tools', async () => {
    const { post } = await startService();
    const reply = await post('/v1/ai/run', { agent_id: 'a', tool: 't', args: {}, spend_usd: 1 });
    expect(reply).toEqual(refusal(403, 'feature_not_available'));
  });
});

test('over the monthly limit nothing is acquired', async () => {
  const { post, acquire } = await startService({ monthlyLimit: 1 });
  await acquire('a');
  expect(await post('/v1/ai/lease', { key: 'b' })).toEqual(refusal(402, 'limit_exceeded'));
});
