import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examine, profileFile, usedMachine } from '../support/doctor.ts';
import { CANARY } from '../support/hosted-answers.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { addProfile, BIN, createSandbox } from '../support/sandbox.ts';

const OFFLINE = ['--offline'];

describe('profiles', () => {
  test('each mistake is told, and the others are, too', async () => {
    const sandbox = await usedMachine();
    const { json, configDirectory } = sandbox;
    for (const name of ['plain', 'moved', 'gone']) {
      await addProfile(sandbox, name, `https://${name}.example.com`);
    }
    await json(['profile', 'add', 'empty', '--service', 'askui']);
    const edit = (name: string, from: string, to: string) => {
      const file = profileFile(sandbox, name);
      writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
    };
    edit('plain', 'https://plain', 'http://plain');
    edit('moved', '"url": "https://moved', '"url": "https://elsewhere');
    writeFileSync(profileFile(sandbox, 'broken'), '{"service": "onceonly",\n', { mode: 0o600 });
    await json(['profile', 'use', 'gone']);
    rmSync(profileFile(sandbox, 'gone'));
    const retaia = join(configDirectory, 'defaults', 'retaia.json');
    writeFileSync(retaia, '{"profile": "prod"}', { mode: 0o600 });
    const { wrong } = await examine(sandbox, OFFLINE);
    expect(wrong.map(({ name, subject, status, mend }) => [name, subject, status, mend])).toEqual([
      ['profile', 'broken', 'fail', 'Mend that line, or remove the file. It was not changed.'],
      ['profile', 'empty', 'warn', 'leasectl profile edit empty --token-stdin'],
      ['profile', 'moved', 'fail', 'leasectl profile edit moved --token-stdin'],
      ['profile', 'plain', 'fail', expect.stringContaining('--url https://plain.example.com')],
      ['default', 'onceonly', 'fail', expect.stringMatching(/^leasectl profile use /)],
      ['default', 'retaia', 'fail', 'leasectl profile use local'],
    ]);
    expect(wrong[0]?.detail).toContain('broken.json:2:');
  });

  test('the files that they name have to be there', async () => {
    const sandbox = await usedMachine();
    const file = profileFile(sandbox, 'prod');
    const profile = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...profile, ca_file: '/no/such.pem' }));
    expect((await examine(sandbox, OFFLINE)).wrong).toMatchObject([
      { name: 'profile', status: 'fail', detail: '/no/such.pem cannot be read (ENOENT)' },
    ]);
  });

  test('a project names profiles that there are', async () => {
    const sandbox = await usedMachine();
    const file = join(sandbox.directory, '.leasectl.json');
    const examined = async (content: object | string) => {
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
      const line = `cd ${sandbox.directory} && exec ${process.execPath} ${BIN} doctor --offline --json`;
      const { stdout } = await new Promise<{ stdout: string }>((resolve) => {
        const child = spawn('bash', ['-c', line], { env: sandbox.env });
        let stdout = '';
        child.stdout.on('data', (chunk) => {
          stdout += chunk;
        });
        child.on('close', () => resolve({ stdout }));
      });
      const { checks } = JSON.parse(stdout);
      return checks.filter(({ name }: { name: string }) => name === 'project');
    };
    expect(await examined({ profiles: { onceonly: 'prod' }, ttl: { lease: '5m' } })).toMatchObject([
      { status: 'ok', detail: file },
    ]);
    expect(
      await examined({ profiles: { onceonly: 'nope', askui: 'prod' }, ttl: { lease: 'long' } }),
    ).toMatchObject([
      { status: 'fail', mend: 'leasectl profile add nope --service onceonly --token-stdin' },
      { status: 'fail', detail: expect.stringContaining('is for onceonly, and not for askui') },
      { status: 'fail', detail: expect.stringContaining('no usable duration: "long"') },
    ]);
    expect(await examined('{')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining(`${file}:1:`) },
    ]);
  });
});

