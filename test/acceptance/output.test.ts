import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STATE } from '../support/hosted-answers.ts';
import { BIN, createSandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const job = ['admin', 'jobs', 'add', '--type', 'extract_facts'];

describe('--field', () => {
  test('gives what a script needs of an answer', async () => {
    const { run, json } = createSandbox();
    const leased = await run(['lease', 'k', '--ttl', '60s', '--field', 'lease_id']);
    expect(leased).toMatchObject({ code: 0, stdout: expect.stringMatching(/^lease_\w+\n$/) });
    const input = JSON.stringify({ commit: '4f2a9c', none: null });
    await json(['complete', 'k', '--result', '-'], { input });
    const fieldOf = async (name: string) => (await run(['result', 'k', '--field', name])).stdout;
    expect(await fieldOf('status')).toBe('completed\n');
    expect(await fieldOf('result.commit')).toBe('4f2a9c\n');
    expect(await fieldOf('result.none')).toBe('\n');
    expect(await fieldOf('result.none.x')).toBe('\n');
    for (const [path, parent, there] of [
      ['result.comit', 'result', 'There are commit, none.'],
      ['status.x', 'status', 'It has no fields at all: see it with --json.'],
    ]) {
      const { code, stdout, stderr } = await run(['result', 'k', '--field', String(path)]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`Error: ${parent} in the answer has no field `);
      expect(stderr).toContain(`Hint: ${there}`);
    }
    expect(await fieldOf('result')).toBe('{"commit":"4f2a9c","none":null}\n');
  });

  test('gives a line for each element of a list', async () => {
    const { run, json } = createSandbox();
    expect(await run(['jobs', 'list', '--field', 'job_id'])).toMatchObject({ code: 0, stdout: '' });
    const jobs = Object(await json([...job, '--count', '2']));
    const ids = jobs.map(({ job_id }: { job_id: string }) => `${job_id}\n`).join('');
    expect((await run(['jobs', 'list', '--field', 'job_id'])).stdout).toBe(ids);
    // The contract knows it, and nobody has claimed them yet.
    expect((await run(['jobs', 'list', '--field', 'claimed_by'])).stdout).toBe('\n\n');
  });

  test('keeps the digits that came, and spells out what acts on a terminal', async () => {
    const body =
      '{"ok":true,"status":"failed","key":"k","big":12345678901234567890,"half":1.50,"bad":"\\u001b[2J"}';
    const stub = await startStub(...Array.from({ length: 4 }, () => ({ status: 200, body })));
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
    const of = async (...choice: string[]) =>
      (await run(['status', 'k', ...choice], { env })).stdout;
    expect(await of('--field', 'big')).toBe('12345678901234567890\n');
    expect(await of('--field', 'half')).toBe('1.50\n');
    expect(await of('--field', 'bad')).toBe('\\u001b[2J\n');
    expect(await of('--query', 'bad')).toBe('"\\u001b[2J"\n');
  });

  test('a field that the service leaves out is empty, another one is a mistake', async () => {
    const { ok, status, key } = STATE;
    const reply = { status: 200, body: { ok, status, key } };
    const stub = await startStub(reply, reply);
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
    const empty = await run(['status', 'k', '--field', 'error_code'], { env });
    expect(empty).toMatchObject({ code: 0, stdout: '\n' });
    const wrong = await run(['status', 'k', '--field', 'eror_code'], { env });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('There are ok, status, key.');
  });

  test('does not hide that a lease was taken', async () => {
    const { run } = createSandbox();
    for (const [flag, value, nothing] of [
      ['--field', 'leaseid', '\n'],
      ['--query', 'sum(key)', 'null\n'],
    ] as const) {
      const { code, stdout, stderr } = await run(['lease', `k${flag}`, flag, value]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: nothing });
      expect(stderr).toMatch(/^Warning: .* The exit code tells how the work went\.\n$/);
      const held = await run(['lease', `k${flag}`, flag, value]);
      expect(held).toMatchObject({ code: 11, stdout: nothing });
    }
  });
});

describe('--query', () => {
  test('gives JSON: on one line in a pipe', async () => {
    const { run, json } = createSandbox();
    await json([...job, '--count', '2']);
    const query = '[].{type: job_type, needs: length(required_capabilities)}';
    const { code, stdout } = await run(['jobs', 'list', '--query', query]);
    expect(code).toBe(0);
    const one = { type: 'extract_facts', needs: 0 };
    expect(stdout).toBe(`${JSON.stringify([one, one])}\n`);
  });

  test('is read before anything is sent', async () => {
    const { run } = createSandbox();
    const stub = await startStub();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
    for (const query of ['a b', 'nope(@)']) {
      const { code, stdout, stderr } = await run(['lease', 'k', '--query', query], { env });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('Error: --query');
    }
    expect(stub.seen).toEqual([]);
  });
});

