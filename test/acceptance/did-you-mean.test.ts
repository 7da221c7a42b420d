import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addProfile, createSandbox } from '../support/sandbox.ts';

test.each<[string[], string, string]>([
  [
    ['leese'],
    'There is no command "leese".',
    'Did you mean lease? See those there are: leasectl --help',
  ],
  [['leese', 'k', '--ttl', '5m'], 'There is no command "leese".', 'Did you mean lease?'],
  [['claim', 'jobs'], 'There is no command "claim".', 'Did you mean jobs claim?'],
  [['heartbeat'], 'There is no command "heartbeat".', 'Did you mean jobs heartbeat?'],
  [['profil'], 'There is no command "profil".', 'Did you mean profile?'],
  [
    ['jobs', 'lst'],
    'There is no command "jobs lst".',
    'Did you mean jobs list? See those there are: leasectl jobs --help',
  ],
  [['help', 'leese'], 'There is no command "leese".', 'Did you mean lease?'],
  [['jobs', 'lst', '--help'], 'There is no command "jobs lst".', 'Did you mean jobs list?'],
  [
    ['lease', 'k', '--tll', '5m'],
    'There is no flag --tll.',
    'Did you mean --ttl? See how it is used: leasectl lease --help\n',
  ],
  [['lease', 'k', '--proflie=secret'], 'There is no flag --proflie.', 'Did you mean --profile?'],
  [['lease', 'k', '--jsn', '--json'], 'There is no flag --jsn.', 'Did you mean --json?'],
  [
    ['profile', 'add', 'x', '--service', 'onceonly', '--token', 'secret'],
    'There is no flag --token.',
    'Did you mean --token-stdin, --token-file or --token-command? An argument could be seen by others.',
  ],
  [['lease', 'k', '--time', '5s'], 'There is no flag --time.', 'Did you mean --timeout?'],
  [['lease', 'k', '--meta-dat', 'x'], 'There is no flag --meta-dat.', 'Did you mean --metadata?'],
  [['status', 'k', '-o', 'json'], 'There is no flag -o.', 'Did you mean --json?'],
  [['jobs', 'list', '--output=json'], 'There is no flag --output.', 'Did you mean --json?'],
  [['status', 'k', '--format', 'json'], 'There is no flag --format.', 'Did you mean --json?'],
  [['status', 'k', '-q', 'x'], 'There is no flag -q.', 'Did you mean --query?'],
  [
    ['profile', 'import'],
    'Missing FILE.',
    'Hint: See how it is used: leasectl profile import --help\n',
  ],
  [['lease', 'a', 'secret'], 'Too many arguments: leasectl lease takes KEY, and no more.', ''],
  [['jobs', 'list', 'secret'], 'Too many arguments: leasectl jobs list takes none.', ''],
  [['version'], 'There is no command "version".', 'Hint: For the version: leasectl --version\n'],
  [['-V'], 'There is no flag -V.', 'Hint: For the version: leasectl --version\n'],
  [
    ['profile', 'show', '--resolve', 'leese'],
    'There is no command "leese".',
    'Did you mean lease?',
  ],
  [
    ['profile', 'show', '--resolve', 'jobs'],
    'There is no command "jobs".',
    'See those there are: leasectl jobs --help',
  ],
  [['status', 'k', '--profile', 'prd'], 'There is no profile prd.', 'Did you mean prod?'],
  [['profile', 'use', 'lokal'], 'There is no profile lokal.', 'Did you mean local?'],
])('%j', async (args, message, hint) => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'prod', 'https://example.com');
  const { code, stdout, stderr } = await sandbox.run(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).toContain(hint);
  expect(stderr).not.toContain('secret');
});

test('nothing is asked where nothing is near', async () => {
  const sandbox = createSandbox();
  for (const args of [
    ['xyzzy'],
    ['lease', 'k', '--xyzzy'],
    ['status', 'k', '--profile', 'xyzzy'],
  ]) {
    const { code, stderr } = await sandbox.run(args);
    expect({ code, asks: stderr.includes('Did you mean') }).toEqual({ code: 2, asks: false });
  }
});

test('a key that this machine holds may be meant', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'deploy-prod']);
  const hintOf = async (...args: string[]) => {
    const { code, stderr } = await sandbox.run([...args, '--json']);
    return [code, Object(JSON.parse(stderr)).error.hint];
  };
  for (const command of ['status', 'result']) {
    expect(await hintOf(command, 'deploy-prd')).toEqual([
      3,
      expect.stringMatching(/--profile\. Did you mean deploy-prod\?$/),
    ]);
  }
  for (const command of ['extend', 'complete', 'cancel']) {
    expect(await hintOf(command, 'deploy-prd')).toEqual([
      2,
      expect.stringMatching(/^Did you mean deploy-prod\? .* leasectl lease deploy-prd$/),
    ]);
  }
  expect(await hintOf('extend', 'deploy-prd', '--lease-id', 'x')).toEqual([
    3,
    expect.stringContaining('Did you mean deploy-prod?'),
  ]);
  expect(await hintOf('status', 'something-else')).toEqual([3, expect.not.stringContaining('Did')]);
});

test('so may a job', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['admin', 'jobs', 'add', '--type', 'extract_facts']);
  const { job_id } = Object(await sandbox.json(['jobs', 'claim', '--next']));
  await sandbox.json(['admin', 'runner-jobs', 'add']);
  const { id } = Object(await sandbox.json(['runner-jobs', 'lease', '--runner-id', 'r']));
  const job = await sandbox.run(['jobs', 'heartbeat', `${job_id}x`]);
  expect(job).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`Did you mean ${job_id}?`),
  });
  const runnerJob = await sandbox.run(['runner-jobs', 'ping', `${id}x`]);
  expect(runnerJob).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`Did you mean ${id}?`),
  });
});

test('to ask takes no ledger, and makes none', async () => {
  const { run, ledgerFile } = createSandbox();
  expect((await run(['status', 'k'])).code).toBe(3);
  expect(existsSync(ledgerFile)).toBe(false);
});
