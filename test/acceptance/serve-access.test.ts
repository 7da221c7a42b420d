import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';
import { addToken, lease, startServe } from '../support/served.ts';

/** Asks for readiness with headers that a program may set, and Fetch may not. */
function statusFor(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/readyz`, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

test('without a token: no page in a browser of this machine gets through', async () => {
  const { url } = await startServe(createSandbox());
  const { port, host } = new URL(url);
  const statuses = async (given: readonly Readonly<Record<string, string>>[]) =>
    Promise.all(given.map((headers) => statusFor(url, headers)));
  const own = [
    {},
    { host: `localhost:${port}` },
    { host: `[::1]:${port}` },
    { host: 'service.localhost' },
    { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
  ];
  expect(await statuses(own)).toEqual(own.map(() => 200));
  const foreign = [
    { host: 'rebound.example' },
    { host: `127.0.0.1.example:${port}` },
    { host: '192.168.0.1' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  expect(await statuses(foreign)).toEqual(foreign.map(() => 403));
});

test('without a token: nothing gets through that a proxy brings', async () => {
  const { url } = await startServe(createSandbox());
  const brought = [
    { forwarded: 'for=192.0.2.1' },
    { 'X-Forwarded-For': '192.0.2.1' },
    { 'x-forwarded-host': 'leases.example' },
    { 'x-forwarded-proto': 'https' },
    { via: '1.1 proxy' },
    { 'x-real-ip': '127.0.0.1' },
  ];
  const statuses = await Promise.all(brought.map((headers) => statusFor(url, headers)));
  expect(statuses).toEqual(brought.map(() => 403));
  const refused = await fetch(`${url}/readyz`, { headers: { via: '1.1 proxy' } });
  expect(Object(await refused.json()).detail).toEqual({
    error: 'foreign_origin',
    message:
      'Without any token only programs of this machine may ask, at a name of it, through no proxy.',
  });
});

test('from the first token on it takes none without one, at whatever name', async () => {
  const sandbox = createSandbox();
  const served = await startServe(sandbox);
  expect((await lease(served, 'a')).status).toBe(200);
  const token = await addToken(sandbox.databaseFile, 'ci', ['keys:write']);
  await expect.poll(async () => (await lease(served, 'a')).status).toBe(401);
  const proxied = { host: 'leases.example', 'x-forwarded-for': '192.0.2.1' };
  expect(await statusFor(served.url, proxied)).toBe(200);
  const authorization = `Bearer ${token}`;
  expect((await lease(served, 'a', { authorization })).status).toBe(200);
  const status = `${served.url}/v1/ai/status?key=a`;
  expect((await fetch(status, { headers: { authorization } })).status).toBe(403);
});

test('with a token it listens at all addresses', async () => {
  const sandbox = createSandbox();
  await addToken(sandbox.databaseFile, 'ci', ['keys:write']);
  const served = await startServe(sandbox, ['--host', '0.0.0.0']);
  expect(served.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
  const url = served.url.replace('0.0.0.0', '127.0.0.1');
  expect((await lease({ url }, 'a')).status).toBe(401);
});

test('the log has an id for each request, and no secret', async () => {
  const sandbox = createSandbox();
  const token = await addToken(sandbox.databaseFile, 'ci', [
    'keys:write',
    'keys:read',
    'runner-jobs',
  ]);
  const served = await startServe(sandbox, ['--log-level', 'debug']);
  const authorization = `Bearer ${token}`;
  const wrong = 'token_of-somebody-else';
  const taken = await lease(served, 'secret-key', { authorization, 'x-request-id': 'build-7.1' });
  expect(taken.headers.get('x-request-id')).toBe('build-7.1');
  const { lease_id } = Object(await taken.json());
  const ask = (path: string, headers: Record<string, string> = { authorization }) =>
    fetch(served.url + path, { headers });
  const complete = { key: 'secret-key', lease_id, result: { secret: 'in-the-body' } };
  await fetch(`${served.url}/v1/ai/complete`, {
    method: 'POST',
    headers: { authorization },
    body: JSON.stringify(complete),
  });
  await fetch(`${served.url}/api/v1/runner-jobs/ping?ack=ack_in-the-query&job_id=j`, {
    method: 'POST',
    headers: { authorization, 'x-request-id': 'not sane' },
  });
  const refused = await ask(`/v1/ai/status?key=a&lease_id=${lease_id}`, {
    authorization: `Bearer ${wrong}`,
  });
  const id = refused.headers.get('x-request-id');
  await ask(`/${token}/nowhere`);
  await served.log('request', ({ status }) => status === 404);
  served.kill('SIGINT');
  const { stderr, stdout } = await served.outcome;
  for (const secret of [token, lease_id, 'in-the-body', 'in-the-query', wrong, 'secret-key']) {
    expect(stderr + stdout).not.toContain(secret);
  }
  const lines = served.logged('request');
  expect(lines.map(({ status }) => status)).toEqual([200, 200, 422, 401, 404]);
  expect(lines[0]).toMatchObject({
    level: 'info',
    request_id: 'build-7.1',
    method: 'POST',
    route: '/v1/ai/lease',
    caller: 'ci',
    namespace: 'default',
    remote: '127.0.0.1',
  });
  expect(lines[2]?.['request_id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(lines[3]).toMatchObject({ request_id: id, route: '/v1/ai/status' });
  expect(lines[3]).not.toHaveProperty('caller');
  expect(lines[4]).not.toHaveProperty('route');
});
