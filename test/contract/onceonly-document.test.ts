import { describe, expect, test } from 'vitest';
import { startService } from './onceonly-service.ts';

/*
 * The examples of OnceOnly's API reference, request and answer, field by field. Its lease ids and
 * times are its own; here they are the service's, of a clock that starts at the document's time.
 */

const KEY = 'support_chat_001';
const LEASE = {
  key: KEY,
  ttl: 1800,
  metadata: { agent_id: 'support_bot', ticket_id: 'TCK-123' },
};

/** The document's month had seen eleven leases before this one. */
async function startDocument() {
  const service = await startService({ monthlyLimit: 3000 });
  for (let index = 1; index <= 11; index += 1) await service.acquire(`earlier-${index}`);
  return service;
}

async function startLeased() {
  const service = await startDocument();
  const { body } = await service.post('/v1/ai/lease', LEASE);
  return { ...service, leaseId: String(body['lease_id']) };
}

describe('POST /v1/ai/lease', () => {
  test('acquires', async () => {
    const { post } = await startDocument();
    expect(await post('/v1/ai/lease', LEASE)).toEqual({
      status: 200,
      body: {
        ok: true,
        status: 'acquired',
        key: KEY,
        ttl: 1800,
        ttl_left: null,
        lease_id: expect.stringMatching(/^lease_[0-9a-f]{32}$/),
        version: 1,
        first_seen_at: '2025-01-15T10:30:00Z',
        done_at: null,
        result_hash: null,
        error_code: null,
        retry_after_sec: null,
        usage: 12,
        limit: 3000,
        charged: 1,
      },
    });
  });

  test('tells who holds the key', async () => {
    const { post, clock, leaseId } = await startLeased();
    clock.advance(50_000);
    expect(await post('/v1/ai/lease', LEASE)).toEqual({
      status: 200,
      body: {
        ok: true,
        status: 'polling',
        key: KEY,
        ttl: 1800,
        ttl_left: 1750,
        lease_id: leaseId,
        version: 1,
        first_seen_at: '2025-01-15T10:30:00Z',
        done_at: null,
        result_hash: null,
        error_code: null,
        retry_after_sec: 5,
        usage: 12,
        limit: 3000,
        charged: 0,
      },
    });
  });
});

test('GET /v1/ai/status', async () => {
  const { get, clock, leaseId } = await startLeased();
  clock.advance(300_000);
  expect(await get('/v1/ai/status', { key: KEY })).toEqual({
    status: 200,
    body: {
      ok: true,
      status: 'in_progress',
      key: KEY,
      ttl_left: 1500,
      lease_id: leaseId,
      version: 1,
      first_seen_at: '2025-01-15T10:30:00Z',
      done_at: null,
      result_hash: null,
      error_code: null,
      retry_after_sec: 5,
    },
  });
});

test('POST /v1/ai/extend', async () => {
  const { post, leaseId } = await startLeased();
  expect(await post('/v1/ai/extend', { key: KEY, lease_id: leaseId, ttl: 1800 })).toEqual({
    status: 200,
    body: { ok: true, status: 'extended', key: KEY, ttl: 1800, version: 2 },
  });
});

test('POST /v1/ai/complete', async () => {
  const { post, leaseId } = await startLeased();
  const result = { status: 'resolved', messages: 15 };
  const request = { key: KEY, lease_id: leaseId, result, result_hash: 'a1b2c3d4e5f6' };
  expect(await post('/v1/ai/complete', request)).toEqual({
    status: 200,
    body: { ok: true, status: 'completed', key: KEY, version: 2 },
  });
});

test('POST /v1/ai/cancel', async () => {
  const { post, get, leaseId } = await startLeased();
  const request = { key: KEY, lease_id: leaseId, reason: 'user_requested' };
  expect(await post('/v1/ai/cancel', request)).toEqual({
    status: 200,
    body: { ok: true, status: 'failed', key: KEY, version: 2 },
  });
  const { body } = await get('/v1/ai/status', { key: KEY });
  expect(body['error_code']).toBe('canceled:user_requested');
});

test('POST /v1/ai/fail', async () => {
  const { post, leaseId } = await startLeased();
  const request = { key: KEY, lease_id: leaseId, error_code: 'connection_lost' };
  expect(await post('/v1/ai/fail', request)).toEqual({
    status: 200,
    body: { ok: true, status: 'failed', key: KEY, version: 2 },
  });
});

test('GET /v1/ai/result', async () => {
  const { post, get, clock, leaseId } = await startLeased();
  const result = { status: 'resolved', messages: 15 };
  clock.advance(15 * 60_000);
  await post('/v1/ai/complete', {
    key: KEY,
    lease_id: leaseId,
    result,
    result_hash: 'a1b2c3d4e5f6',
  });
  expect(await get('/v1/ai/result', { key: KEY })).toEqual({
    status: 200,
    body: {
      ok: true,
      status: 'completed',
      key: KEY,
      result,
      result_hash: 'a1b2c3d4e5f6',
      error_code: null,
      done_at: '2025-01-15T10:45:00Z',
    },
  });
});
