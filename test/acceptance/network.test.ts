import { describe, expect, test } from 'vitest';
import { createAuthority, startOpenSsl } from '../support/certificates.ts';
import { startProxy } from '../support/connect-proxy.ts';
import { STATE } from '../support/hosted-answers.ts';
import { createSandbox, type Outcome, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, startLastingStub, startStub } from '../support/stub-server.ts';
import { startTlsService } from '../support/tls-service.ts';

const TOKEN = 'canary-token-31';
const PASSWORD = 'canary pass/31';
const STATUS = ['status', 'k', '--timeout', '5s'];
/** Only a proxy finds the way to it. */
const HOST = 'service.test';

async function addProfile({ run }: Sandbox, url: string, ...flags: string[]) {
  const args = ['profile', 'add', 'far', '--service', 'onceonly', '--url', url, '--token-stdin'];
  const { code, stderr } = await run([...args, ...flags], { input: TOKEN });
  expect({ code, stderr }).toMatchObject({ code: 0 });
}

/** A service behind TLS with that name, and a profile that trusts it. */
async function farService() {
  const authority = createAuthority();
  const service = await startTlsService(authority.issue(HOST));
  const sandbox = createSandbox();
  const url = `https://${HOST}:${service.port}`;
  await addProfile(sandbox, url, '--ca-file', authority.certFile);
  return { ...sandbox, sandbox, service, authority, url };
}

function expectFailure({ code, stdout, stderr }: Outcome, exit: number, ...words: string[]) {
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  for (const word of words) expect(stderr).toContain(word);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  expect(stderr).not.toMatch(/canary|^\s+at /m);
}