test('an answer that is not what was hoped for is told as such, and printed', async () => {
  const { run, json } = createSandbox();
  await json(['lease', 'k']);
  for (const [flag, value, shown] of [
    ['--field', 'status', 'polling\n'],
    ['--query', 'status', '"polling"\n'],
  ] as const) {
    const held = await run(['lease', 'k', flag, value]);
    expect(held).toMatchObject({ code: 11, stdout: shown });
    expect(held.stderr).toMatch(/^Error: k is held by this machine already/);
  }
  const none = await run(['runner-jobs', 'lease', '--runner-id', 'r', '--field', 'id']);
  expect(none).toMatchObject({ code: 12, stdout: '\n' });
});

test.each([
  [['--json', '--field', 'a']],
  [['--json', '--query', 'a']],
  [['--field', 'a', '--query', 'a']],
])('%j exclude one another', async (flags) => {
  const { code, stdout, stderr } = await createSandbox().run(['status', 'k', ...flags]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('cannot also be provided');
});

test('what is shown with --json only is shown to --field and --query, too', async () => {
  const { run, json } = createSandbox();
  const lease = ['runner-jobs', 'lease', '--runner-id', 'r'];
  const token = 'data.credentials.access_token';
  await json(['admin', 'runner-jobs', 'add', '--count', '3']);
  expect((await run([...lease, '--field', token])).stdout).toBe('***\n');
  const shown = await run([...lease, '--query', token, '--show-secrets']);
  expect(shown.stdout).toMatch(/^"[\w-]{20,}"\n$/);
  const refused = await run([...lease, '--show-secrets']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('--json, --field, --query');
});

test('--utc and --no-header', async () => {
  const { run, json } = createSandbox();
  const env = { TZ: 'Asia/Kolkata' };
  await json(['lease', 'k']);
  const local = await run(['status', 'k'], { env });
  expect(local.stdout).toMatch(/^Until\t[\d-]+ [\d:]+ \+05:30 \(4m 5\ds left\)$/m);
  const { stdout } = await run(['status', 'k', '--utc'], { env });
  expect(stdout).toMatch(/^Until\t[\d-]+ [\d:]+Z \(4m 5\ds left\)$/m);
  expect(stdout).toMatch(/^First seen\t[\d-]+ [\d:]+Z$/m);
  expect((await run(['profile', 'list', '--no-header'])).stdout).toMatch(/^local\tall\t/);
});

describe('in GitHub Actions', () => {
  const env = { GITHUB_ACTIONS: 'true' };

  test.each([
    ['lease', ['lease', 'k', '--field', 'lease_id'], /lease_\w+/],
    ['lease, of somebody', ['lease', 'held', '--json'], /lease_\w+/],
    ['status', ['status', 'held', '--json'], /lease_\w+/],
    ['run', ['run', 'k', '--query', '@'], /lease_\w+/],
    ['jobs claim', ['jobs', 'claim', '--next', '--json'], /lock_(?!token)\w+/],
    ['runner-jobs lease', ['runner-jobs', 'lease', '--runner-id', 'r', '--json'], /ack_\w+/],
    [
      'admin clients add',
      ['admin', 'clients', 'add', 'c', '--scope', 'jobs:claim'],
      /secret_[\w-]+/,
    ],
  ])('the secret of %s is masked', async (_, args, secret) => {
    const { run, json } = createSandbox();
    await json(['lease', 'held']);
    await json(job);
    await json(['admin', 'runner-jobs', 'add']);
    const { stdout, stderr } = await run(args, { env });
    const [shown] = secret.exec(stdout.replaceAll('lease_id', '')) ?? [];
    expect(shown).toBeDefined();
    expect(stderr.split('\n')[0]).toBe(`::add-mask::${shown}`);
  });

  test('what is shown without a secret masks nothing', async () => {
    const { run } = createSandbox();
    expect((await run(['lease', 'k'], { env })).stderr).toBe('');
    expect((await run(['status', 'k', '--field', 'status'], { env })).stderr).toBe('');
  });

  test('nothing is masked elsewhere, nor where it would stay in a file', async () => {
    const sandbox = createSandbox();
    expect((await sandbox.run(['lease', 'a', '--json'])).stderr).toBe('');
    const file = join(sandbox.directory, 'stderr');
    const descriptor = openSync(file, 'w');
    const { status, stdout } = spawnSync(process.execPath, [BIN, 'lease', 'b', '--json'], {
      env: { ...sandbox.env, ...env },
      stdio: ['ignore', 'pipe', descriptor],
      encoding: 'utf8',
    });
    closeSync(descriptor);
    expect(status).toBe(0);
    expect(stdout).toContain('lease_id');
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('what a workflow command gives a meaning to is escaped', async () => {
    const handle = 'lease_100%25\r\nsure';
    const stub = await startStub({
      status: 200,
      body: { ...STATE, lease_id: handle },
    });
    const { run } = createSandbox();
    const more = { ...env, LEASECTL_URL: stub.url, LEASECTL_TOKEN: 'token' };
    const { stderr } = await run(['status', 'k', '--json'], { env: more });
    expect(stderr).toBe('::add-mask::lease_100%2525%0D%0Asure\n');
  });
});
