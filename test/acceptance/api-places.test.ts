import { describe, expect, test } from 'vitest';
import { bearer, CANARY } from '../support/hosted-answers.ts';
import { ok } from '../support/hosted-jobs.ts';
import { withProfile } from '../support/profile-at-stub.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startLastingStub, startStub } from '../support/stub-server.ts';

describe('a token goes nowhere else', () => {
  test.each([
    '//HOST/x',
    '/\\HOST/x',
    '/../../HOST',
    '/%2e%2e/x',
    '/..%2f..%2fx',
    '@HOST/x',
    'HOST/x',
    'http://HOST/api/v1/x',
    'http://HOST/api/v1/x?http://OWN/api/v1/',
    'http://OWN@HOST/api/v1/x',
    'http://OWN/api/v1/../x',
    'http://OWN/api/v1x',
    'http://OWN/other',
  ])('than below the base URL: %s is refused', async (path) => {
    const other = await startStub();
    const { run, url } = await withProfile('retaia', '/api/v1');
    const hostOf = (text: string) => new URL(text).host;
    const given = path.replaceAll('HOST', hostOf(other.url)).replaceAll('OWN', hostOf(url));
    const { code, stdout, stderr } = await run(['api', 'GET', given]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Error: PATH /);
  });

  test('a whole URL below it is as good as a path', async () => {
    const { run, url, seen } = await withProfile('retaia', '/api/v1', ok([]));
    expect((await run(['api', 'GET', `${url}/api/v1/jobs?limit=1`])).code).toBe(0);
    expect(seen).toMatchObject([{ url: '/api/v1/jobs?limit=1', ...bearer(CANARY) }]);
  });

  test.each([
    'Authorization: Bearer x',
    'AUTHORIZATION:x',
    'Host: x.example',
    'content-length: 1',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Proxy-Authorization: x',
    'X-A',
    '__proto__: x',
    ': x',
    'X A: b',
    'X-A: b\nAuthorization: x',
    'X-A: \u00e9',
  ])('a header that would change that, or get lost, is refused: %j', async (header) => {
    const { run } = await withProfile('onceonly', '');
    const { code, stderr } = await run(['api', 'GET', '/x', '-H', header]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Error: --header/);
  });

  test('a redirect is not followed', async () => {
    const other = await startStub();
    const { run } = await withProfile('onceonly', '', {
      status: 307,
      headers: { location: `${other.url}/x` },
    });
    expect((await run(['api', 'POST', '/x', '--input', '{}'])).code).toBe(76);
  });
});

describe('which service is meant', () => {
  const get = (sandbox: Sandbox, args: string[] = [], env = {}) =>
    sandbox.run(['api', 'GET', '/x', ...args], { env });

  test('is said by the profile, the default one, the environment, or --service', async () => {
    const [one, two] = [await startLastingStub(ok('one')), await startLastingStub(ok('two'))];
    const sandbox = createSandbox();
    await addProfile(sandbox, 'a', one.url, 'token', 'retaia');
    expect((await get(sandbox)).stdout).toBe('one\n');
    await addProfile(sandbox, 'b', two.url, 'token', 'askui');
    const unknown = await get(sandbox);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('there are profiles or tokens for retaia, askui');
    expect((await get(sandbox, ['--profile', 'b'])).stdout).toBe('two\n');
    expect((await get(sandbox, [], { LEASECTL_PROFILE: 'b' })).stdout).toBe('two\n');
    expect((await get(sandbox, ['--service', 'retaia'])).stdout).toBe('one\n');
    const contradiction = await get(sandbox, ['--service', 'retaia', '--profile', 'b']);
    expect(contradiction.code).toBe(2);
    expect(contradiction.stderr).toContain('Profile b is for askui, not for retaia.');
  });

  test('is not said by LEASECTL_URL, but by LEASECTL_SERVICE beside it', async () => {
    const stub = await startStub({ status: 204 }, { status: 204 });
    const sandbox = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 'token' };
    const unsaid = await get(sandbox, [], env);
    expect(unsaid.code).toBe(2);
    expect(unsaid.stderr).toContain('--service');
    expect((await get(sandbox, ['--service', 'askui'], env)).code).toBe(0);
    expect((await get(sandbox, [], { ...env, LEASECTL_SERVICE: 'retaia' })).code).toBe(0);
  });

  test('where nothing leads elsewhere is that of leasectl, which speaks as all of them', async () => {
    const { run } = createSandbox();
    await run(['lease', 'k']);
    await run(['admin', 'jobs', 'add', '--type', 't']);
    const key = await run(['api', 'GET', '/v1/ai/status', '-q', 'key=k', '--field', 'status']);
    expect(key.stdout).toBe('in_progress\n');
    const job = ['api', 'GET', '/api/v1/jobs', '--profile', 'local', '--query', '[0].job_type'];
    expect((await run(job)).stdout).toBe('"t"\n');
    const unknown = await run(['api', 'POST', '/api/v1/runner-jobs/ping', '-q', 'ack=none']);
    expect(unknown).toMatchObject({ code: 6, stderr: expect.stringContaining('(askui 422)') });
    expect((await get(createSandbox())).code).toBe(3);
  });
});