describe('through a proxy', () => {
  test.each(['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'])('of %s', async (name) => {
    const { run, service, url } = await farService();
    const proxy = await startProxy();
    const { code, stderr } = await run(STATUS, { env: { [name]: `http://${proxy.host}` } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(proxy.asked).toEqual([{ authority: new URL(url).host, authorization: undefined }]);
    expect(service.seen).toMatchObject([{ authorization: `Bearer ${TOKEN}` }]);
  });

  test('that wants a password, which is shown nowhere', async () => {
    const { run, service } = await farService();
    const proxy = await startProxy({ password: `me:${PASSWORD}` });
    const HTTPS_PROXY = `me:${encodeURIComponent(PASSWORD)}@${proxy.host}`;
    const env = { HTTPS_PROXY, LEASECTL_DEBUG: '1,http' };
    const { code, stderr } = await run(STATUS, { env });
    expect(code).toBe(0);
    expect(stderr).toContain('> authorization: Bearer ***');
    expect(stderr).not.toMatch(/canary/);
    expect(service.seen).toHaveLength(1);
    expect(proxy.asked).toHaveLength(1);
  });

  test('that is given a wrong one', async () => {
    const { run } = await farService();
    const proxy = await startProxy({ password: `me:${PASSWORD}` });
    const outcome = await run(STATUS, { env: { HTTPS_PROXY: `http://me:canary@${proxy.host}` } });
    expectFailure(outcome, 75, `the proxy http://${proxy.host} refuses to connect (407).`, 'USER:');
    expect(proxy.asked).toHaveLength(1);
  });

  test.each([
    [403, 1],
    [502, 2],
  ])('that answers %i, after %i attempts or more', async (status, least) => {
    const { run } = await farService();
    const proxy = await startProxy({ status });
    const outcome = await run(STATUS, { env: { HTTPS_PROXY: `http://${proxy.host}` } });
    expectFailure(outcome, 75, `refuses to connect (${status})`);
    expect(proxy.asked.length >= least && (status > 500 || proxy.asked.length === 1)).toBe(true);
  });

  test('that says nothing', async () => {
    const { run } = await farService();
    const proxy = await startProxy({ status: 0 });
    const begun = performance.now();
    const outcome = await run(STATUS, { env: { HTTPS_PROXY: `http://${proxy.host}` } });
    expectFailure(outcome, 75, 'no answer from', '--timeout');
    expect(performance.now() - begun).toBeLessThan(8_000);
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  test('that is not there', async () => {
    const { run } = await farService();
    const HTTPS_PROXY = await closedUrl();
    const outcome = await run(STATUS, { env: { HTTPS_PROXY } });
    expectFailure(
      outcome,
      75,
      `no connection to the proxy ${HTTPS_PROXY} (ECONNREFUSED)`,
      'NO_PROXY',
    );
  });

  test('that is none', async () => {
    const { run } = await farService();
    // It speaks HTTP, but knows no CONNECT and hangs up.
    const stub = await startStub();
    expectFailure(await run(STATUS, { env: { HTTPS_PROXY: stub.url } }), 75, 'the proxy');
    for (const HTTPS_PROXY of ['socks5://127.0.0.1:1', 'http://a b', 'ftp://x']) {
      expectFailure(await run(STATUS, { env: { HTTPS_PROXY } }), 2, 'HTTPS_PROXY is no URL of');
    }
  });

  test('that speaks TLS itself', async () => {
    const { run, authority, service } = await farService();
    const tls = authority.issue('proxy', 'IP:127.0.0.1');
    const proxy = await startProxy({ tls });
    const env = { HTTPS_PROXY: `https://${proxy.host}` };
    expect((await run(STATUS, { env })).code).toBe(0);
    expect(proxy.asked).toHaveLength(1);
    expect(service.seen).toHaveLength(1);
  });

  test('that would like to know who asks, which is the service’s to know', async () => {
    const authority = createAuthority();
    const mine = authority.issue('client', 'DNS:client');
    const asking = { ca: authority.cert, requestCert: true, rejectUnauthorized: false };
    const service = await startTlsService({ ...authority.issue(HOST), ...asking });
    const tls = { ...authority.issue('proxy', 'IP:127.0.0.1'), ...asking };
    const proxy = await startProxy({ tls });
    const sandbox = createSandbox();
    const files = ['--client-cert', mine.certFile, '--client-key', mine.keyFile];
    const trusted = ['--ca-file', authority.certFile];
    await addProfile(sandbox, `https://${HOST}:${service.port}`, ...trusted, ...files);
    const env = { HTTPS_PROXY: `https://${proxy.host}` };
    expect((await sandbox.run(STATUS, { env })).code).toBe(0);
    expect(service.seen).toMatchObject([{ client: 'client' }]);
    expect(proxy.asked).toMatchObject([{ client: undefined }]);
  });

  test('goes the token endpoint as well', async () => {
    const authority = createAuthority();
    const service = await startTlsService(authority.issue(HOST));
    const { run } = createSandbox();
    const url = `https://${HOST}:${service.port}/api/v1`;
    const client = [
      '--client-id',
      'agent',
      '--client-secret-stdin',
      '--ca-file',
      authority.certFile,
    ];
    await run(['profile', 'add', 'far', '--service', 'retaia', '--url', url, ...client], {
      input: 'canary-client-secret',
    });
    const proxy = await startProxy();
    const env = { HTTPS_PROXY: `http://${proxy.host}`, LEASECTL_DEBUG: 'http' };
    const { code, stdout, stderr } = await run(['jobs', 'list'], { env });
    expect(code).toBe(0);
    expect(service.seen).toEqual([
      { path: '/api/v1/oauth/token', authorization: undefined, client: undefined },
      { path: '/api/v1/jobs', authorization: 'Bearer canary-access', client: undefined },
    ]);
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect(stderr).toMatch(/^> POST https:.*oauth\/token \(#1\)$/m);
    expect(stderr).toContain('client_secret=***');
    expect(stderr).toContain('"access_token": "***"');
    expect(stdout + stderr).not.toMatch(/canary/);
  });

  test('goes nothing that NO_PROXY names', async () => {
    const { run } = await farService();
    const proxy = await startProxy();
    for (const NO_PROXY of [HOST, '.test', '*.test', '*', `a, ${HOST}`]) {
      const env = { HTTPS_PROXY: `http://${proxy.host}`, NO_PROXY };
      expectFailure(await run(STATUS, { env }), 75, '(ENOTFOUND)');
    }
    const env = { HTTPS_PROXY: `http://${proxy.host}`, no_proxy: 'other.test', NO_PROXY: '*' };
    expect((await run(STATUS, { env })).code).toBe(0);
    expect(proxy.asked).toHaveLength(1);
  });

  test('goes nothing to this machine', async () => {
    const authority = createAuthority();
    const service = await startTlsService(authority.issue('near', 'IP:127.0.0.1,DNS:localhost'));
    const stub = await startLastingStub({ status: 200, body: STATE });
    const proxy = await startProxy();
    const env = { ALL_PROXY: proxy.host, HTTP_PROXY: proxy.host, http_proxy: proxy.host };
    for (const url of [stub.url, `https://127.0.0.1:${service.port}`]) {
      const sandbox = createSandbox();
      await addProfile(sandbox, url, '--ca-file', authority.certFile);
      const { code, stderr } = await sandbox.run(STATUS, { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    expect(proxy.asked).toEqual([]);
  });
});

describe('a certificate', () => {
  async function near(names?: string, days?: number) {
    const authority = createAuthority();
    const service = await startTlsService(authority.issue('near', names ?? 'IP:127.0.0.1', days));
    return { authority, service, url: `https://127.0.0.1:${service.port}` };
  }
  const env = (LEASECTL_URL: string) => ({ LEASECTL_URL, LEASECTL_TOKEN: TOKEN });

  test('of an unknown authority is refused, and what to do is said', async () => {
    const { url, authority, service } = await near();
    const sandbox = createSandbox();
    const refused = await sandbox.run(STATUS, { env: env(url) });
    expectFailure(
      refused,
      75,
      'UNABLE_TO_',
      'authority that this machine does not know',
      '--ca-file',
    );
    expect(service.seen).toEqual([]);
    const known = { ...env(url), NODE_EXTRA_CA_CERTS: authority.certFile };
    expect((await sandbox.run(STATUS, { env: known })).code).toBe(0);
  });

  test('of an authority of NODE_EXTRA_CA_CERTS is good beside those of a profile', async () => {
    const { url, authority } = await near();
    const sandbox = createSandbox();
    await addProfile(sandbox, url, '--ca-file', createAuthority().certFile);
    expectFailure(await sandbox.run(STATUS), 75, '--ca-file');
    const known = { NODE_EXTRA_CA_CERTS: authority.certFile };
    expect((await sandbox.run(STATUS, { env: known })).code).toBe(0);
  });

  test('that has expired, or is of another host', async () => {
    const old = await near('IP:127.0.0.1', -1);
    const other = await near('DNS:other.test');
    for (const [{ url, authority }, ...words] of [
      [old, 'CERT_HAS_EXPIRED', 'has expired'],
      [other, 'ERR_TLS_CERT_ALTNAME_INVALID', 'is for another host'],
    ] as const) {
      const sandbox = createSandbox();
      await addProfile(sandbox, url, '--ca-file', authority.certFile);
      expectFailure(await sandbox.run(STATUS), 75, ...words);
      const known = { ...env(url), NODE_EXTRA_CA_CERTS: authority.certFile };
      expectFailure(await createSandbox().run(STATUS, { env: known }), 75, ...words);
    }
  });

  test('is not asked for by who speaks no TLS', async () => {
    const url = (await startStub()).url.replace('http:', 'https:');
    expectFailure(await createSandbox().run(STATUS, { env: env(url) }), 75, 'speaks no TLS');
  });

  test('of the client is shown to a service that wants one', async () => {
    const authority = createAuthority();
    const mine = authority.issue('client', 'DNS:client');
    const own = authority.issue('near', 'IP:127.0.0.1');
    const wanting = { ca: authority.cert, requestCert: true, rejectUnauthorized: true };
    const service = await startTlsService({ ...own, ...wanting });
    const sandbox = createSandbox();
    await addProfile(sandbox, `https://127.0.0.1:${service.port}`, '--ca-file', authority.certFile);
    expect((await sandbox.run(STATUS)).code).toBe(75);
    expect(service.seen).toEqual([]);
    const files = ['--client-cert', mine.certFile, '--client-key', mine.keyFile];
    expect((await sandbox.run(['profile', 'edit', 'far', ...files])).code).toBe(0);
    const { code, stderr } = await sandbox.run(STATUS);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(service.seen).toMatchObject([{ authorization: `Bearer ${TOKEN}` }]);
  });

  test.each(['-tls1_3', '-tls1_2'])(
    'of the client is missed by a server of %s',
    async (version) => {
      const authority = createAuthority();
      const port = await startOpenSsl(authority, version);
      const sandbox = createSandbox();
      await addProfile(sandbox, `https://127.0.0.1:${port}`, '--ca-file', authority.certFile);
      expectFailure(await sandbox.run(STATUS), 75, '_ALERT_', '--client-cert FILE');
    },
  );
});

describe('at another origin than that of its URL', () => {
  /** A service that wants a certificate of a client, one elsewhere, and a profile of the first. */
  async function setUp() {
    const authority = createAuthority();
    const mine = authority.issue('client', 'DNS:client');
    const own = authority.issue('near', 'IP:127.0.0.1');
    const asking = { ca: authority.cert, requestCert: true, rejectUnauthorized: false };
    const start = () => startTlsService({ ...own, ...asking });
    const [near, elsewhere] = [await start(), await start()];
    const urlOf = ({ port }: { port: number }) => `https://127.0.0.1:${port}`;
    const files = ['--ca-file', authority.certFile, '--client-cert', mine.certFile];
    return {
      near,
      elsewhere,
      urls: { near: urlOf(near), elsewhere: urlOf(elsewhere) },
      files: [...files, '--client-key', mine.keyFile],
      known: { NODE_EXTRA_CA_CERTS: authority.certFile },
    };
  }

  test('a profile neither trusts its authorities, nor shows its certificate', async () => {
    const { near, elsewhere, urls, files, known } = await setUp();
    const sandbox = createSandbox();
    await addProfile(sandbox, urls.near, ...files);
    expect((await sandbox.run(STATUS)).code).toBe(0);
    expect(near.seen).toMatchObject([{ client: 'client' }]);
    const env = { LEASECTL_URL: urls.elsewhere, LEASECTL_TOKEN: TOKEN, LEASECTL_PROFILE: 'far' };
    expectFailure(await sandbox.run(STATUS, { env }), 75, 'SELF_SIGNED_', 'NODE_EXTRA_CA_CERTS');
    expect(elsewhere.seen).toEqual([]);
    expect((await sandbox.run(STATUS, { env: { ...env, ...known } })).code).toBe(0);
    expect(elsewhere.seen).toMatchObject([{ client: undefined }]);
  });

  test('nor does it to the token endpoint there', async () => {
    const { near, elsewhere, urls, files, known } = await setUp();
    const { run } = createSandbox();
    const add = ['profile', 'add', 'far', '--service', 'retaia', '--url', `${urls.near}/api/v1`];
    const client = ['--client-id', 'agent', '--client-secret-stdin'];
    const tokenUrl = ['--token-url', `${urls.elsewhere}/oauth/token`];
    const input = 'canary-client-secret';
    expect((await run([...add, ...client, ...tokenUrl, ...files], { input })).code).toBe(0);
    const list = ['jobs', 'list', '--timeout', '5s'];
    expectFailure(await run(list), 75, 'SELF_SIGNED_', urls.elsewhere);
    expect([...near.seen, ...elsewhere.seen]).toEqual([]);
    expect((await run(list, { env: known })).code).toBe(0);
    expect(elsewhere.seen).toMatchObject([{ path: '/oauth/token', client: undefined }]);
    expect(near.seen).toMatchObject([{ path: '/api/v1/jobs', client: 'client' }]);
  });
});
