import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

const LEASE = ['runner-jobs', 'lease', '--runner-id', 'r'];
const WORKSPACE = '0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11';

async function added({ json }: Sandbox, ...flags: string[]): Promise<string> {
  const [job] = Object(await json(['admin', 'runner-jobs', 'add', ...flags]));
  return job.id;
}

describe('a runner job from its beginning to its end', () => {
  test('is added, leased, kept and completed', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const id = await added(sandbox, '--workflow', 'w1', '--workflow', 'w2', '--data', '{"n": 1}');
    const job = Object(await json(LEASE));
    expect(job).toMatchObject({ id, status: 'RUNNING', runner_id: 'r', tries: 1 });
    const lasts = (Date.parse(job.visible) - Date.now()) / 1000;
    expect(lasts).toBeGreaterThan(100);
    expect(lasts).toBeLessThanOrEqual(120);
    expect(job.data).toMatchObject({ workflows: ['w1', 'w2'], data: { n: 1 } });
    const pinged = Object(await json(['runner-jobs', 'ping', id]));
    expect(pinged).toEqual({ visible: expect.any(String), cancel_job: false });
    const complete = ['runner-jobs', 'complete', '--status', 'PASSED'];
    const completed = await run(complete);
    expect(completed).toMatchObject({
      code: 0,
      stdout: `Job\t${id}\nStatus\tPASSED\nProfile\tlocal\n`,
    });
    expect((await run(complete)).code).toBe(2);
    expect(await run([...LEASE, '--json'])).toMatchObject({ code: 12, stdout: 'null\n' });
    expect(await run(LEASE)).toMatchObject({
      code: 12,
      stdout: '',
      stderr: expect.stringContaining('No job fits this runner (profile local).'),
    });
  });

  test('is canceled: ping says so, with exit 0', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const id = await added(sandbox);
    await json(LEASE);
    expect(await json(['admin', 'runner-jobs', 'cancel', id])).toEqual({
      id,
      status: 'RUNNING',
      cancel_job: true,
    });
    const { code, stdout } = await run(['runner-jobs', 'ping']);
    expect(code).toBe(0);
    expect(stdout).toContain('Status\tto be canceled: stop it, then complete it as CANCELED\n');
    expect(await json(['runner-jobs', 'ping'])).toMatchObject({ cancel_job: true });
    expect(await json(['runner-jobs', 'complete', '--status', 'CANCELED'])).toBeNull();
    expect((await run(['admin', 'runner-jobs', 'cancel', id])).code).toBe(7);
    expect((await run(['admin', 'runner-jobs', 'cancel', 'no-such-job'])).code).toBe(3);
    const waiting = await added(sandbox);
    expect(await json(['admin', 'runner-jobs', 'cancel', waiting])).toMatchObject({
      status: 'CANCELED',
    });
    expect((await run(LEASE)).code).toBe(12);
  });

  test('is for those who fit: host, tags, workspace, runner', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const flags = ['--tag', 'a', '--workspace-id', WORKSPACE, '--runner', 'r', '--host', 'ASKUI'];
    const id = await added(sandbox, ...flags);
    const fitting = [...LEASE, '--runner-host', 'ASKUI', '--tag', 'a', '--tag', 'b'];
    expect((await run([...LEASE, '--tag', 'a'])).code).toBe(12);
    expect((await run([...LEASE, '--runner-host', 'ASKUI'])).code).toBe(12);
    const other = WORKSPACE.replace('0', '1');
    expect((await run([...fitting, '--workspace-id', other])).code).toBe(12);
    expect((await run(fitting, { env: { ASKUI_WORKSPACE_ID: other } })).code).toBe(12);
    expect((await run(fitting.map((word) => (word === 'r' ? 'q' : word)))).code).toBe(12);
    const env = { ASKUI_WORKSPACE_ID: WORKSPACE };
    expect(await json(fitting, { env })).toMatchObject({ id });
  });

  test('is leased so often and no more', async () => {
    const sandbox = createSandbox();
    const id = await added(sandbox, '--max-tries', '2', '--ttl', '1s');
    for (let tries = 1; tries <= 2; tries += 1) {
      await expect.poll(async () => (await sandbox.run(LEASE)).code, { timeout: 10_000 }).toBe(0);
    }
    // The lease of the second try runs out, and nobody gets a third one.
    await expect
      .poll(async () => (await sandbox.run(['runner-jobs', 'ping', '--json'])).code, {
        timeout: 10_000,
        interval: 1_200,
      })
      .not.toBe(0);
    expect((await sandbox.run(LEASE)).code).toBe(12);
    const canceled = await sandbox.run(['admin', 'runner-jobs', 'cancel', id]);
    expect(canceled.code).toBe(7);
    expect(canceled.stderr).toContain('its tries are used up');
  });
});

