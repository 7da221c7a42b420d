import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ACQUIRED, bearer, HANDLE, STATE } from '../support/hosted-answers.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const CANARY = 'once_live_canary_44d1';
const add = (name: string, ...more: string[]) => [
  'profile',
  'add',
  name,
  '--service',
  'onceonly',
  ...more,
];

/** What a profile without OAuth 2.0 and files does not have. */
const NO_MORE = {
  client_id: null,
  token_url: null,
  scope: null,
  ca_file: null,
  client_cert: null,
  client_key: null,
};

test('without configuration there is the embedded service', async () => {
  const { json } = createSandbox();
  const local = {
    name: 'local',
    service: 'all',
    url: null,
    default: true,
    auth: null,
    token: null,
    last_used_at: null,
    ...NO_MORE,
  };
  expect(await json(['profile', 'list'])).toEqual([local]);
  expect(await json(['profile', 'show', 'local'])).toEqual(local);
});

test('a profile is added, shown, chosen and removed', async () => {
  const { json, run } = createSandbox();
  const prod = {
    name: 'prod',
    service: 'onceonly',
    url: 'https://api.onceonly.tech',
    default: true,
    auth: 'bearer',
    token: { source: 'file', tail: '…44d1' },
    last_used_at: null,
    ...NO_MORE,
  };
  const dev = {
    ...prod,
    name: 'dev',
    url: 'http://localhost:4040',
    default: false,
    auth: null,
    token: null,
  };
  expect(await json(add('prod', '--token-stdin'), { input: CANARY })).toEqual(prod);
  expect(await json(add('dev', '--url', 'http://localhost:4040/'))).toEqual(dev);
  expect(await json(['profile', 'list'])).toMatchObject([{ default: false }, dev, prod]);
  expect(await json(['profile', 'use', 'dev'])).toEqual({ ...dev, default: true });
  expect(await json(['profile', 'show', 'prod'])).toEqual({ ...prod, default: false });

  const twice = await run(add('prod'));
  expect(twice.code).toBe(2);
  expect(twice.stderr).toContain('There is a profile prod already.');

  const unasked = await run(['profile', 'remove', 'dev']);
  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toContain('leasectl profile remove dev --yes');
  const removed = await run(['profile', 'remove', 'dev', '--yes']);
  expect(removed).toMatchObject({ code: 0, stdout: 'Removed dev.\n' });
  expect(removed.stderr).toContain(
    'dev was the default of onceonly, which has none now: leasectl profile use NAME',
  );
  expect((await run(['profile', 'remove', 'dev', '--yes'])).code).toBe(2);
  expect((await run(['profile', 'use', 'dev'])).code).toBe(2);
  expect(await json(['profile', 'list'])).toMatchObject([{ default: true }, { name: 'prod' }]);
});

test('a token is in a file that only its owner may read, and is never shown', async () => {
  const { run, configDirectory } = createSandbox();
  const outcomes = [
    await run(add('prod', '--token-stdin'), { input: `${CANARY}\n` }),
    await run(['profile', 'list']),
    await run(['profile', 'show', 'prod', '--json']),
    await run(add('prod', '--token-stdin'), { input: CANARY, env: { LEASECTL_DEBUG: '1' } }),
    await run(add('../x', '--token-stdin'), { input: CANARY, env: { LEASECTL_DEBUG: '1' } }),
  ];
  for (const { stdout, stderr } of outcomes) expect(stdout + stderr).not.toContain(CANARY);
  const directory = join(configDirectory, 'profiles');
  expect(readdirSync(directory)).toEqual(['prod.json']);
  expect(readFileSync(join(directory, 'prod.json'), 'utf8')).toContain(CANARY);
  expect(statSync(join(directory, 'prod.json')).mode & 0o777).toBe(0o600);
  expect([configDirectory, directory].map((path) => statSync(path).mode & 0o777)).toEqual([
    0o700, 0o700,
  ]);
});

test('a profile takes the place of no default that was chosen, the embedded service neither', async () => {
  const { json } = createSandbox();
  await json(['profile', 'use', 'local']);
  expect(await json(add('prod'))).toMatchObject({ default: false });
  expect(await json(['profile', 'show', 'local'])).toMatchObject({ default: true });
});

