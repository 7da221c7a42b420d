import { describe, expect, test } from 'vitest';
import { departures } from './onceonly-schema.ts';
import { startService } from './onceonly-service.ts';

describe('a key', () => {
  test.each([
    'a/b:c d',
    '100%',
    '%2F%zz',
    'a+b&c=d#e?f',
    '🎉 grüße',
    ' ',
    'é'.repeat(512),
    '🎉'.repeat(512),
    '__proto__',
  ])('survives the body and the query: %s', async (key) => {
    const { get, acquire } = await startService();
    await acquire(key);
    expect((await get('/v1/ai/status', { key })).body).toMatchObject({
      key,
      status: 'in_progress',
    });
  });

  test.each([
    ['empty', ''],
    ['too long', 'a'.repeat(513)],
    ['with a line break', 'a\nb'],
    ['with a NUL', 'a\u0000b'],
    ['with a C1 control', 'a\u009bb'],
    ['a lone surrogate', '\ud800'],
  ])('is refused: %s', async (_, key) => {
    const { post, get } = await startService();
    const { status, body } = await post('/v1/ai/lease', JSON.stringify({ key }));
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['body', 'key'] }] },
    });
    if (key.isWellFormed()) expect((await get('/v1/ai/status', { key })).status).toBe(422);
  });
});

describe('a request that breaks the contract is refused with what is wrong', () => {
  test.each([
    ['/v1/ai/lease', {}, ['body', 'key']],
    ['/v1/ai/lease', { key: 7 }, ['body', 'key']],
    ['/v1/ai/lease', { key: 'k', ttl: 0 }, ['body', 'ttl']],
    ['/v1/ai/lease', { key: 'k', ttl: 2_592_001 }, ['body', 'ttl']],
    ['/v1/ai/lease', { key: 'k', ttl: 1.5 }, ['body', 'ttl']],
    ['/v1/ai/lease', { key: 'k', ttl: '60' }, ['body', 'ttl']],
    ['/v1/ai/lease', { key: 'k', metadata: [] }, ['body', 'metadata']],
    ['/v1/ai/lease', [], ['body']],
    ['/v1/ai/lease', 'no json', ['body']],
    ['/v1/ai/lease', '', ['body']],
    ['/v1/ai/lease', '{"key": "k", "metadata": {"n": 1e999}}', ['body']],
    ['/v1/ai/lease', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, ['body']],
    ['/v1/ai/run', {}, ['body', 'key']],
    ['/v1/ai/run', { agent_id: 'a' }, ['body', 'tool']],
    ['/v1/ai/run', { agent_id: 'a', tool: 't', spend_usd: -1 }, ['body', 'spend_usd']],
    ['/v1/ai/extend', { key: 'k' }, ['body', 'lease_id']],
    ['/v1/ai/extend', { key: 'k', lease_id: '' }, ['body', 'lease_id']],
    ['/v1/ai/complete', { key: 'k', lease_id: 'x', result: 'done' }, ['body', 'result']],
    ['/v1/ai/cancel', { key: 'k', lease_id: 'x', reason: 1 }, ['body', 'reason']],
    ['/v1/ai/fail', { key: 'k', lease_id: 'x' }, ['body', 'error_code']],
  ])('%s %j', async (path, request, loc) => {
    const { post } = await startService();
    const { status, body } = await post(path, request);
    expect({ status, body }).toMatchObject({ status: 422, body: { detail: [{ loc }] } });
  });

  test('GET without a key', async () => {
    const { get } = await startService();
    const { status, body } = await get('/v1/ai/status');
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ['query', 'key'] }] },
    });
  });
});

test('fields that the contract does not name are ignored', async () => {
  const { post } = await startService();
  const { body } = await post('/v1/ai/lease', { key: 'k', ttl: 60, priority: 'high' });
  expect(body['status']).toBe('acquired');
});

test('the check against the contract finds departures', () => {
  const answer = { ok: true, status: 'extended', key: 'k', ttl: 60, version: 1 };
  expect(departures('/v1/ai/extend', 200, answer)).toEqual([]);
  expect(departures('/v1/ai/extend', 200, { ...answer, ttl: null })).not.toEqual([]);
  expect(departures('/v1/ai/extend', 200, { ...answer, more: 1 })).not.toEqual([]);
  expect(departures('/v1/ai/extend', 500, answer)).not.toEqual([]);
});
