import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { spawn as spawnTerminal } from '@lydell/node-pty';
import Database from 'libsql';
import stringWidth from 'string-width';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examine, snapshot } from '../support/doctor.ts';
import { createExecHost } from '../support/exec-host.ts';
import { CANARY } from '../support/hosted-answers.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { addProfile, BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';

const OFFLINE = ['--offline'];
const isRoot = process.getuid?.() === 0;

/** A machine on which leasectl has been used, and nothing is wrong. */
async function used(): Promise<Sandbox> {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'k']);
  await addProfile(sandbox, 'prod', 'https://prod.example.com', CANARY);
  return sandbox;
}

const profileFile = ({ configDirectory }: Sandbox, name: string) =>
  join(configDirectory, 'profiles', `${name}.json`);

/** Long enough ago that no process can be at it. */
function makeOld(path: string): void {
  const past = new Date(Date.now() - 60_000);
  utimesSync(path, past, past);
}

describe('on a machine in order', () => {
  test('that is new, all is ok, and nothing is made', async () => {
    const sandbox = createSandbox();
    const { code, wrong, of } = await examine(sandbox);
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    expect(snapshot(sandbox)).toEqual([]);
    expect(of('node')).toMatchObject([{ detail: expect.stringContaining(process.versions.node) }]);
    expect(of('sqlite')).toMatchObject([{ detail: expect.stringMatching(/^3\.\d+\.\d+, /) }]);
  });

  test('that is used, all is ok, and nothing is changed', async () => {
    const sandbox = await used();
    const before = snapshot(sandbox);
    const { code, wrong, of } = await examine(sandbox, OFFLINE);
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    expect(snapshot(sandbox)).toEqual(before);
    expect(of('database', 'leases')).toMatchObject([
      { detail: `${sandbox.databaseFile} (0600), schema 2` },
    ]);
    expect(of('directory', 'data')).toMatchObject([
      { detail: `${dirname(sandbox.databaseFile)} (0700), and SQLite works there` },
    ]);
    expect(of('profile', 'prod')).toMatchObject([
      { detail: 'onceonly at https://prod.example.com, token: in its file' },
    ]);
    expect(of('default', 'onceonly')).toMatchObject([{ detail: 'prod' }]);
    expect(of('embedded')).toMatchObject([{ subject: 'local', took_ms: expect.any(Number) }]);
  });

  test('a pipe gets a line for each check, with four fields', async () => {
    const { run } = await used();
    const { code, stdout, stderr } = await run(['doctor', ...OFFLINE]);
    const [head, ...lines] = stdout.replace(/\n$/, '').split('\n');
    expect({ code, stderr, head }).toEqual({
      code: 0,
      stderr: '',
      head: 'CHECK\tSTATUS\tDETAIL\tMEND',
    });
    for (const line of lines) expect(line).toMatch(/^[^\t]+\tok\t[^\t]+\t$/);
    expect(lines.length).toBeGreaterThan(15);
  });
});

describe('rights', () => {
  test('that others have are told, and mended by what is shown', async () => {
    const sandbox = await used();
    const { configDirectory, databaseFile, ledgerFile, run } = sandbox;
    chmodSync(configDirectory, 0o755);
    chmodSync(dirname(databaseFile), 0o777);
    chmodSync(dirname(ledgerFile), 0o500);
    chmodSync(profileFile(sandbox, 'prod'), 0o644);
    chmodSync(ledgerFile, 0o640);
    const { wrong } = await examine(sandbox, OFFLINE);
    expect(wrong.map(({ name, subject, status }) => [name, subject, status])).toEqual([
      ['directory', 'config', 'warn'],
      ['directory', 'data', 'fail'],
      ['directory', 'state', 'fail'],
      ['database', 'handles', 'fail'],
      ['profile', 'prod', 'fail'],
    ]);
    expect(wrong[0]).toMatchObject({
      detail: `${configDirectory} (0755): others may read it`,
      mend: `chmod 700 ${configDirectory}`,
    });
    const shown = await run(['doctor', ...OFFLINE]);
    expect(shown).toMatchObject({
      code: 1,
      stderr: 'Error: 4 checks fail, of 20.\nHint: What mends it is below each of them.\n',
    });

    for (const { mend } of wrong) execFileSync('bash', ['-c', mend ?? 'false']);
    expect((await examine(sandbox, OFFLINE)).wrong).toEqual([]);
  });

  test('warnings alone end with 0', async () => {
    const sandbox = await used();
    chmodSync(sandbox.configDirectory, 0o750);
    const { code, ok, wrong } = await examine(sandbox, OFFLINE);
    expect({ code, ok, count: wrong.length }).toEqual({ code: 0, ok: true, count: 1 });
  });

  test('what is in the place of a directory is told', async () => {
    const sandbox = createSandbox();
    mkdirSync(dirname(sandbox.configDirectory));
    writeFileSync(sandbox.configDirectory, '');
    const { of } = await examine(sandbox);
    expect(of('directory', 'config')).toMatchObject([
      { status: 'fail', mend: `rm ${sandbox.configDirectory}` },
    ]);
  });

  test.runIf(isRoot)('what belongs to another user is told', async () => {
    const sandbox = await used();
    chownSync(profileFile(sandbox, 'prod'), 12_345, 12_345);
    const { wrong } = await examine(sandbox, OFFLINE);
    expect(wrong).toMatchObject([
      {
        name: 'profile',
        detail: expect.stringContaining('belongs to user 12345'),
        mend: `sudo chown -R 0 ${profileFile(sandbox, 'prod')}`,
      },
    ]);
  });
});

