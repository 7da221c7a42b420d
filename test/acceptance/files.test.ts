import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { examine } from '../support/doctor.ts';
import { profileFile } from '../support/profile-files.ts';
import { BIN, createSandbox, type Outcome, outcomeOf } from '../support/sandbox.ts';

const GARBAGE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const ADD = ['profile', 'add', 'far', '--service', 'onceonly', '--url', 'https://far.example'];
/** What takes longer hangs, in milliseconds. */
const LONG = 5_000;

function expectFailure({ code, stdout, stderr }: Outcome, ...words: string[]) {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  for (const word of words) expect(stderr).toContain(word);
}

/** A client's certificate and authority in the sandbox, and what may come in their place. */
function setUp() {
  const sandbox = createSandbox();
  const file = (name: string) => join(sandbox.directory, name);
  const authority = createAuthority();
  const [mine, other] = [authority.issue('a', 'DNS:a'), authority.issue('b', 'DNS:b')];
  copyFileSync(authority.certFile, file('ca'));
  copyFileSync(mine.certFile, file('cert'));
  copyFileSync(mine.keyFile, file('key'));
  writeFileSync(file('garbage'), GARBAGE);
  writeFileSync(file('bundle'), authority.cert + GARBAGE);
  const locked = ['-in', mine.keyFile, '-aes256', '-passout', 'pass:x', '-out'];
  execFileSync('openssl', ['pkey', ...locked, file('locked')], { stdio: 'pipe' });
  execFileSync('openssl', ['ec', ...locked, file('oldlocked')], { stdio: 'pipe' });
  const edit = (...flags: string[]) => sandbox.run(['profile', 'edit', 'far', ...flags]);
  return { sandbox, file, authority, mine, other, edit };
}

describe('the files of a connection', () => {
  test('are looked at when they are given', async () => {
    const { sandbox, file, mine, other, edit } = setUp();
    const pair = (cert: string, key: string) => ['--client-cert', cert, '--client-key', key];
    const cases: [string[], string][] = [
      [['--ca-file', file('garbage')], `${file('garbage')} holds no certificate in PEM.`],
      [['--ca-file', file('bundle')], `${file('bundle')} holds no certificate in PEM.`],
      [['--ca-file', file('key')], `${file('key')} holds no certificate in PEM.`],
      [['--ca-file', file('missing')], `${file('missing')} cannot be read (ENOENT).`],
      [['--ca-file', sandbox.directory], 'is no ordinary file'],
      [pair(file('cert'), other.keyFile), 'is not the key of'],
      [pair(file('cert'), file('locked')), 'a key with a passphrase'],
      [pair(file('cert'), file('oldlocked')), 'a key with a passphrase'],
      [pair(file('cert'), file('cert')), 'holds no private key'],
      [pair(file('garbage'), file('key')), 'holds no certificate'],
    ];
    for (const [flags, words] of cases) {
      expectFailure(await sandbox.run([...ADD, ...flags]), words, 'Hint: ');
    }
    expect((await sandbox.run([...ADD, ...pair(file('cert'), file('key'))])).code).toBe(0);
    for (const [flags, words] of cases) expectFailure(await edit(...flags), words);
    // One of them alone is for the other one that the profile has.
    expectFailure(await edit('--client-key', other.keyFile), 'is not the key of');
    expect((await edit('--client-key', mine.keyFile)).code).toBe(0);
  });

  test.each<[string, (file: string) => unknown, string]>([
    ['a pipe', (file) => execFileSync('mkfifo', [file]), 'is no ordinary file'],
    ['a device', (file) => symlinkSync('/dev/zero', file), 'is no ordinary file'],
    ['a directory', (file) => mkdirSync(file), 'is no ordinary file'],
    ['too large', (file) => writeFileSync(file, ' '.repeat(1_048_577)), 'more than 1024 kB'],
    ['no certificate', (file) => writeFileSync(file, GARBAGE), 'in PEM'],
    ['missing', () => undefined, 'cannot be read (ENOENT)'],
  ])('that have become %s are named, at once', async (_, become, words) => {
    const { sandbox, file, edit } = setUp();
    await sandbox.json([...ADD, '--token-stdin'], { input: 'token' });
    const all = { ca: '--ca-file', cert: '--client-cert', key: '--client-key' };
    const given = Object.entries(all).flatMap(([name, flag]) => [flag, file(name)]);
    expect((await edit(...given)).code).toBe(0);
    for (const [name, flag] of Object.entries(all)) {
      copyFileSync(file(name), file('kept'));
      rmSync(file(name));
      become(file(name));
      const begun = performance.now();
      const outcome = await sandbox.run(['status', 'k']);
      expectFailure(outcome, file(name), words, `leasectl profile edit NAME ${flag} FILE`);
      const { of } = await examine(sandbox, ['far', '--offline']);
      expect(of('profile', 'far')).toMatchObject([
        { status: 'fail', detail: expect.stringContaining(words) },
      ]);
      expect(performance.now() - begun).toBeLessThan(LONG);
      rmSync(file(name), { recursive: true, force: true });
      copyFileSync(file('kept'), file(name));
    }
  });
});

describe('a file that the user names', () => {
  test('may be a pipe, as a shell makes it of a command', async () => {
    const sandbox = createSandbox();
    const line = `'${process.execPath}' '${BIN}' ${ADD.join(' ')} --token-file <(echo from-a-pipe)`;
    const shell = spawn('bash', ['-c', line], { cwd: sandbox.directory, env: sandbox.env });
    expect(await outcomeOf(shell)).toMatchObject({ code: 0, stderr: '' });
    expect(profileFile(sandbox, 'far')).toMatchObject({ credential: { token: 'from-a-pipe' } });
  });

  test.each([
    ['/dev/zero', 'has more than 8 MiB.'],
    ['/', 'cannot be read (EISDIR).'],
    ['/missing', 'cannot be read (ENOENT).'],
  ])('but has an end: %s', async (file, words) => {
    const { run } = createSandbox();
    expectFailure(await run([...ADD, '--token-file', file]), `--token-file: "${file}" ${words}`);
    const heartbeat = ['jobs', 'heartbeat', 'j', '--handle-file', file];
    expectFailure(await run(heartbeat), `--handle-file: "${file}" ${words}`);
    const complete = ['complete', 'k', '--result', `@${file}`];
    expectFailure(await run(complete), `--result: "${file}" ${words}`);
  });
});

test('a command brings the logs of its databases home', async () => {
  const { databaseFile, ledgerFile, run } = createSandbox();
  for (const args of [['lease', 'k'], ['status', 'k'], ['ls'], ['complete', 'k']]) {
    expect((await run(args)).code).toBe(0);
    expect(readdirSync(dirname(databaseFile)), args[0]).toEqual(['leases.db']);
    expect(readdirSync(dirname(ledgerFile)), args[0]).toEqual(['handles.db']);
  }
});
