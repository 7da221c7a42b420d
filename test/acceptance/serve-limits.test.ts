import { expect, test } from 'vitest';
import { connectTo } from '../support/raw-connection.ts';
import { createSandbox } from '../support/sandbox.ts';
import { addToken, lease, startServe } from '../support/served.ts';

const MIB = 1024 * 1024;
const TOO_LARGE = 'The body is larger than 1 MiB.';

/** What a body of so many bytes is answered with, sent as a whole or in pieces of unknown length. */
async function sent(url: string, path: string, size: number, isChunked: boolean) {
  const bytes = new Uint8Array(size).fill(32);
  const body = isChunked ? new Blob([bytes]).stream() : bytes;
  const response = await fetch(url + path, { method: 'POST', body, duplex: 'half' });
  return { status: response.status, body: Object(await response.json()) };
}

test.each([false, true])(
  'a body beyond 1 MiB is 413 in each contract’s words',
  async (isChunked) => {
    const { url } = await startServe(createSandbox());
    const ask = (path: string, size: number) => sent(url, path, size, isChunked);
    expect(await ask('/v1/ai/lease', MIB)).toMatchObject({ status: 422 });
    expect(await ask('/v1/ai/lease', MIB + 1)).toEqual({
      status: 413,
      body: { detail: { error: 'too_large', message: TOO_LARGE } },
    });
    expect(await ask('/api/v1/jobs/a/claim', MIB + 1)).toMatchObject({
      status: 413,
      body: { code: 'TOO_LARGE', message: TOO_LARGE, retryable: false },
    });
    expect(await ask('/api/v1/runner-jobs/lease', MIB + 1)).toEqual({
      status: 413,
      body: { detail: TOO_LARGE },
    });
  },
);

test('a token that asks too often is 429, with when to come back, and others are not', async () => {
  const sandbox = createSandbox();
  const [one, other] = [
    await addToken(sandbox.databaseFile, 'one', ['keys:write']),
    await addToken(sandbox.databaseFile, 'other', ['keys:write']),
  ];
  const served = await startServe(sandbox, ['--rate', '2']);
  const ask = async (token: string) => {
    const response = await lease(served, 'a', { authorization: `Bearer ${token}` });
    const { detail } = Object(await response.json());
    return [response.status, response.headers.get('retry-after'), detail?.error];
  };
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(one)));
  expect(answers).toContainEqual([200, null, undefined]);
  expect(answers).toContainEqual([429, '1', 'rate_limited']);
  expect(await ask(other)).toEqual([200, null, undefined]);
});

test('what a token may not, and guesses, are 429, too; who was known is not kept out', async () => {
  const sandbox = createSandbox();
  const [right, idle] = [
    await addToken(sandbox.databaseFile, 'right', ['keys:write']),
    await addToken(sandbox.databaseFile, 'idle', ['admin']),
  ];
  const served = await startServe(sandbox, ['--rate', '2']);
  const ask = async (token: string) =>
    (await lease(served, 'a', { authorization: `Bearer ${token}` })).status;
  const many = async (token: (index: number) => string) =>
    new Set(await Promise.all(Array.from({ length: 50 }, (_, index) => ask(token(index)))));
  expect(await ask(right)).toBe(200);
  expect(await many(() => idle)).toEqual(new Set([403, 429]));
  // All that come at once may be looked up at once.
  await many((index) => `guess${index}`);
  expect(await many((index) => `guess${index}`)).toContain(429);
  expect(await ask(right)).toBe(200);
  const grant = async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'client_guess',
      client_secret: 'guess',
    });
    const response = await fetch(`${served.url}/api/v1/oauth/token`, { method: 'POST', body });
    return [response.status, response.headers.has('retry-after')];
  };
  const refused = await Promise.all(Array.from({ length: 50 }, grant));
  expect(refused).toContainEqual([429, true]);
});

test('a namespace stores no more leases than it may', async () => {
  const served = await startServe(createSandbox(), ['--max-leases', '1']);
  expect((await lease(served, 'a')).status).toBe(200);
  expect((await lease(served, 'b')).status).toBe(402);
  expect(await (await lease(served, 'a')).json()).toMatchObject({ status: 'polling' });
});

test('who dawdles is hung up on, and holds nobody up', async () => {
  const served = await startServe(createSandbox());
  const begun = performance.now();
  const silent = await connectTo(served.url);
  const inHead = await connectTo(served.url);
  inHead.socket.write('GET /healthz HTTP/1.1\r\nhost: local');
  const inBody = await connectTo(served.url);
  inBody.socket.write(
    'POST /v1/ai/lease HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\nx-request-id: slow\r\n\r\n{',
  );
  expect((await lease(served, 'a')).status).toBe(200);
  const [nothing, head, body] = await Promise.all([silent.all, inHead.all, inBody.all]);
  for (const told of [nothing, head, body]) {
    expect(told).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(told).toMatch(/x-request-id: \S+/);
  }
  expect(body).toContain('x-request-id: slow');
  const told = await served.log('request', ({ request_id }) => request_id === 'slow');
  expect(told).toMatchObject({ level: 'info', status: 408, route: '/v1/ai/lease' });
  expect(performance.now() - begun).toBeLessThan(25_000);
  expect((await lease(served, 'a')).status).toBe(200);
});

test('what is no request is 400, and too long headers are 431, with an id', async () => {
  const served = await startServe(createSandbox());
  const told = await Promise.all(
    [
      'nonsense\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a b\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: 1.2.3.4.5\r\nconnection: close\r\n\r\n',
      'GET http:// HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    ].map(async (text) => {
      const { socket, all } = await connectTo(served.url);
      socket.end(text);
      return all;
    }),
  );
  expect(told.map((text) => text.split('\r\n')[0])).toEqual([
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 400 Bad Request',
    'HTTP/1.1 431 Request Header Fields Too Large',
  ]);
  for (const text of told) expect(text).toMatch(/x-request-id: \S+/i);
});

test('HTTP/1.0 without Host is answered, as balancers ask', async () => {
  const ask = async (url: string, path: string) => {
    const { socket, all } = await connectTo(url);
    socket.end(`GET ${path} HTTP/1.0\r\n\r\n`);
    return (await all).split('\r\n')[0];
  };
  const sandbox = createSandbox();
  const served = await startServe(sandbox);
  const other = await startServe(createSandbox(), ['--host', '::1']);
  for (const { url } of [served, other]) {
    expect(await ask(url, '/healthz')).toBe('HTTP/1.1 200 OK');
    expect(await ask(url, '/readyz')).toBe('HTTP/1.1 200 OK');
  }
  await addToken(sandbox.databaseFile, 'ci', ['keys:write']);
  await expect.poll(() => ask(served.url, '/metrics')).toBe('HTTP/1.1 401 Unauthorized');
  expect(await ask(served.url, '/readyz')).toBe('HTTP/1.1 200 OK');
});

test('who hangs up in the middle is no failure of the service', async () => {
  const served = await startServe(createSandbox());
  const { socket } = await connectTo(served.url);
  socket.write('POST /v1/ai/lease HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{');
  await lease(served, 'a');
  socket.destroy();
  expect(await served.log('request', ({ status }) => status === null)).toMatchObject({
    level: 'info',
    route: '/v1/ai/lease',
  });
});