describe('databases', () => {
  const changed = (file: string, sql: string) => {
    const db = new Database(file);
    db.exec(sql);
    db.close();
  };

  test.each([
    ['of a newer leasectl', 'PRAGMA user_version = 99', 'newer leasectl'],
    ['of another program', 'PRAGMA application_id = 1', 'another program'],
  ])('one %s fails, and is not changed', async (_, sql, words) => {
    const sandbox = await used();
    changed(sandbox.databaseFile, sql);
    const before = snapshot(sandbox);
    const { of } = await examine(sandbox, OFFLINE);
    expect(of('database', 'leases')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining(words), mend: expect.any(String) },
    ]);
    expect(of('embedded')).toMatchObject([{ status: 'fail' }]);
    expect(readFileSync(sandbox.databaseFile)).toBeDefined();
    expect(snapshot(sandbox).filter((line) => !/-(shm|wal) /.test(line))).toEqual(before);
  });

  test('a damaged one fails', async () => {
    const sandbox = await used();
    writeFileSync(sandbox.ledgerFile, 'no database at all'.repeat(100));
    const { of } = await examine(sandbox, OFFLINE);
    expect(of('database', 'handles')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining('damaged') },
    ]);
  });

  test('an older one is not brought up to date', async () => {
    const sandbox = await used();
    changed(sandbox.databaseFile, 'PRAGMA user_version = 1');
    const { of, wrong } = await examine(sandbox, OFFLINE);
    expect(wrong).toEqual([]);
    expect(of('database', 'leases')).toMatchObject([
      { detail: expect.stringContaining('schema 1, which the next command') },
    ]);
    const db = new Database(sandbox.databaseFile);
    expect(db.prepare('PRAGMA user_version').all()).toEqual([{ user_version: 1 }]);
    db.close();
  });

  test('one that another process keeps locked fails, and is not waited for', async () => {
    const sandbox = await used();
    const db = new Database(sandbox.databaseFile);
    onTestFinished(() => void db.close());
    db.exec('BEGIN IMMEDIATE');
    const begun = performance.now();
    const { of } = await examine(sandbox, [...OFFLINE, '--timeout', '1s']);
    expect(performance.now() - begun).toBeLessThan(6_000);
    expect(of('embedded')).toMatchObject([
      {
        status: 'fail',
        detail: `another process keeps ${sandbox.databaseFile} locked`,
        mend: `fuser -v ${sandbox.databaseFile}`,
      },
    ]);
  });
});

