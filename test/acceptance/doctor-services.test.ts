import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { startProxy } from '../support/connect-proxy.ts';
import { type Check, examine } from '../support/doctor.ts';
import { CANARY, refusal } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startLastingStub, startStub } from '../support/stub-server.ts';
import { startTlsService } from '../support/tls-service.ts';

/** What OnceOnly says of a key that nobody has leased. */
const KNOWS_NOTHING = refusal(404, 'not_found');

/** Names and states of what was found about a service. */
const states = (checks: readonly Check[]) =>
  checks.map(({ name, status }) => [name, status].join(' '));

const about = (checks: readonly Check[], profile: string) =>
  checks.filter(({ name, subject }) => subject === profile && name !== 'profile');

/** A server that takes connections and says nothing. */
async function hangingUrl(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(Object(server.address()).port));
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${port}`;
}

/** An answer that is so many seconds ahead of this machine. */
const at =
  (seconds: number, headers: Record<string, string> = {}): Reply =>
  (_, response) => {
    const date = new Date(Date.now() + seconds * 1000).toUTCString();
    const type = 'application/json';
    response.sendDate = false;
    response.writeHead(404, { date, 'content-type': type, ...headers });
    response.end('{"detail":{"error":"not_found","message":"No."}}');
  };

async function withProfile(url: string, name = 'prod', service = 'onceonly'): Promise<Sandbox> {
  const sandbox = createSandbox();
  await addProfile(sandbox, name, url, CANARY, service);
  return sandbox;
}

describe('a service in order', () => {
  test('is asked three times without the token, and once with it', async () => {
    const stub = await startStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING);
    const { wrong, checks, of, output } = await examine(await withProfile(stub.url));
    expect(wrong).toEqual([]);
    expect(states(about(checks, 'prod'))).toEqual([
      'connection ok',
      'round trip ok',
      'clock ok',
      'token ok',
    ]);
    const [first, second, third, last] = stub.seen.map(({ headers }) => headers.authorization);
    expect([first, second, third, last]).toEqual([
      undefined,
      undefined,
      undefined,
      `Bearer ${CANARY}`,
    ]);
    expect(of('connection')).toMatchObject([{ took_ms: expect.any(Number) }]);
    expect(of('round trip')).toMatchObject([{ round_trip_ms: expect.any(Number) }]);
    const [{ skew_ms = NaN, skew_resolution_ms = NaN } = {}] = of('clock');
    // The header tells whole seconds: no more can be known.
    expect(skew_resolution_ms).toBeGreaterThan(100);
    expect(skew_resolution_ms).toBeLessThan(1_000);
    expect(Math.abs(skew_ms)).toBeLessThan(skew_resolution_ms + 1);
    expect(output).not.toContain(CANARY);
  });

  test('is not asked offline, and not for another profile', async () => {
    const sandbox = await withProfile(await closedUrl());
    const stub = await startStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING);
    await addProfile(sandbox, 'other', stub.url);
    expect((await examine(sandbox, ['--offline'])).wrong).toEqual([]);
    expect(stub.seen).toEqual([]);
    const { wrong, checks, of } = await examine(sandbox, ['other']);
    expect(wrong).toEqual([]);
    expect(about(checks, 'prod')).toEqual([]);
    expect(of('token', 'other')).toMatchObject([{ status: 'ok' }]);
    expect(of('embedded')).toEqual([]);
    const local = await examine(sandbox, ['local']);
    expect(local.of('embedded')).toMatchObject([{ status: 'ok' }]);
    expect(local.of('connection')).toEqual([]);
  });
});

describe('the clock', () => {
  const clockAt = async (reply: Reply) => {
    const stub = await startLastingStub(reply);
    const { of } = await examine(await withProfile(stub.url));
    return of('clock');
  };

  test.each([
    [45, 'fail', /^4[45]\.\d s behind the service's, give or take 0\.\d s$/],
    [-45, 'fail', /^4[45]\.\d s ahead of the service's/],
    [8, 'warn', /^[78]\.\d s behind/],
    [-8, 'warn', /^[78]\.\d s ahead of/],
    // What may be less than two seconds is not held against it.
    [1, 'ok', /behind|like/],
  ])('%d s apart', async (seconds, status, words) => {
    expect(await clockAt(at(seconds))).toMatchObject([
      { status, detail: expect.stringMatching(words), skew_ms: expect.any(Number) },
    ]);
  });

  test.each([
    ['tells no time', at(45, { date: 'now' })],
    ['hands out what a cache kept', at(-45, { age: '45' })],
  ])('is not known where the service %s', async (_, reply) => {
    expect(await clockAt(reply)).toMatchObject([
      { status: 'ok', detail: 'not known: the service tells no time' },
    ]);
  });
});

describe('the token', () => {
  test.each<[string, Reply, object]>([
    [
      'that is refused',
      refusal(401, 'invalid_api_key', `the key ${CANARY} is not known`),
      {
        status: 'fail',
        detail: expect.stringContaining('the key *** is not known'),
        mend: 'leasectl profile edit prod --token-stdin',
      },
    ],
    [
      'that may not do it',
      refusal(403, 'forbidden'),
      { status: 'warn', detail: expect.stringContaining('takes the token (onceonly), but: ') },
    ],
    ['that cannot be tried', refusal(500, 'oops'), { status: 'fail' }],
  ])('%s', async (_, reply, expected) => {
    const stub = await startLastingStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, reply);
    const { of, output } = await examine(await withProfile(stub.url), ['--timeout', '2s']);
    expect(of('token')).toMatchObject([expected]);
    expect(output).not.toContain(CANARY);
  });

  test('of a command that does not end is not waited for', async () => {
    const stub = await startLastingStub(KNOWS_NOTHING);
    const sandbox = createSandbox();
    const profile = ['profile', 'add', 'slow', '--service', 'onceonly', '--url', stub.url];
    await sandbox.json([...profile, '--token-command', 'sleep 25; echo never']);
    const begun = performance.now();
    const { of } = await examine(sandbox, ['--timeout', '1s']);
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(of('token')).toMatchObject([{ status: 'fail', mend: expect.any(String) }]);
  });
});

describe('the way', () => {
  test('to a port where nobody listens', async () => {
    const { checks, of } = await examine(await withProfile(await closedUrl()));
    expect(states(about(checks, 'prod'))).toEqual(['connection fail']);
    expect(of('connection')).toMatchObject([
      {
        detail: expect.stringContaining('nobody listens there (ECONNREFUSED)'),
        mend: 'leasectl profile show prod',
      },
    ]);
  });

  test('to a name that there is not', async () => {
    const { checks, of } = await examine(await withProfile('https://nothing.invalid'));
    expect(states(about(checks, 'prod'))).toEqual(['dns fail']);
    expect(of('dns')[0]?.detail).toMatch(/^nothing\.invalid: .*\((ENOTFOUND|EAI_AGAIN)\)$/);
  });

  test('to a name is told, with the time that it took', async () => {
    const stub = await startLastingStub(KNOWS_NOTHING);
    const { of } = await examine(await withProfile(stub.url.replace('127.0.0.1', 'localhost')));
    expect(of('dns')).toMatchObject([
      { status: 'ok', detail: expect.stringContaining('127.0.0.1'), took_ms: expect.any(Number) },
    ]);
    expect(of('token')).toMatchObject([{ status: 'ok' }]);
  });

  test('to many that hang takes no longer than to one, and the others are told', async () => {
    const sandbox = await withProfile(await hangingUrl(), 'one');
    for (const name of ['two', 'three'])
      await addProfile(sandbox, name, await hangingUrl(), CANARY);
    const stub = await startLastingStub(KNOWS_NOTHING);
    await addProfile(sandbox, 'good', stub.url, CANARY);
    const begun = performance.now();
    const { of, checks } = await examine(sandbox, ['--timeout', '2s']);
    expect(performance.now() - begun).toBeLessThan(6_000);
    for (const name of ['one', 'two', 'three']) {
      expect(states(about(checks, name))).toEqual(['connection ok', 'round trip fail']);
    }
    expect(of('token', 'good')).toMatchObject([{ status: 'ok' }]);
  });
});

describe('TLS', () => {
  const authority = () => createAuthority();

  /** A profile whose service shows such a certificate, and trusts its authority if it is to. */
  async function behindTls(names: string, days: number, isTrusted: boolean) {
    const ca = authority();
    const { port } = await startTlsService(ca.issue('service', names, days));
    const sandbox = await withProfile(`https://127.0.0.1:${port}/api/v1`, 'prod', 'retaia');
    if (isTrusted) {
      await sandbox.json(['profile', 'edit', 'prod', '--ca-file', ca.certFile]);
    }
    return examine(sandbox);
  }

  test('with a good certificate', async () => {
    const { wrong, checks, of } = await behindTls('IP:127.0.0.1', 90, true);
    expect(wrong).toEqual([]);
    expect(states(about(checks, 'prod'))).toEqual([
      'connection ok',
      'certificate ok',
      'round trip ok',
      'clock ok',
      'token ok',
    ]);
    const [{ detail, expires_at = '' } = {}] = of('certificate');
    expect(detail).toMatch(/^it is valid until \d{4}-\d\d-\d\d, (89|90) days more, .* authority$/);
    expect((Date.parse(expires_at) - Date.now()) / 86_400_000).toBeCloseTo(90, 0);
  });

  test.each<[string, string, number, boolean, object]>([
    ['ends soon', 'IP:127.0.0.1', 5, true, { status: 'warn', detail: /5 days more|4 days more/ }],
    ['has expired', 'IP:127.0.0.1', -1, true, { status: 'fail', detail: /^it expired on / }],
    [
      'is of an unknown authority',
      'IP:127.0.0.1',
      90,
      false,
      { status: 'fail', mend: /^leasectl profile edit prod --ca-file FILE$/ },
    ],
    [
      'is for another host',
      'DNS:example.com',
      90,
      true,
      { status: 'fail', detail: /another host/ },
    ],
  ])('with a certificate that %s', async (_, names, days, isTrusted, expected) => {
    const { of } = await behindTls(names, days, isTrusted);
    const wanted = Object.entries(expected).map(([field, value]) => [
      field,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]);
    expect(of('certificate')).toMatchObject([Object.fromEntries(wanted)]);
    const isUsable = of('certificate')[0]?.status === 'warn';
    expect(of('token')).toHaveLength(isUsable ? 1 : 0);
  });

  test('that is none', async () => {
    const stub = await startLastingStub();
    const { of } = await examine(await withProfile(stub.url.replace('http:', 'https:')));
    expect(of('certificate')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining('there is no TLS to be had') },
    ]);
  });

  test('of a client whose certificate ends soon', async () => {
    const ca = authority();
    const client = ca.issue('client', 'DNS:client', 5);
    const sandbox = await withProfile('https://prod.example.com');
    const files = ['--client-cert', client.certFile, '--client-key', client.keyFile];
    await sandbox.json(['profile', 'edit', 'prod', ...files]);
    const { wrong } = await examine(sandbox, ['--offline']);
    expect(wrong).toMatchObject([
      {
        name: 'profile',
        status: 'warn',
        detail: expect.stringMatching(/client\.pem is valid until/),
      },
    ]);
  });
});

