import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ACQUIRED, clientOf, extension, STATUS, stubbed, TOKEN } from '../support/hosted-client.ts';
import { startStub } from '../support/stub-server.ts';

describe('a request', () => {
  test('carries the token, the key as it is, and only what is meant', async () => {
    const key = 'a/b c%20+🎉';
    const { client, seen } = await stubbed([{ status: 200, body: { ...STATUS, key } }]);
    await client.status(key);
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: `/v1/ai/status?${new URLSearchParams({ key })}`,
      headers: { authorization: `Bearer ${TOKEN}`, 'user-agent': 'leasectl/test' },
      body: '',
    });
  });

  test('goes below the path of the base URL', async () => {
    const { url, seen } = await startStub({ status: 200, body: STATUS });
    await clientOf(`${url}/proxy/`).status('k');
    expect(seen[0]?.url).toBe('/proxy/v1/ai/status?key=k');
  });

  test('to acquire names itself, so that a service that can will know it again', async () => {
    const { client, seen } = await stubbed([{ status: 200, body: ACQUIRED }]);
    await client.lease({ key: 'k', ttl: 60, metadata: { a: 'b' } }, 'idem-1');
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/ai/lease' });
    expect(seen[0]?.headers).toMatchObject({
      'idempotency-key': 'idem-1',
      'content-type': 'application/json',
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ key: 'k', ttl: 60, metadata: { a: 'b' } });
  });

  test('with a token never leaves unencrypted, but to loopback', () => {
    for (const url of ['http://example.com', 'http://10.0.0.1:4040', 'http://localhost.evil.com']) {
      expect(() => clientOf(url)).toThrow(expect.objectContaining({ code: 'usage' }));
    }
    for (const url of [
      'https://example.com',
      'http://localhost:1',
      'http://127.0.0.1',
      'http://[::1]:1',
    ]) {
      expect(clientOf(url)).toBeDefined();
    }
  });
});

describe('an answer', () => {
  test('is passed on as it came, order and unknown fields included', async () => {
    const body = '{"region":"eu","status":"in_progress","key":"k","ok":true,"plan":{"name":"x"}}';
    const { client } = await stubbed([{ status: 200, body }]);
    expect(JSON.stringify(await client.status('k'))).toBe(body);
  });

  test.each(['acquired', 'polling', 'in_progress', 'completed', 'failed'])(
    'to lease and run may be %s',
    async (status) => {
      const body = { ...ACQUIRED, status };
      const { client } = await stubbed([
        { status: 200, body },
        { status: 200, body },
      ]);
      expect(await client.lease({ key: 'k' }, 'i')).toEqual(body);
      expect(await client.run({ key: 'k' }, 'i')).toEqual(body);
    },
  );

  test('may be compressed', async () => {
    const { client } = await stubbed([
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync(JSON.stringify(STATUS)));
      },
    ]);
    expect(await client.status('k')).toEqual(STATUS);
  });

  test.each([
    [{ ...STATUS, ttl_left: 'soon' }, /ttl_left: .*expected (int|number).*received string/],
    [{ ...STATUS, status: 'sleeping' }, /status: .*"in_progress"\|"completed"\|"failed"/],
    [{ status: 'failed', key: 'k' }, /ok: .*expected boolean/],
    [[], /body: .*expected object/],
    ['<html>Sign in</html>', /no valid JSON, but application\/json "<html>Sign in<\/html>"/],
    ['', /no valid JSON, but an empty body/],
    ['{"lease_id": "lease_secret', /no valid JSON, but 26 characters of application\/json/],
    ['lease_secret of 26 letters', /no valid JSON, but 26 characters of application\/json/],
    ['data: {"lease_id":"lease_s', /no valid JSON, but 26 characters of application\/json/],
    ['ok=true&lease_id=lease_sec', /no valid JSON, but 26 characters of application\/json/],
    [{ ...STATUS, key: 'another' }, /asked for k, it answered for another key/],
  ])('that breaks the contract is a bad response: %j', async (body, message) => {
    const { client } = await stubbed([{ status: 200, body }]);
    await expect(client.status('k')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringMatching(message),
    });
  });

  test('that acquires without a handle breaks the contract', async () => {
    const { client } = await stubbed([
      { status: 200, body: { ...ACQUIRED, lease_id: null } },
      { status: 200, body: STATUS },
    ]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringContaining('lease_id'),
    });
  });

  test('of more than 8 MiB is not read to its end', async () => {
    const { client } = await stubbed([
      (_, response) => {
        response.writeHead(200);
        const more = () => {
          while (response.write('x'.repeat(65_536)));
          response.once('drain', more);
        };
        more();
      },
    ]);
    await expect(client.status('k')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringContaining('8 MiB'),
    });
  });
});

describe('a refusal', () => {
  const detail = (error: string) => ({ detail: { error, message: 'A sentence.' } });

  test.each([
    [401, detail('invalid_api_key'), 'unauthorized'],
    [402, detail('over_limit'), 'limit_exceeded'],
    [403, detail('api_key_disabled'), 'unauthorized'],
    [404, detail('not_found'), 'not_found'],
    [409, detail('lease_mismatch'), 'lease_lost'],
    [409, detail('lease_expired'), 'lease_lost'],
    [409, detail('already_finished'), 'conflict'],
    [409, detail('something_new'), 'conflict'],
    [400, detail('bad'), 'invalid_request'],
    [422, detail('bad'), 'invalid_request'],
    [405, '<html>no</html>', 'invalid_request'],
    [404, '<html>no</html>', 'bad_response'],
    [401, '', 'unauthorized'],
    [500, 'oops', 'unavailable'],
    [501, detail('internal'), 'unavailable'],
  ])('%i %j means %s', async (status, body, code) => {
    const { client } = await stubbed([{ status, body }]);
    await expect(client.runTool({ agent_id: 'a', tool: 't' })).rejects.toMatchObject({
      code,
      status,
      service: 'onceonly',
    });
  });

  test.each([
    [{ detail: 'Not authenticated' }, 't: Not authenticated (onceonly 401).'],
    [detail('invalid_api_key'), 't: A sentence (onceonly 401 invalid_api_key).'],
    [
      { detail: [{ loc: ['body', 'ttl'], msg: 'too big' }] },
      't: body.ttl: too big (onceonly 401).',
    ],
    [{ error: 'strange' }, 't: it sent 19 characters of application/json (onceonly 401).'],
    [`<p>${TOKEN}</p>`, 't: it sent application/json "<p>***</p>" (onceonly 401).'],
    [
      `${'x'.repeat(74)}${TOKEN}`,
      `t: it sent application/json "${'x'.repeat(74)}***" (onceonly 401).`,
    ],
  ])('says what the service says: %j', async (body, message) => {
    const { client } = await stubbed([{ status: 401, body }]);
    await expect(client.runTool({ agent_id: 'a', tool: 't' })).rejects.toMatchObject({ message });
  });

  test.each([301, 302, 303, 307, 308])('%i: redirects are not followed', async (status) => {
    const elsewhere = await startStub();
    const location = `${elsewhere.url}/v1/ai/extend`;
    const { client } = await stubbed([{ status, headers: { location } }]);
    await expect(client.extend(extension)).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringContaining(location),
    });
    expect(elsewhere.seen).toEqual([]);
  });
});
