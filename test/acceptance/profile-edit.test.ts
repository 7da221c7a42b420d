import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { bearer, refusal, STATE } from '../support/hosted-answers.ts';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import { addProfile, createSandbox, outcomeOf, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

const OLD = 'old_canary_0123456789';
const NEW = 'new_canary_9876543210';
const edit = (...flags: string[]) => ['profile', 'edit', 'prod', ...flags];

const MEDIA = 'https://media.example.com/api/v1';

function addClient({ json }: Sandbox, ...flags: string[]): Promise<unknown> {
  const client = ['--client-id', 'agent-7', '--client-secret-stdin', ...flags];
  const args = ['profile', 'add', 'prod', '--service', 'retaia', '--url', MEDIA, ...client];
  return json(args, { input: OLD });
}

async function withProfile(): Promise<Sandbox> {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://a.example/v1', OLD);
  return sandbox;
}

describe('a token goes only to the origin that it was stored for', () => {
  test('to another path of it, too', async () => {
    const sandbox = await withProfile();
    await sandbox.json(edit('--url', 'https://a.example/v2'));
    expect(profileFile(sandbox, 'prod')).toMatchObject({
      url: 'https://a.example/v2',
      credential: { token: OLD, origin: 'https://a.example' },
    });
  });

  test.each(['https://b.example/v1', 'https://a.example:8443/v1', 'http://localhost/v1'])(
    'not to %s',
    async (url) => {
      const sandbox = await withProfile();
      const before = profileFile(sandbox, 'prod');
      const { code, stderr } = await sandbox.run(edit('--url', url));
      expect(code).toBe(2);
      expect(stderr).toContain('The secret of prod was stored for https://a.example alone.');
      expect(profileFile(sandbox, 'prod')).toEqual(before);

      const { origin } = new URL(url);
      await sandbox.json(edit('--url', url, '--token-stdin'), { input: NEW });
      expect(profileFile(sandbox, 'prod')).toMatchObject({
        url,
        credential: { token: NEW, origin },
      });
      await sandbox.json(edit('--url', 'https://c.example', '--no-token'));
      expect(profileFile(sandbox, 'prod')).toEqual({
        service: 'onceonly',
        url: 'https://c.example',
      });
    },
  );

  test('nor is it sent to LEASECTL_URL', async () => {
    const sandbox = await withProfile();
    const env = { LEASECTL_URL: await closedUrl() };
    const { code, stderr } = await sandbox.run(['status', 'k'], { env });
    expect(code).toBe(4);
    expect(stderr).toContain(`No token for ${env.LEASECTL_URL}`);
  });

  test('a client’s secret goes to that of the token URL, too', async () => {
    const sandbox = createSandbox();
    await addClient(sandbox);
    const tokenUrl = () => profileFile(sandbox, 'prod').credential.token_url;
    expect(tokenUrl()).toBe(`${MEDIA}/oauth/token`);
    // The usual one moves with the URL, one of its own stays.
    await sandbox.json(edit('--url', 'https://media.example.com/two/api/v1'));
    expect(tokenUrl()).toBe('https://media.example.com/two/api/v1/oauth/token');
    await sandbox.json(edit('--token-url', 'https://media.example.com/token'));
    await sandbox.json(edit('--url', MEDIA, '--scope', 'jobs:claim', '--client-id', 'agent-8'));
    expect(profileFile(sandbox, 'prod')).toMatchObject({
      url: MEDIA,
      credential: {
        client_secret: OLD,
        client_id: 'agent-8',
        scope: 'jobs:claim',
        token_url: 'https://media.example.com/token',
      },
    });
    for (const flags of [
      ['--token-url', 'https://login.example.com/token'],
      ['--url', 'https://other.example.com/api/v1'],
      ['--auth', 'bearer'],
    ]) {
      const { code, stderr } = await sandbox.run(edit(...flags));
      expect(code).toBe(2);
      expect(stderr).toContain('was stored for https://media.example.com alone.');
    }
    await sandbox.json(
      edit('--token-url', 'https://login.example.com/token', '--client-secret-stdin'),
      { input: NEW },
    );
    const { stderr } = await sandbox.run(edit('--url', 'https://other.example.com/api/v1'));
    expect(stderr).toContain(
      'was stored for https://media.example.com and https://login.example.com alone.',
    );
  });
});

describe('what no flag names stays', () => {
  test('and what one names changes', async () => {
    const sandbox = await withProfile();
    const { certFile, keyFile } = createAuthority();
    await sandbox.json(edit('--ca-file', certFile));
    await sandbox.json(edit('--client-cert', certFile, '--client-key', keyFile));
    await sandbox.json(edit('--token-stdin'), { input: NEW });
    expect(profileFile(sandbox, 'prod')).toEqual({
      service: 'onceonly',
      url: 'https://a.example/v1',
      credential: { type: 'bearer', token: NEW, origin: 'https://a.example' },
      ca_file: certFile,
      client_cert: certFile,
      client_key: keyFile,
    });
    const { stdout } = await sandbox.run(['profile', 'show', 'prod']);
    expect(stdout).toContain(`Key\t${keyFile}`);
  });
});

describe('flags that do not fit together are refused, and nothing is changed', () => {
  test.each([
    [[], 'Nothing says what to change of profile prod.'],
    [['--json'], 'Nothing says what to change of profile prod.'],
    [['--client-id', 'x'], 'An OAuth 2.0 client needs its secret.'],
    [['--client-secret-stdin'], '--client-id is needed'],
    [['--auth', 'bearer', '--client-secret-stdin'], 'is for an OAuth 2.0 client, not for bearer.'],
    [['--auth', 'oauth2', '--token-stdin'], 'gets its tokens by itself.'],
    [['--auth', 'basic'], 'onceonly knows no basic authentication.'],
    [['--scope', 'x'], 'Only an OAuth 2.0 client has an id, a scope and a token URL.'],
    [['--token-stdin', '--no-token'], 'cannot also be provided'],
    [['--token-stdin', '--token-command', 'x'], 'cannot also be provided'],
    [['--token-command', 'x', '--storage', 'file'], 'is stored nowhere.'],
    [['--client-cert', 'x'], 'A client certificate needs its key'],
    [['--url', 'http://a.example/v1'], 'nothing is sent to http://a.example unencrypted.'],
    [['--url', 'ftp://a.example'], 'is no usable base URL.'],
    [['--token-stdin'], 'stdin holds no token.'],
  ])('%j', async (flags, message) => {
    const sandbox = await withProfile();
    const before = profileFile(sandbox, 'prod');
    const input = flags.at(-1) === '--token-stdin' && flags.length === 1 ? 'two words' : NEW;
    const { code, stderr } = await sandbox.run(edit(...flags), { input });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(profileFile(sandbox, 'prod')).toEqual(before);
  });

  test('a token for a client', async () => {
    const sandbox = createSandbox();
    await addClient(sandbox);
    const { code, stderr } = await sandbox.run(edit('--token-stdin'), { input: NEW });
    expect(code).toBe(2);
    expect(stderr).toContain('--token-stdin: an OAuth 2.0 client gets its tokens by itself.');
    await sandbox.json(edit('--token-stdin', '--auth', 'bearer'), { input: NEW });
    expect(profileFile(sandbox, 'prod').credential).toEqual({
      type: 'bearer',
      token: NEW,
      origin: 'https://media.example.com',
    });
  });

  test('what a command prints is not moved into a file', async () => {
    const sandbox = await withProfile();
    await sandbox.json(edit('--token-command', 'echo x'));
    const { code, stderr } = await sandbox.run(edit('--storage', 'file'));
    expect(code).toBe(2);
    expect(stderr).toContain('is printed by a command, and stored nowhere.');
  });
});

describe('--verify stores nothing unless the service takes the token', () => {
  const notFound = refusal(404, 'not_found');
  const addTo = (url: string, service = 'onceonly') => [
    'profile',
    'add',
    'new',
    '--service',
    service,
    '--url',
    url,
    '--token-stdin',
    '--verify',
  ];

  test.each<[string, Reply, string | RegExp]>([
    [
      'an answer',
      { status: 200, body: { ...STATE, key: 'leasectl-looks-whether-it-may-ask' } },
      'takes the token.',
    ],
    ['nothing there', notFound, 'takes the token.'],
    [
      'not allowed',
      refusal(403, 'forbidden', 'Leases are not for you.'),
      /takes the token, but: .*not for you/,
    ],
  ])('with %s it is stored', async (_, reply, words) => {
    const sandbox = createSandbox();
    const stub = await startStub(reply);
    const { code, stderr } = await sandbox.run(addTo(stub.url), { input: NEW });
    expect(code).toBe(0);
    expect(stderr).toMatch(words);
    expect(stub.seen).toMatchObject([bearer(NEW)]);
    expect(profileFiles(sandbox)).toEqual(['new.json']);
  });

  test.each<[string, string, number, Reply]>([
    ['a refusal', 'onceonly', 4, refusal(401, 'invalid_api_key', `no such key: ${NEW}`)],
    ['another web server', 'onceonly', 76, { status: 404, body: '<html>' }],
    ['another web server', 'askui', 76, { status: 404, body: '<html>' }],
    ['another web server', 'retaia', 76, { status: 200, body: '<html>' }],
    ['a redirect', 'onceonly', 76, { status: 302, headers: { location: 'https://x.example' } }],
  ])('with %s (%s) it is not: %i', async (_, service, expected, reply) => {
    const sandbox = createSandbox();
    const stub = await startStub(reply);
    const { code, stdout, stderr } = await sandbox.run(addTo(stub.url, service), { input: NEW });
    expect(code).toBe(expected);
    expect(stdout + stderr).not.toContain(NEW);
    expect(profileFiles(sandbox)).toEqual([]);
  });

  test('an edit is tried with the token that there is', async () => {
    const sandbox = createSandbox();
    const stub = await startStub(notFound, refusal(401, 'invalid_api_key'));
    await addProfile(sandbox, 'prod', stub.url, OLD);
    expect((await sandbox.run(edit('--verify'))).code).toBe(0);
    expect((await sandbox.run(edit('--url', `${stub.url}/v2`, '--verify'))).code).toBe(4);
    expect(profileFile(sandbox, 'prod').url).toBe(stub.url);
  });

  test('where nobody listens it is told within seconds', async () => {
    const sandbox = createSandbox();
    const { code } = await sandbox.run(addTo(await closedUrl()), { input: NEW });
    expect(code).toBe(75);
    expect(profileFiles(sandbox)).toEqual([]);
  });
});

describe('a token of the environment is over the stored one', () => {
  test.each([
    ['LEASECTL_TOKEN', {}],
    ['ONCEONLY_API_KEY', { LEASECTL_URL: 'same' }],
  ])('%s, with a notice', async (variable, more) => {
    const sandbox = createSandbox();
    const notFound = refusal(404, 'not_found');
    const stub = await startStub(notFound, notFound, notFound);
    await addProfile(sandbox, 'prod', stub.url, OLD);
    const url = 'LEASECTL_URL' in more ? { LEASECTL_URL: stub.url } : {};
    const env = { [variable]: NEW, ...url };
    const text = await sandbox.run(['status', 'k'], { env });
    expect(text.stderr).toContain(`${variable} is used instead of the token of profile prod.\n`);
    const json = await sandbox.run(['status', 'k', '--json'], { env });
    expect(json.stderr).not.toContain('is used instead');
    expect(stub.seen).toMatchObject([bearer(NEW), bearer(NEW)]);
    const without = await sandbox.run(['status', 'k']);
    expect(without.stderr).not.toContain('is used instead');
    expect(stub.seen.at(-1)).toMatchObject(bearer(OLD));
  });
});

test('a token does not become the secret of a client that the profile got meanwhile', async () => {
  const sandbox = createSandbox();
  const { directory, json, start } = sandbox;
  const url = ['--service', 'onceonly', '--url', 'https://a.example'];
  await json(['profile', 'add', 'prod', ...url]);
  const pipe = join(directory, 'token');
  execFileSync('mkfifo', [pipe]);
  const editing = outcomeOf(start(edit('--token-file', pipe)));
  // Once it reads, it has seen the profile as it was.
  const writer = await open(pipe, 'w');
  const client = [
    '--client-id',
    'x',
    '--client-secret-stdin',
    '--token-url',
    'https://b.example/t',
  ];
  await json(edit(...client), { input: OLD });
  await writer.writeFile(NEW);
  await writer.close();
  const { code, stderr } = await editing;
  expect({ code, stderr }).toMatchObject({
    code: 75,
    stderr: expect.stringContaining('Profile prod was changed by another command meanwhile.'),
  });
  expect(profileFile(sandbox, 'prod')).toMatchObject({ credential: { client_secret: OLD } });
});