describe('a proxy', () => {
  /** A service that only the proxy can find, and the proxy. */
  async function behindProxy(options: Parameters<typeof startProxy>[0] = {}) {
    const ca = createAuthority();
    const { port } = await startTlsService(ca.issue('service.test', 'DNS:service.test', 90));
    const sandbox = await withProfile(`https://service.test:${port}/api/v1`, 'prod', 'retaia');
    await sandbox.json(['profile', 'edit', 'prod', '--ca-file', ca.certFile]);
    return { sandbox, proxy: await startProxy(options), port };
  }

  test('is gone through', async () => {
    const password = `user:${CANARY}-proxy`;
    const { sandbox, proxy, port } = await behindProxy({ password });
    const env = { HTTPS_PROXY: `http://${password}@${proxy.host}` };
    const { wrong, checks, of, output } = await examine(sandbox, [], { env });
    expect(wrong).toEqual([]);
    expect(states(about(checks, 'prod'))).toEqual([
      'proxy ok',
      'connection ok',
      'certificate ok',
      'round trip ok',
      'clock ok',
      'token ok',
    ]);
    expect(of('proxy')).toMatchObject([{ detail: `http://${proxy.host}` }]);
    expect(of('connection')[0]?.detail).toContain(`service.test:${port} through ${proxy.host}`);
    expect(new Set(proxy.asked.map(({ authority }) => authority))).toEqual(
      new Set([`service.test:${port}`]),
    );
    expect(output).not.toContain(CANARY);
  });

  test('that refuses is told', async () => {
    const { sandbox, proxy } = await behindProxy({ status: 407 });
    const env = { HTTPS_PROXY: `http://${proxy.host}` };
    const { of } = await examine(sandbox, [], { env });
    expect(of('connection')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining('HTTP 407') },
    ]);
  });

  test('is not there for a host of NO_PROXY', async () => {
    const { sandbox, proxy } = await behindProxy();
    const env = { HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY: 'service.test' };
    const { checks } = await examine(sandbox, [], { env });
    expect(states(about(checks, 'prod'))).toEqual(['dns fail']);
    expect(proxy.asked).toEqual([]);
  });
});