describe('leftovers', () => {
  test('of writers that were killed are told, and those of writers at work are not', async () => {
    const sandbox = await used();
    const [old, young] = ['old', 'young'].map((name) => `${profileFile(sandbox, name)}.x.tmp`);
    for (const file of [old, young]) writeFileSync(file ?? '', '');
    makeOld(old ?? '');
    const { wrong } = await examine(sandbox, OFFLINE);
    expect(wrong).toMatchObject([{ name: 'leftover', status: 'warn', mend: `rm -r ${old}` }]);
    expect(existsSync(old ?? '')).toBe(true);
  });

  test('of exec are told when nothing uses them any more', async () => {
    const host = createExecHost();
    const work = join(dirname(host.ledgerFile), 'work');
    const running = host.leasectl(
      ['exec', 'k', '--ttl', '5s', '--shell', '--', 'echo on; read x'],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    await running.says(/(on)/);
    const [name = ''] = readdirSync(work);
    makeOld(join(work, name));
    expect((await examine(host, OFFLINE)).wrong).toEqual([]);

    running.child.stdin?.end('\n');
    await running.outcome;
    expect(readdirSync(work)).toEqual([]);
    mkdirSync(join(work, name));
    writeFileSync(join(work, name, 'result.json'), '{}');
    makeOld(join(work, name));
    expect((await examine(host, OFFLINE)).wrong).toMatchObject([
      {
        name: 'leftover',
        status: 'warn',
        detail: expect.stringContaining('with a result that nobody got'),
        mend: `rm -r ${join(work, name)}`,
      },
    ]);
  });

  test('a directory that a process was told of is in use', async () => {
    const sandbox = await used();
    const directory = join(dirname(sandbox.ledgerFile), 'work', 'a'.repeat(24));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(dirname(directory), 0o700);
    makeOld(directory);
    const env = { ...sandbox.env, LEASECTL_RESULT_FILE: join(directory, 'result.json') };
    const child = spawn('sleep', ['60'], { env });
    onTestFinished(() => void child.kill());
    expect((await examine(sandbox, OFFLINE)).wrong).toEqual([]);
  });
});

describe('profiles', () => {
  test('each mistake is told, and the others are, too', async () => {
    const sandbox = await used();
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
    const sandbox = await used();
    const file = profileFile(sandbox, 'prod');
    const profile = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...profile, ca_file: '/no/such.pem' }));
    expect((await examine(sandbox, OFFLINE)).wrong).toMatchObject([
      { name: 'profile', status: 'fail', detail: '/no/such.pem cannot be read (ENOENT)' },
    ]);
  });

  test('a project names profiles that there are', async () => {
    const sandbox = await used();
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
      HTTPS_PROXY: `http://user:${CANARY}@proxy.example.com:3128`,
      NO_PROXY: 'localhost',
      PATH_OF_NOBODY: 'x',
    });
    expect(found).toEqual({
      LEASECTL_STORAGE: { status: 'ok', detail: 'file', mend: null },
      ONCEONLY_API_KEY: { status: 'ok', detail: 'set, for https://api.onceonly.tech', mend: null },
      NO_COLOR: { status: 'ok', detail: 'set: there are no colors', mend: null },
      HTTPS_PROXY: {
        status: 'ok',
        detail: 'http://proxy.example.com:3128, with a password',
        mend: null,
      },
      NO_PROXY: { status: 'ok', detail: 'localhost', mend: null },
    });
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
    const sandbox = await used();
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

describe('on a terminal', () => {
  const shown = (sandbox: Sandbox, cols: number, more: Record<string, string> = {}) =>
    new Promise<string>((resolve) => {
      const terminal = spawnTerminal(process.execPath, [BIN, 'doctor', '--offline'], {
        name: 'xterm-256color',
        cols,
        rows: 50,
        env: { ...sandbox.env, ...more },
      });
      let screen = '';
      terminal.onData((data) => {
        screen += data;
      });
      terminal.onExit(() => resolve(screen.replaceAll('\r', '')));
    });

  test.each([60, 80, 200])('of %d columns it fits, and commands stay whole', async (columns) => {
    const sandbox = await used();
    await addProfile(sandbox, `p${'x'.repeat(60)}`, 'https://long.example.com');
    chmodSync(sandbox.configDirectory, 0o755);
    const lines = (await shown(sandbox, columns, { NO_COLOR: '1' })).trimEnd().split('\n');
    const mends = lines.filter((line) => line.startsWith('  → '));
    expect(mends).toEqual([`  → chmod 700 ${sandbox.configDirectory}`]);
    const others = lines.filter((line) => !mends.includes(line));
    for (const line of others) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    expect(others[0]).toMatch(/^CHECK +STATUS {2}DETAIL$/);
    const begin = others[0]?.indexOf('DETAIL') ?? 0;
    for (const line of others.slice(1)) {
      expect(line.slice(0, begin), line).toMatch(/^( +|.*(ok|warn|fail) *)$/);
    }
  });

  test('there are colors, and the words stay', async () => {
    const sandbox = await used();
    chmodSync(sandbox.configDirectory, 0o755);
    chmodSync(profileFile(sandbox, 'prod'), 0o644);
    const screen = await shown(sandbox, 80);
    for (const [color, word] of [
      [32, 'ok'],
      [33, 'warn'],
      [31, 'fail'],
    ]) {
      expect(screen).toContain(`\u001b[${color}m${word}`);
    }
    expect(await shown(sandbox, 80, { NO_COLOR: '1' })).not.toContain('\u001b[3');
  });
});
