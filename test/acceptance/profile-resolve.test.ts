import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';

const TOKEN = 'canary_0123456789abcdef';

/** What a command would go by: each setting with its value, and with what said it. */
async function resolved(
  { json }: Sandbox,
  words: string,
  env: Readonly<Record<string, string>> = {},
  ...more: string[]
): Promise<Record<string, [value: string | null, source: string]>> {
  const rows = Object(await json(['profile', 'show', ...more, '--resolve', words], { env }));
  return Object.fromEntries(
    rows.map(({ setting, value, source }: Record<string, string>) => [setting, [value, source]]),
  );
}

test('without configuration all is built in', async () => {
  const sandbox = createSandbox();
  expect(await resolved(sandbox, 'lease')).toEqual({
    service: ['onceonly', 'command lease'],
    profile: ['local', 'built-in'],
    url: ['embedded', 'built-in'],
    ttl: ["the service's", 'built-in'],
    'key prefix': [null, 'built-in'],
  });
  expect(await resolved(sandbox, 'exec')).toMatchObject({ ttl: ['60s', 'built-in'] });
});

test('each value has its source: a flag, the environment, a profile, what is built in', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://a.example/v1', TOKEN);
  await addProfile(sandbox, 'other', 'https://b.example', TOKEN);
  const { certFile, keyFile } = createAuthority();
  const network = ['--ca-file', certFile, '--client-cert', certFile, '--client-key', keyFile];
  await sandbox.json(['profile', 'edit', 'prod', ...network]);
  expect(await resolved(sandbox, 'status')).toEqual({
    service: ['onceonly', 'command status'],
    profile: ['prod', 'default of onceonly'],
    url: ['https://a.example/v1', 'profile prod'],
    authentication: ['bearer', 'profile prod'],
    token: ['file …cdef', 'profile prod'],
    'ca file': [certFile, 'profile prod'],
    'client certificate': [certFile, 'profile prod'],
    'client key': [keyFile, 'profile prod'],
    'key prefix': [null, 'built-in'],
  });
  const env = { LEASECTL_PROFILE: 'other' };
  expect(await resolved(sandbox, 'status', env)).toMatchObject({
    profile: ['other', 'LEASECTL_PROFILE'],
  });
  expect(await resolved(sandbox, 'status', env, 'prod')).toMatchObject({
    profile: ['prod', '--profile'],
  });
  const given = { LEASECTL_TOKEN: 'another_canary_0123456789' };
  expect(await resolved(sandbox, 'status', given)).toMatchObject({
    token: ['…6789', 'LEASECTL_TOKEN (over that of profile prod)'],
  });
  // The stored token is not for there.
  expect(await resolved(sandbox, 'status', { LEASECTL_URL: 'https://c.example' })).toMatchObject({
    url: ['https://c.example', 'LEASECTL_URL'],
    token: [null, 'nowhere'],
  });
  const workspace = { ASKUI_WORKSPACE_ID: 'w', ASKUI_TOKEN: 'askui_canary_0123456789' };
  expect(await resolved(sandbox, 'runner-jobs lease', workspace)).toEqual({
    service: ['askui', 'command runner-jobs lease'],
    profile: [null, 'environment'],
    url: ['https://workspaces.askui.com', 'ASKUI_TOKEN'],
    authentication: ['basic', 'usual for askui'],
    token: ['…6789', 'ASKUI_TOKEN'],
    workspace: ['w', 'ASKUI_WORKSPACE_ID'],
  });
});

test('a project file is a source, too', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://a.example', TOKEN);
  await addProfile(sandbox, 'theirs', 'https://b.example', TOKEN);
  const { directory } = sandbox;
  mkdirSync(join(directory, '.git'));
  const content = { profiles: { onceonly: 'theirs' }, ttl: { lease: '5m' }, key_prefix: 'web-' };
  const file = join(directory, '.leasectl.json');
  writeFileSync(file, JSON.stringify(content));
  const { stdout } = await sandbox.run(['profile', 'show', '--resolve', 'lease'], {
    cwd: directory,
  });
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')),
  ).toEqual([
    ['SETTING', 'VALUE', 'FROM'],
    ['service', 'onceonly', 'command lease'],
    ['profile', 'theirs', file],
    ['url', 'https://b.example', 'profile theirs'],
    ['authentication', 'bearer', 'profile theirs'],
    ['token', 'file …cdef', 'profile theirs'],
    ['ttl', '5m', file],
    ['key prefix', 'web-', file],
  ]);
});

test.each([
  ['nope', /There is no command "nope"\./],
  [
    'profile list',
    /^Error: The command profile list asks no service: there is nothing to resolve\./,
  ],
])('%s is refused', async (words, message) => {
  const { run } = createSandbox();
  const { code, stderr } = await run(['profile', 'show', '--resolve', words]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test.each([
  [['leasectl lease'], 'lease', 'prod'],
  [['jobs', 'claim'], 'jobs claim', 'local'],
  [['leasectl', 'jobs', 'claim', '--json'], 'jobs claim', 'local'],
  [['lease', 'local'], 'lease', 'local'],
  [['jobs', 'claim', 'local'], 'jobs claim', 'local'],
])('the words after --resolve need no quotes: %j', async (words, command, profile) => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://a.example', TOKEN);
  const { stdout } = await sandbox.run(['profile', 'show', '--resolve', ...words]);
  expect(stdout).toContain(`command ${command}`);
  expect(stdout).toMatch(words.includes('--json') ? `"value":"${profile}"` : `profile\t${profile}`);
});

test('what cannot be resolved fails as the command would', async () => {
  const { run } = createSandbox();
  const env = { LEASECTL_TOKEN: '' };
  const shown = await run(['profile', 'show', '--resolve', 'status'], { env });
  expect(shown).toEqual(await run(['status', 'k'], { env }));
  expect(shown.code).toBe(2);
  expect(shown.stderr).toContain('LEASECTL_TOKEN is set, but empty.');
});