describe('the access token of a job', () => {
  const token = 'canary-token-of-the-job';

  test('is shown when it is asked for by name only', async () => {
    const sandbox = createSandbox();
    const line = JSON.stringify({ access_token: token });
    for (const flags of [[], ['--json'], ['--json', '--show-secrets']]) {
      await sandbox.json(['admin', 'runner-jobs', 'add', '--file', '-'], { input: line });
      const { stdout, stderr, code } = await sandbox.run([...LEASE, ...flags]);
      expect(code).toBe(0);
      expect(stderr).not.toContain(token);
      expect(stdout.includes(token)).toBe(flags.includes('--show-secrets'));
      expect(stdout.includes('ack_')).toBe(flags.includes('--json'));
    }
    expect((await sandbox.run([...LEASE, '--show-secrets'])).code).toBe(2);
    const added_ = await sandbox.run(['admin', 'runner-jobs', 'add', '-f', '-', '--json'], {
      input: line,
    });
    expect(added_.stdout).not.toContain(token);
  });

  test('is all that is changed in what a server sent', async () => {
    const body = `{"id":"j", "ack":"a-1","status":"RUNNING","visible":1736936000,"tries":1,"number":12345678901234567890,"data":{"credentials":{"access_token": "${token}","n":1.0}},"more":[1]}`;
    const stub = await startStub({ status: 200, body }, { status: 200, body });
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
    const hidden = await run([...LEASE, '--json'], { env });
    expect(hidden.stdout).toBe(`${body.replace(`"${token}"`, '"***"')}\n`);
    const shown = await run([...LEASE, '--json', '--show-secrets'], { env });
    expect(shown.stdout).toBe(`${body}\n`);
  });
});

test.each(['1', 'id', 'RUNNING', 'a"b', ''])(
  'an access token %j is hidden, and nothing else',
  async (token) => {
    const sandbox = createSandbox();
    const input = JSON.stringify({ access_token: token, data: { text: 'RUNNING 1 id' } });
    await sandbox.json(['admin', 'runner-jobs', 'add', '--file', '-'], { input });
    expect(await sandbox.json(LEASE)).toMatchObject({
      status: 'RUNNING',
      data: { credentials: { access_token: '***' }, data: { text: 'RUNNING 1 id' } },
    });
  },
);

test('the access token is hidden wherever it stands', async () => {
  const token = 'canary-"t"';
  const data = { credentials: { access_token: token }, results_api_url: `http://x?t=${token}` };
  const job = { id: 'j', ack: 'a', status: 'RUNNING', visible: 'some day', data };
  const stub = await startStub({ status: 200, body: job }, { status: 200, body: job });
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  const { stdout } = await run([...LEASE, '--json'], { env });
  expect(JSON.parse(stdout).data.results_api_url).toBe('http://x?t=***');
  // An end that cannot be read is not made up.
  expect((await run(LEASE, { env })).stdout).not.toContain('Until');
});

describe('the job to ping', () => {
  test('has to be said when there are several, or none', async () => {
    const sandbox = createSandbox();
    const { run, json } = sandbox;
    expect((await run(['runner-jobs', 'ping'])).stderr).toContain('This machine holds no job');
    const ids = [await added(sandbox), await added(sandbox)];
    for (const _ of ids) await json(LEASE);
    const { code, stderr } = await run(['runner-jobs', 'ping']);
    expect(code).toBe(2);
    expect(stderr).toContain(`Say which: ${ids.sort().join(', ')}`);
    expect((await run(['runner-jobs', 'ping', 'no-such-job'])).code).toBe(2);
  });

  test('is asked for also when its lease should have run out: the service decides', async () => {
    const sandbox = createSandbox();
    await added(sandbox, '--ttl', '1s');
    await sandbox.json(LEASE);
    const ping = async () => (await sandbox.run(['runner-jobs', 'ping'])).code;
    await expect.poll(ping, { timeout: 20_000, interval: 1_500 }).toBe(14);
  });

  test('comes from a file or stdin, alone or as the answer that it came in', async () => {
    const sandbox = createSandbox();
    const id = await added(sandbox);
    const job = Object(await sandbox.json(LEASE));
    const file = join(sandbox.directory, 'job.json');
    const other = createSandbox();
    const env = { XDG_DATA_HOME: join(sandbox.directory, 'data') };
    const ping = (args: string[], input = '') =>
      other.run(['runner-jobs', 'ping', ...args], { env, input });
    writeFileSync(file, JSON.stringify(job));
    expect((await ping(['--handle-file', file])).stdout).toContain(`Job\t${id}`);
    expect((await ping(['--ack-stdin'], job.ack)).code).toBe(0);
    expect((await ping([id, '--ack-stdin'], readFileSync(file, 'utf8'))).code).toBe(0);
    expect((await ping(['another', '--handle-file', file])).code).toBe(2);
    expect((await ping(['--ack-stdin'], 'ack_wrong')).code).toBe(14);
    expect((await ping(['--ack-stdin'], '')).code).toBe(2);
    expect((await ping(['--ack-stdin', '--handle-file', file], job.ack)).code).toBe(2);
  });
});

test.each([
  [['runner-jobs', 'lease']],
  [['runner-jobs', 'lease', '--runner-id', '']],
  [[...LEASE, '--runner-host', 'MARS']],
  [[...LEASE, '--workspace-id', 'x']],
  [['runner-jobs', 'complete']],
  [['runner-jobs', 'complete', '--status', 'DONE']],
  [['admin', 'runner-jobs', 'add', '--max-tries', '0']],
  [['admin', 'runner-jobs', 'add', '--data', '[]']],
  [['admin', 'runner-jobs', 'add', '--tag', 'a', '--file', '-']],
])('%j is refused with 2', async (args) => {
  const { run } = createSandbox();
  expect(await run(args, { input: '{}' })).toMatchObject({ code: 2, stdout: '' });
});
