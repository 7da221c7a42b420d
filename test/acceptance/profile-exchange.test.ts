import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { profileFile, profileFiles } from '../support/profile-files.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';

const CANARY = 'canary_0123456789abcdef';
const IMPORT = ['profile', 'import', '-'];

const exported = (profiles: object, defaults: readonly string[] = []) =>
  JSON.stringify({ version: 1, profiles, defaults });
const bare = { service: 'onceonly', url: 'https://a.example' };
const withToken = (token: unknown, origin = 'https://a.example') => ({
  ...bare,
  credential: { type: 'bearer', token, origin },
});

async function withProfiles(): Promise<Sandbox> {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://a.example', CANARY);
  await addProfile(sandbox, 'dev', 'http://localhost:4040', CANARY);
  const client = ['--client-id', 'x', '--client-secret-stdin', '--scope', 'a b'];
  const media = ['media', '--service', 'retaia', '--url', 'https://m.example/api/v1', ...client];
  await sandbox.json(['profile', 'add', ...media], { input: CANARY });
  const command = ['--service', 'askui', '--token-command', `echo ${CANARY}`];
  await sandbox.json(['profile', 'add', 'runners', ...command]);
  return sandbox;
}

test('profiles move to another machine without their secrets', async () => {
  const from = await withProfiles();
  const { code, stdout, stderr } = await from.run(['profile', 'export']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toContain(CANARY);
  expect(JSON.parse(stdout)).toEqual(await from.json(['profile', 'export']));

  const to = createSandbox();
  writeFileSync(join(to.directory, 'profiles.json'), stdout);
  const imported = await to.run(['profile', 'import', join(to.directory, 'profiles.json')]);
  expect(imported.code).toBe(0);
  expect(imported.stdout).toBe(
    [
      'ADDED\tSERVICE\tURL\tDEFAULT',
      'dev\tonceonly\thttp://localhost:4040\tno',
      'media\tretaia\thttps://m.example/api/v1\tyes',
      'prod\tonceonly\thttps://a.example\tyes',
      'runners\taskui\thttps://workspaces.askui.com\tyes\n',
    ].join('\n'),
  );
  const yet = 'has no secret yet. It will be sent to';
  expect(imported.stderr.trimEnd().split('\n')).toEqual([
    `dev ${yet} http://localhost:4040: leasectl profile edit dev --token-stdin`,
    `media ${yet} https://m.example: leasectl profile edit media --client-secret-stdin`,
    `prod ${yet} https://a.example: leasectl profile edit prod --token-stdin`,
    `runners ${yet} https://workspaces.askui.com: leasectl profile edit runners --token-stdin`,
  ]);
  expect(await to.json(['profile', 'export'])).toEqual(JSON.parse(stdout));
  const shown = async ({ json }: Sandbox) =>
    Object(await json(['profile', 'list'])).map(
      ({ token: _, ...rest }: Record<string, unknown>) => rest,
    );
  expect(await shown(to)).toEqual(await shown(from));
  // What was told to do does it.
  for (const args of [
    ['dev', '--token-stdin'],
    ['media', '--client-secret-stdin'],
  ]) {
    await to.json(['profile', 'edit', ...args], { input: CANARY });
  }
  for (const name of ['dev', 'media']) {
    expect(profileFile(to, name)).toEqual(profileFile(from, name));
  }
});

test('one profile is exported by its name', async () => {
  const sandbox = await withProfiles();
  expect(await sandbox.json(['profile', 'export', 'dev'])).toMatchObject({
    profiles: { dev: { url: 'http://localhost:4040' } },
    defaults: [],
  });
  expect((await sandbox.run(['profile', 'export', 'nope'])).code).toBe(2);
});

test('names that there are already are refused all together, or passed over', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://mine.example', CANARY);
  const before = profileFile(sandbox, 'prod');
  const input = exported({ new: bare, prod: bare }, ['new']);
  const { code, stderr } = await sandbox.run(IMPORT, { input });
  expect(code).toBe(2);
  expect(stderr).toContain('There is a profile prod already.');
  expect(profileFiles(sandbox)).toEqual(['prod.json']);
  const skip = [...IMPORT, '--skip-existing'];
  expect(await sandbox.run(skip, { input })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('new\tonceonly\t'),
    stderr: 'Left alone: prod.\n',
  });
  expect(profileFile(sandbox, 'prod')).toEqual(before);
  // A default that was chosen is not replaced.
  expect(await sandbox.json(['profile', 'show', 'prod'])).toMatchObject({ default: true });
  expect(await sandbox.json(skip, { input })).toEqual({
    added: [],
    skipped: ['new', 'prod'],
    defaults: [],
  });
});

