import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import { createOnceOnlyClient } from '../../src/services/onceonly/client.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

const TOKEN = 'once_live_canary';

const STATUS = {
  ok: true,
  status: 'in_progress',
  key: 'k',
  ttl_left: 90,
  lease_id: 'lease_1',
  version: 1,
  first_seen_at: null,
  done_at: null,
  result_hash: null,
  error_code: null,
  retry_after_sec: 5,
};
const EXTENDED = { ok: true, status: 'extended', key: 'k', ttl: 60, version: 2 };
const ACQUIRED = { ...STATUS, status: 'acquired', ttl: 60, ttl_left: null, charged: 1 };
const NOW = { headers: { 'retry-after': '0' } };

function clientOf(url: string, timeout = 10_000) {
  const transport = createKyTransport({
    service: 'onceonly',
    baseUrl: new URL(url),
    authorization: `Bearer ${TOKEN}`,
    userAgent: 'leasectl/test',
    timeout,
    firstDelay: 2,
  });
  return createOnceOnlyClient({
    transport,
    honoursIdempotencyKey: false,
    clean: (text) => text.replaceAll(TOKEN, '***'),
  });
}

async function stubbed(replies: readonly Reply[], timeout?: number) {
  const stub = await startStub(...replies);
  return { ...stub, client: clientOf(stub.url, timeout) };
}

/** Ends the connection without an answer. */
const hangUp: Reply = (_, response) => void response.socket?.destroy();
const silence: Reply = () => undefined;
const extension = { key: 'k', lease_id: 'lease_1', ttl: 60 };

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

describe('a call that may be repeated', () => {
  test.each([408, 429, 500, 502, 503, 504, 520])(
    'is repeated after %i, when Retry-After says',
    async (status) => {
      const { client, seen } = await stubbed([
        { status, ...NOW },
        { status: 200, body: EXTENDED },
      ]);
      expect(await client.extend(extension)).toEqual(EXTENDED);
      expect(seen[1]?.body).toBe(seen[0]?.body);
    },
  );

  test('is repeated after a connection that broke', async () => {
    const { client } = await stubbed([hangUp, { status: 200, body: EXTENDED }]);
    expect(await client.extend(extension)).toEqual(EXTENDED);
  });

  test('is repeated after an answer that broke off', async () => {
    const breakOff: Reply = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"ok": true', () => response.socket?.destroy());
    };
    const { client } = await stubbed([breakOff, { status: 200, body: EXTENDED }]);
    expect(await client.extend(extension)).toEqual(EXTENDED);
  });

  test('is given up when the service asks for more patience than there is', async () => {
    const { client } = await stubbed([{ status: 429, headers: { 'retry-after': '120' } }]);
    await expect(client.extend(extension)).rejects.toMatchObject({
      code: 'unavailable',
      status: 429,
      hint: expect.stringContaining('in 2m.'),
    });
  });

  test.each(['soon', '-5', '1h', '', 'Wed, 21 Oct 2015 07:28:00 GMT'])(
    'is repeated, not at once but soon, after a Retry-After of %j',
    async (value) => {
      const reply = { status: 429, headers: { 'retry-after': value } };
      const { client } = await stubbed([reply, { status: 200, body: EXTENDED }]);
      expect(await client.extend(extension)).toEqual(EXTENDED);
    },
  );

  test('is given up in time when no answer comes', async () => {
    const { client } = await stubbed([silence, silence, silence], 300);
    await expect(client.extend(extension)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/within 0\.[123] s/),
      outcomeUnknown: true,
    });
  });

  test('is given up in the end', async () => {
    const replies = Array.from({ length: 6 }, () => ({ status: 503, ...NOW }));
    const { client } = await stubbed(replies);
    await expect(client.status('k')).rejects.toMatchObject({ code: 'unavailable', status: 503 });
  });
});

describe('an acquisition at a service that does not know repetitions', () => {
  test('is repeated after 429, which says that it was not taken', async () => {
    const { client, seen } = await stubbed([
      { status: 429, ...NOW },
      { status: 200, body: ACQUIRED },
    ]);
    expect(await client.lease({ key: 'k' }, 'i')).toEqual(ACQUIRED);
    expect(seen[1]?.headers['idempotency-key']).toBe('i');
  });

  test.each([
    ['a connection that broke', hangUp],
    ['a 502', { status: 502, body: 'bad gateway' }],
    ['a 408', { status: 408, body: 'too slow' }],
  ])(
    'is not repeated after %s: the outcome is unknown, and the state is told',
    async (_, reply) => {
      const { client } = await stubbed([reply, { status: 200, body: STATUS }]);
      await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
        code: 'unavailable',
        outcomeUnknown: true,
        message: expect.stringMatching(/unknown; the key is now in progress for 1m 30s more\.$/),
      });
    },
  );

  test('says so too when the key is not held', async () => {
    const gone = { status: 404, body: { detail: { error: 'not_found', message: 'No.' } } };
    const { client } = await stubbed([hangUp, gone]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      message: expect.stringContaining('the key is now not held'),
    });
  });

  test('is unknown too after an answer that is not understood', async () => {
    const garbage = { status: 200, body: '{"ok": tru' };
    const { client } = await stubbed([garbage, { status: 200, body: STATUS }]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringContaining('the key is now in progress for 1m 30s more.'),
    });
  });

  test('leaves time to ask for the state, within the whole', async () => {
    const { client } = await stubbed([silence, { status: 200, body: STATUS }], 900);
    const begun = performance.now();
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      message: expect.stringContaining('the key is now in progress'),
    });
    expect(performance.now() - begun).toBeLessThan(900);
  });

  test('may take nearly as long as the whole call', async () => {
    const { client } = await stubbed(
      [
        (_, response) => {
          setTimeout(() => response.end(JSON.stringify(ACQUIRED)), 400);
        },
      ],
      900,
    );
    expect(await client.lease({ key: 'k' }, 'i')).toEqual(ACQUIRED);
  });

  test('that never left is no mystery', async () => {
    await expect(clientOf(await closedUrl(), 1_000).lease({ key: 'k' }, 'i')).rejects.toMatchObject(
      {
        code: 'unavailable',
        message: expect.stringContaining('ECONNREFUSED'),
        outcomeUnknown: false,
      },
    );
  });
});
