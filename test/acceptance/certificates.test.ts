import { describe, expect, test } from 'vitest';
import { createAuthority, startOpenSsl } from '../support/certificates.ts';
import { addProfile, expectFailure, STATUS, TOKEN } from '../support/far-service.ts';
import { createSandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';
import { startTlsService } from '../support/tls-service.ts';

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