test.each(['token', 'client-secret'])('a %s comes from a file, too', async (what) => {
  const sandbox = createSandbox();
  const file = join(sandbox.directory, 'secret');
  writeFileSync(file, `\ufeff${CANARY}\r\n`);
  const flags = what === 'token' ? [] : ['--client-id', 'x', '--token-url', 'https://t.example/t'];
  await sandbox.json(add('prod', ...flags, `--${what}-file`, file));
  const { credential } = profileFile(sandbox, 'prod');
  expect(credential).toMatchObject(
    what === 'token' ? { type: 'bearer', token: CANARY } : { client_secret: CANARY },
  );
});

test.each(['token', 'client-secret'])('a %s comes from a command, each time', async (what) => {
  const sandbox = createSandbox();
  const token = { access_token: 'access', token_type: 'Bearer', expires_in: 1 };
  const isToken = what === 'token';
  const stub = await startStub(...(isToken ? [] : [{ status: 200, body: token }]), {
    status: 200,
    body: STATE,
  });
  const client = ['--client-id', 'x', '--token-url', `${stub.url}/token`];
  const command = `cat '${join(sandbox.directory, 'secret')}'`;
  const args = add('prod', '--url', stub.url, `--${what}-command`, command);
  const shown = await sandbox.json([...args, ...(isToken ? [] : client)]);
  expect(shown).toMatchObject({ token: { source: 'command', tail: null } });
  // Not run before it is needed.
  writeFileSync(join(sandbox.directory, 'secret'), CANARY);
  expect((await sandbox.run(['status', 'k'])).code).toBe(0);
  if (isToken) expect(stub.seen).toMatchObject([bearer(CANARY)]);
  else expect(stub.seen[0]?.body).toContain(CANARY);
});

test.skipIf(canSkipKeyring)(
  'a token is in the keyring, and moves from there to a file',
  async () => {
    const sandbox = createSandbox();
    const { env } = await startMessageBus();
    const options = { input: CANARY, env: { ...env, HOME: sandbox.directory } };
    const kept = { token: { source: 'keyring', tail: '…44d1' } };
    const answer = { status: 200, body: STATE };
    const stub = await startStub(answer, answer, answer);
    const args = add('prod', '--url', stub.url, '--token-stdin');
    // The flag is over the variable, which the sandbox sets to file.
    expect(await sandbox.json([...args, '--storage', 'keyring'], options)).toMatchObject(kept);
    expect(JSON.stringify(profileFile(sandbox, 'prod'))).not.toContain(CANARY);
    expect((await sandbox.run(['status', 'k'], options)).code).toBe(0);

    const toFile = ['profile', 'edit', 'prod', '--storage', 'file'];
    const inFile = { token: { source: 'file', tail: '…44d1' } };
    expect(await sandbox.json(toFile, options)).toMatchObject(inFile);
    expect(profileFile(sandbox, 'prod')).toMatchObject({ credential: { token: CANARY } });
    expect((await sandbox.run(['status', 'k'])).code).toBe(0);

    // What a renaming leaves behind that was killed: both have the same secret.
    await sandbox.json(['profile', 'edit', 'prod', '--storage', 'keyring'], options);
    const profiles = join(sandbox.configDirectory, 'profiles');
    copyFileSync(join(profiles, 'prod.json'), join(profiles, 'twin.json'));
    await sandbox.json(['profile', 'remove', 'prod', '--yes'], options);
    expect((await sandbox.run(['status', 'k', '--profile', 'twin'], options)).code).toBe(0);
    expect(stub.seen).toMatchObject([bearer(CANARY), bearer(CANARY), bearer(CANARY)]);

    const byDefault = { ...options, env: { ...options.env, LEASECTL_STORAGE: '' } };
    const other = add('other', '--token-stdin');
    expect(await sandbox.json(other, byDefault)).toMatchObject(kept);
  },
);

test('without a keyring a token is in a file, which is told once', async () => {
  const sandbox = createSandbox();
  const keep = (name: string, storage: string, ...more: string[]) =>
    sandbox.run(add(name, '--token-stdin', ...more), {
      input: CANARY,
      env: { LEASECTL_STORAGE: storage },
    });
  const refused = await keep('a', 'keyring');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('There is no keyring here');
  expect((await keep('a', 'cloud')).stderr).toContain('is no storage: "cloud"');
  expect(profileFiles(sandbox)).toEqual([]);
  const warning = /^Warning: no keyring can be used \(.+\)\. The secret is in a file/m;
  // Whoever does not see it was not told.
  expect((await keep('a', '', '--json')).stderr).toBe('');
  expect((await keep('b', '')).stderr).toMatch(warning);
  expect((await keep('c', '')).stderr).not.toMatch(warning);
  expect(profileFile(sandbox, 'b')).toMatchObject({ credential: { token: CANARY } });
});

