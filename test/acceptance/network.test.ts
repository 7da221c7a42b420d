import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { startProxy } from '../support/connect-proxy.ts';
import {
  addProfile,
  expectFailure,
  farService,
  HOST,
  PASSWORD,
  STATUS,
  TOKEN,
} from '../support/far-service.ts';
import { STATE } from '../support/hosted-answers.ts';
import { createSandbox } from '../support/sandbox.ts';
import { closedUrl, startLastingStub, startStub } from '../support/stub-server.ts';
import { startTlsService } from '../support/tls-service.ts';

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