describe('variables', () => {
  const examined = async (env: Record<string, string>, args = OFFLINE) => {
    const sandbox = createSandbox();
    const { checks, output } = await examine(sandbox, args, { env });
    const variables = checks.filter(({ name }) => name === 'variable');
    expect(output).not.toContain(CANARY);
    return Object.fromEntries(
      variables.map(({ subject, status, detail, mend }) => [subject, { status, detail, mend }]),
    );
  };

  test('those that matter are told, and no secret is', async () => {
    const found = await examined({
      ONCEONLY_API_KEY: CANARY,
      NO_COLOR: '1',
      LEASECTL_NO_CONTEXT: '1',
      HTTPS_PROXY: `http://user:${CANARY}@proxy.example.com:3128`,
      NO_PROXY: 'localhost',
      PATH_OF_NOBODY: 'x',
    });
    expect(found).toEqual({
      LEASECTL_STORAGE: { status: 'ok', detail: 'file', mend: null },
      ONCEONLY_API_KEY: { status: 'ok', detail: 'set, for https://api.onceonly.tech', mend: null },
      LEASECTL_NO_CONTEXT: {
        status: 'ok',
        detail: 'set: leases do not say where they were taken',
        mend: null,
      },
      NO_COLOR: { status: 'ok', detail: 'set: there are no colors', mend: null },
      HTTPS_PROXY: {
        status: 'ok',
        detail: 'http://proxy.example.com:3128, with a password',
        mend: null,
      },
      NO_PROXY: { status: 'ok', detail: 'localhost', mend: null },
    });
  });

  test('a token in the wrong place is not told either', async () => {
    const url = `http://x.example.com/${CANARY}`;
    const found = await examined({ LEASECTL_PROFILE: CANARY, LEASECTL_TOKEN: CANARY });
    expect(found['LEASECTL_PROFILE']).toMatchObject({ detail: 'there is no profile ***' });
    await examined({ LEASECTL_URL: url, LEASECTL_TOKEN: CANARY });
  });

  test.each<[string, Record<string, string>, object]>([
    ['LEASECTL_URL', { LEASECTL_URL: '' }, { status: 'fail', mend: 'unset LEASECTL_URL' }],
    ['LEASECTL_TOKEN', { LEASECTL_TOKEN: ' ' }, { status: 'fail', detail: 'set, but empty' }],
    [
      'LEASECTL_TOKEN',
      { LEASECTL_TOKEN: CANARY },
      { status: 'fail', detail: /nothing says where/ },
    ],
    ['LEASECTL_TOKEN', { LEASECTL_TOKEN: `${CANARY} x` }, { status: 'fail' }],
    ['LEASECTL_URL', { LEASECTL_URL: 'https://x.example.com' }, { status: 'warn' }],
    ['LEASECTL_URL', { LEASECTL_URL: 'http://x.example.com' }, { status: 'fail' }],
    ['LEASECTL_URL', { LEASECTL_URL: `https://u:${CANARY}@x.example.com` }, { status: 'fail' }],
    [
      'LEASECTL_PROFILE',
      { LEASECTL_PROFILE: 'nope' },
      { status: 'fail', mend: 'unset LEASECTL_PROFILE' },
    ],
    ['LEASECTL_TOKE', { LEASECTL_TOKE: CANARY }, { status: 'warn', mend: 'unset LEASECTL_TOKE' }],
    ['LEASECTL_STORAGE', { LEASECTL_STORAGE: 'cloud' }, { status: 'fail' }],
    ['ASKUI_WORKSPACE_ID', { ASKUI_WORKSPACE_ID: 'mine' }, { status: 'fail' }],
    [
      'XDG_STATE_HOME',
      { XDG_STATE_HOME: 'state' },
      { status: 'warn', mend: 'unset XDG_STATE_HOME' },
    ],
    ['HTTPS_PROXY', { HTTPS_PROXY: `ftp://${CANARY}` }, { status: 'fail' }],
    ['NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: '/no/such' }, { status: 'fail' }],
    ['NODE_TLS_REJECT_UNAUTHORIZED', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, { status: 'fail' }],
  ])('%s, given %j', async (name, env, expected) => {
    const wanted = Object.entries(expected).map(([field, value]) => [
      field,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]);
    expect((await examined(env))[name]).toMatchObject(Object.fromEntries(wanted));
  });
});

describe('the keyring', () => {
  test('fails where it is wanted and not there', async () => {
    const sandbox = await usedMachine();
    const env = { LEASECTL_STORAGE: 'keyring' };
    expect((await examine(sandbox, OFFLINE, { env })).wrong).toMatchObject([
      { name: 'keyring', status: 'fail', detail: expect.stringContaining('no D-Bus session bus') },
    ]);
  });

  test.skipIf(canSkipKeyring)('is tried where there is one', async () => {
    const bus = await startMessageBus();
    const sandbox = createSandbox();
    const env = { ...bus.env, LEASECTL_STORAGE: 'keyring' };
    const { wrong, of } = await examine(sandbox, OFFLINE, { env });
    expect(wrong).toEqual([]);
    expect(of('keyring')).toMatchObject([
      { detail: 'Secret Service takes secrets, and gives them back' },
    ]);
  });
});

test('a profile that is not there is a mistake in the command', async () => {
  const { run } = createSandbox();
  expect(await run(['doctor', 'nope'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('There is no profile nope.'),
  });
});
