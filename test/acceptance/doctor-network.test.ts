import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { type ConnectProxyOptions, startProxy } from '../support/connect-proxy.ts';
import { type Check, examine } from '../support/doctor.ts';
import { CANARY, refusal } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, startLastingStub } from '../support/stub-server.ts';
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

async function withProfile(url: string, name = 'prod', service = 'onceonly'): Promise<Sandbox> {
  const sandbox = createSandbox();
  await addProfile(sandbox, name, url, CANARY, service);
  return sandbox;
}

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
  async function behindProxy(options: ConnectProxyOptions = {}, ca = createAuthority()) {
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

  test('that speaks TLS itself, and says 201, is gone through', async () => {
    const ca = createAuthority();
    const tls = ca.issue('localhost', 'DNS:localhost');
    const { sandbox, proxy } = await behindProxy({ tls, yes: 201 }, ca);
    const env = { HTTPS_PROXY: `https://localhost:${proxy.host.split(':').at(-1)}` };
    const { wrong, of } = await examine(sandbox, [], { env });
    expect(wrong).toEqual([]);
    expect(of('token')).toMatchObject([{ status: 'ok' }]);
  });

  test('that says nothing is told in time', async () => {
    const { sandbox } = await behindProxy();
    const env = { HTTPS_PROXY: await hangingUrl() };
    const begun = performance.now();
    const { of } = await examine(sandbox, ['--timeout', '1s'], { env });
    // A proxy has 10 s where nobody says otherwise.
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(of('connection')).toMatchObject([
      { status: 'fail', detail: expect.stringMatching(/no answer in time/) },
    ]);
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