test('when a profile was used last is told', async () => {
  const sandbox = createSandbox();
  const stub = await startStub({ status: 200, body: STATE });
  await addProfile(sandbox, 'prod', stub.url);
  const before = Date.now();
  await sandbox.json(['status', 'k']);
  const { last_used_at: time } = Object(await sandbox.json(['profile', 'show', 'prod']));
  expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
  await sandbox.json(['profile', 'rename', 'prod', 'p2']);
  expect(await sandbox.json(['profile', 'show', 'p2'])).toMatchObject({ last_used_at: time });
  // One that has its name after it was not used yet.
  await sandbox.json(['profile', 'remove', 'p2', '--yes']);
  await addProfile(sandbox, 'p2', stub.url);
  expect(await sandbox.json(['profile', 'show', 'p2'])).toMatchObject({ last_used_at: null });
});

test('a renamed profile stays what it was: default, and holder of what was leased', async () => {
  const sandbox = createSandbox();
  const { json, run } = sandbox;
  const stub = await startStub(ACQUIRED, {
    status: 200,
    body: { ok: true, status: 'extended', key: 'k', lease_id: HANDLE, ttl: 60, version: 1 },
  });
  await addProfile(sandbox, 'prod', stub.url);
  await json(['lease', 'k']);
  expect(await json(['profile', 'rename', 'prod', 'production'])).toMatchObject({
    name: 'production',
    default: true,
  });
  await json(['extend', 'k']);
  expect(stub.seen.at(-1)?.body).toContain(HANDLE);
  expect(profileFiles(sandbox)).toEqual(['production.json']);

  await addProfile(sandbox, 'other', 'https://example.com');
  for (const [from, to, message] of [
    ['other', 'production', 'There is a profile production already.'],
    ['other', 'other', 'There is a profile other already.'],
    ['nope', 'x', 'There is no profile nope.'],
    ['local', 'x', '"local" is built in.'],
    ['other', 'local', '"local" is built in.'],
  ] as const) {
    const { code, stderr } = await run(['profile', 'rename', from, to]);
    expect({ from, to, code }).toEqual({ from, to, code: 2 });
    expect(stderr).toContain(message);
  }
  expect((await run(['profile', 'edit', 'local', '--url', 'https://x'])).code).toBe(2);
});

test('a broken profile can be removed', async () => {
  const sandbox = createSandbox();
  mkdirSync(join(sandbox.configDirectory, 'profiles'), { recursive: true });
  writeFileSync(join(sandbox.configDirectory, 'profiles', 'prod.json'), '{');
  expect((await sandbox.run(['profile', 'remove', 'prod', '--yes'])).code).toBe(0);
  expect(profileFiles(sandbox)).toEqual([]);
});

test('a broken profile does not hide the others', async () => {
  const { run, json, configDirectory } = createSandbox();
  await json(add('prod', '--token-stdin'), { input: CANARY });
  writeFileSync(join(configDirectory, 'profiles', 'bad.json'), '{');
  for (const command of ['list', 'export']) {
    const { code, stdout, stderr } = await run(['profile', command, '--json']);
    expect(code).toBe(2);
    expect(stdout).toContain('https://api.onceonly.tech');
    expect(JSON.parse(stderr).error.message).toContain('bad.json:1:2 is not valid JSON');
  }
  expect((await run(['profile', 'remove', 'bad', '--yes'])).code).toBe(0);
  expect((await run(['profile', 'list'])).code).toBe(0);
});

test('whoever has profiles, and no default, does not lease on this machine', async () => {
  const { run, json } = createSandbox();
  for (const name of ['prod', 'spare']) await json(add(name, '--token-stdin'), { input: CANARY });
  await json(['profile', 'remove', 'prod', '--yes']);
  const { code, stderr } = await run(['lease', 'k']);
  expect(code).toBe(2);
  expect(stderr).toContain('There are profiles for onceonly, but none is its default.');
  expect(stderr).toContain('leasectl profile use spare');
  await json(['profile', 'use', 'local']);
  expect((await run(['lease', 'k'])).code).toBe(0);
});