describe('the environment', () => {
  test('alone leads to a service, whichever takes the token', async () => {
    const stub = await startLastingStub(KNOWS_NOTHING);
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
    const { of, wrong, output } = await examine(createSandbox(), [], { env });
    expect(wrong).toEqual([]);
    expect(of('token', 'LEASECTL_URL LEASECTL_TOKEN')).toMatchObject([
      { status: 'ok', detail: `${stub.url} takes the token (onceonly)` },
    ]);
    expect(output).not.toContain(CANARY);
  });

  test('with a token that no service takes', async () => {
    const stub = await startLastingStub(refusal(401, 'invalid_api_key'));
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
    const { of } = await examine(createSandbox(), [], { env });
    expect(of('token')).toMatchObject([
      {
        status: 'fail',
        detail: expect.stringContaining('no service that leasectl knows takes it'),
      },
    ]);
  });

  test('stands over a profile, which is looked at as well', async () => {
    const good = await startLastingStub(KNOWS_NOTHING);
    const sandbox = await withProfile(good.url);
    const env = { LEASECTL_TOKEN: `${CANARY}-other` };
    const { of, wrong } = await examine(sandbox, [], { env });
    expect(wrong).toEqual([]);
    expect(of('token').map(({ subject }) => subject)).toEqual(['prod', 'prod LEASECTL_TOKEN']);
    expect(of('variable', 'LEASECTL_TOKEN')).toMatchObject([
      { detail: `set, for ${good.url}, over that of profile prod` },
    ]);
    const shown = good.seen.map(({ headers }) => headers.authorization).filter(Boolean);
    expect(shown.sort()).toEqual([`Bearer ${CANARY}`, `Bearer ${CANARY}-other`]);
  });
});

test('an OAuth 2.0 client, whose secret is refused', async () => {
  const stub = await startLastingStub(KNOWS_NOTHING, KNOWS_NOTHING, KNOWS_NOTHING, {
    status: 401,
    body: { error: 'invalid_client' },
  });
  const sandbox = createSandbox();
  const add = ['profile', 'add', 'media', '--service', 'retaia', '--url', `${stub.url}/api/v1`];
  await sandbox.run([...add, '--client-id', 'c', '--client-secret-stdin'], { input: CANARY });
  const { of, output } = await examine(sandbox);
  expect(of('token')).toMatchObject([
    { status: 'fail', mend: 'leasectl profile edit media --client-secret-stdin' },
  ]);
  expect(output).not.toContain(CANARY);
  expect(readFileSync(join(sandbox.configDirectory, 'profiles', 'media.json'), 'utf8')).toContain(
    CANARY,
  );
});
