import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { examine, profileFile, snapshot, usedMachine } from '../support/doctor.ts';
import { createExecHost } from '../support/exec-host.ts';
import { createSandbox } from '../support/sandbox.ts';

const OFFLINE = ['--offline'];
const isRoot = process.getuid?.() === 0;

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
    const sandbox = await usedMachine();
    const before = snapshot(sandbox);
    const { code, wrong, of } = await examine(sandbox, OFFLINE);
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    expect(snapshot(sandbox)).toEqual(before);
    expect(of('database', 'leases')).toMatchObject([
      { detail: `${sandbox.databaseFile} (0600), schema 5` },
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
    const { run } = await usedMachine();
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
    const sandbox = await usedMachine();
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
      stderr: 'Error: 4 checks fail, of 21.\nHint: What mends it is below each of them.\n',
    });

    for (const { mend } of wrong) execFileSync('bash', ['-c', mend ?? 'false']);
    expect((await examine(sandbox, OFFLINE)).wrong).toEqual([]);
  });

  test('warnings alone end with 0', async () => {
    const sandbox = await usedMachine();
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
    const sandbox = await usedMachine();
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
    const sandbox = await usedMachine();
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
    const sandbox = await usedMachine();
    writeFileSync(sandbox.ledgerFile, 'no database at all'.repeat(100));
    const { of } = await examine(sandbox, OFFLINE);
    expect(of('database', 'handles')).toMatchObject([
      { status: 'fail', detail: expect.stringContaining('damaged') },
    ]);
  });

  test('an older one is not brought up to date', async () => {
    const sandbox = await usedMachine();
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
    const sandbox = await usedMachine();
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
    const sandbox = await usedMachine();
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
    // What is given to stdin here is at its end at once: the command waits for a file.
    const go = host.file('go');
    const line = `echo on; until [ -e ${go} ]; do sleep 0.05; done`;
    const running = host.leasectl(['exec', 'k', '--ttl', '5s', '--shell', '--', line]);
    await running.says(/(on)/);
    const [name = ''] = readdirSync(work);
    makeOld(join(work, name));
    expect((await examine(host, OFFLINE)).wrong).toEqual([]);

    writeFileSync(go, '');
    expect(await running.outcome).toMatchObject({ code: 0 });
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
    const sandbox = await usedMachine();
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