describe('a file that somebody wrote by hand', () => {
  test.each<[string, unknown]>([
    ['a token', CANARY],
    ['a name in the keyring', { keyring: CANARY }],
    ['a command', { command: `echo ${CANARY} > pwned` }],
  ])('brings no secret: %s', async (_, token) => {
    const sandbox = createSandbox();
    await sandbox.json(IMPORT, { input: exported({ x: withToken(token) }) });
    expect(profileFile(sandbox, 'x').credential).toEqual({
      type: 'bearer',
      origin: 'https://a.example',
    });
    const client = {
      type: 'oauth2',
      client_id: 'x',
      client_secret: token,
      token_url: 'https://a.example/token',
      origin: 'https://a.example',
    };
    await sandbox.json(IMPORT, { input: exported({ y: { ...bare, credential: client } }) });
    expect(JSON.stringify(profileFile(sandbox, 'y'))).not.toContain(CANARY);
  });

  test('cannot say that a token may go elsewhere', async () => {
    const sandbox = createSandbox();
    const foreign = withToken(CANARY, 'https://evil.example');
    await sandbox.json(IMPORT, { input: exported({ x: foreign }) });
    expect(profileFile(sandbox, 'x').credential).toEqual({
      type: 'bearer',
      origin: 'https://a.example',
    });
  });

  const client = (more: object) => ({
    ...bare,
    credential: {
      type: 'oauth2',
      client_id: 'x',
      token_url: 'https://a.example/t',
      origin: 'https://a.example',
      ...more,
    },
  });

  test.each<[string, string]>([
    ['an unencrypted address', exported({ x: { ...bare, url: 'http://a.example' } })],
    ['an unencrypted token URL', exported({ x: client({ token_url: 'http://a.example/t' }) })],
    ['an address with a user', exported({ x: { ...bare, url: 'https://u:p@a.example' } })],
    ['another protocol', exported({ x: { ...bare, url: 'file:///etc/passwd' } })],
    ['no address', exported({ x: { service: 'onceonly' } })],
    ['another service', exported({ x: { ...bare, service: 'other' } })],
    ['an unknown authentication', exported({ x: client({ type: 'digest' }) })],
    ['one that the service does not know', exported({ x: client({ type: 'basic' }) })],
    ['control characters', exported({ x: client({ client_id: 'a\nb' }) })],
    ['control characters in the scope', exported({ x: client({ scope: 'a\u001b[2J' }) })],
    ['a path as a name', exported({ '../../x': bare })],
    ['a hidden name', exported({ '.x': bare })],
    ['the built-in name', exported({ local: bare })],
    ['a name that is none', exported({ __x__: bare })],
    ['another version', '{"version": 2, "profiles": {}, "defaults": []}'],
    ['other fields', '{"version": 1, "profiles": {}, "defaults": [], "hooks": {}}'],
    ['no JSON', 'profiles:'],
    ['nothing', ''],
  ])('adds nothing with %s', async (_, input) => {
    const sandbox = createSandbox();
    const { code, stderr } = await sandbox.run(IMPORT, { input });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Error: .+\.\nHint: .+\n$/);
    expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(profileFiles(sandbox)).toEqual([]);
  });

  test('adds nothing when the last of many is wrong', async () => {
    const sandbox = createSandbox();
    const input = exported({ a: bare, b: bare, c: { ...bare, url: 'http://a.example' } }, ['a']);
    expect((await sandbox.run(IMPORT, { input })).code).toBe(2);
    expect(profileFiles(sandbox)).toEqual([]);
    expect(await sandbox.json(['profile', 'list'])).toMatchObject([{ default: true }]);
  });

  test('brings no file of this machine', async () => {
    const sandbox = createSandbox();
    const files = {
      ca_file: '/c.pem',
      client_cert: '/home/me/c.pem',
      client_key: '/home/me/k.pem',
    };
    await sandbox.json(IMPORT, { input: exported({ x: { ...bare, ...files } }) });
    expect(profileFile(sandbox, 'x')).toEqual(bare);
  });

  test('makes no default of what is not in it', async () => {
    const sandbox = createSandbox();
    await sandbox.json(IMPORT, { input: exported({ a: bare }, ['b', '../x', 'local']) });
    expect(await sandbox.json(['profile', 'list'])).toMatchObject([
      { default: true },
      { name: 'a', default: false },
    ]);
  });
});
