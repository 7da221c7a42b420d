import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  childrenOf,
  commandLineOf,
  contentOf,
  createExecHost,
  type ExecHost,
  watchdogOf,
} from '../support/exec-host.ts';
import { SERVICES, stored } from '../support/exec-services.ts';
import { hosted, ID, startExecStub, TOKEN } from '../support/exec-stub.ts';
import { addProfile } from '../support/sandbox.ts';

/** What an outer command under a lease, and users of the services, have in their environment. */
const OUTER = {
  LEASECTL_KEY: 'outer-key',
  LEASECTL_JOB_ID: 'outer-job',
  LEASECTL_JOB_FILE: '/outer/job',
  LEASECTL_FENCING_TOKEN: '999',
  LEASECTL_EXPIRES_AT: 'outer-end',
  LEASECTL_RESULT_FILE: '/outer/result',
  LEASECTL_PROFILE: 'local',
  LEASECTL_TOKEN: 'canary-token-1',
  ONCEONLY_API_KEY: 'canary-token-2',
  ASKUI_TOKEN: 'canary-token-3',
};
const PLAIN = { LINES: 'a\nb=c', EMPTY: '', LEASECTL_MY: 'own' };
/** With names that are none for a shell. */
const ODD = { ...PLAIN, 'a.b': '1', 'x-y': '2', 'BASH_FUNC_f%%': '() {  echo hi\n}' };
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What is in the environment of the command that this runs. */
async function environmentIn(
  host: ExecHost,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const { code, stdout } = await host.run([...words, '--', 'env', '-0'], { env });
  expect(code).toBe(0);
  const lines = stdout.split('\0').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.split('=', 1)[0], line.replace(/^.*?=/s, '')]),
  );
}

const numbersIn = (text = '') =>
  (text.match(/\d+/g) ?? []).map(Number).toSorted((one, other) => one - other);

describe.each(SERVICES)('the command of exec on $name', (service) => {
  test.each([
    ['plain', PLAIN],
    ['odd', ODD],
  ])('has leasectl’s environment (%s) with its own variables, and no others', async (_, kept) => {
    const host = createExecHost();
    const { id, words } = await service.add(host, 60);
    const begun = Date.now();
    const env = await environmentIn(host, words, { ...OUTER, ...kept });
    const isKey = service.name === 'onceonly';
    const { LEASECTL_EXPIRES_AT: end = '', LEASECTL_FENCING_TOKEN: token = '', ...rest } = env;
    expect(end).toMatch(RFC_3339);
    expect(Date.parse(end) - begun).toBeGreaterThan(58_000);
    expect(Date.parse(end) - begun).toBeLessThan(63_000);
    expect(token).toBe('1');
    const files = /\/state\/leasectl\/work\/[0-9a-f]{24}\//;
    // Neither an outer command's, nor credentials.
    expect(rest).toEqual({
      ...host.env,
      ...kept,
      LEASECTL_PROFILE: 'local',
      ...(isKey ? { LEASECTL_KEY: id } : { LEASECTL_JOB_ID: id }),
      ...(isKey ? {} : { LEASECTL_JOB_FILE: expect.stringMatching(files) }),
      ...(service.name === 'askui' ? {} : { LEASECTL_RESULT_FILE: expect.stringMatching(files) }),
    });
  });

  test('and whoever looks on find the handle nowhere', async () => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const events = host.file('events');
    const line = 'env; cat "$LEASECTL_JOB_FILE"; echo ready $$; read -r go <"$HOME/gate"';
    await host.bash(`mkfifo '${host.file('gate')}'`).outcome;
    const flags = ['--status-file', events, '--', 'sh', '-c', line];
    const exec = host.leasectl([...words, ...flags], { env: { LEASECTL_DEBUG: '1' } });
    const command = await exec.says(/ready (\d+)/);
    const { handle = 'nothing' } = stored(host, id) ?? {};
    expect(handle).toMatch(/^(lease|lock|ack)_[0-9a-f]{32}$/);
    const guard = await watchdogOf(exec.pid);
    const seen = [exec.pid, guard, Number(command)].map(commandLineOf);
    expect(seen.every((text) => text !== '')).toBe(true);
    // With an empty environment there is nothing to be read there.
    expect(contentOf(`/proc/${guard}/environ`)).toBe('');
    writeFileSync(host.file('gate'), 'go\n');
    const { code, stdout, stderr } = await exec.outcome;
    expect(code).toBe(0);
    for (const text of [...seen, stdout, stderr, readFileSync(events, 'utf8')]) {
      expect(text).not.toContain(handle);
    }
  });
});

describe('a fencing token', () => {
  test('is larger for every later holder', async () => {
    const host = createExecHost();
    const job = Object(await SERVICES[1]?.add(host));
    const tokens: number[] = [];
    for (let turn = 1; turn <= 3; turn += 1) {
      const flags = ['--retryable-exit', '75', '--shell', '--'];
      const line = 'echo $LEASECTL_FENCING_TOKEN; exit 75';
      tokens.push(Number((await host.run([...job.words, ...flags, line])).stdout));
    }
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    expect(new Set(tokens).size).toBe(3);
  });
});

describe('a profile', () => {
  test('that has a name is the one of leasectl in the command', async () => {
    const host = createExecHost();
    const inner = ['leasectl', 'status', 'k', '--json'];
    const outcome = await host.run(['exec', 'k', '--', ...inner]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ key: 'k', status: 'in_progress' });
  });

  test('of a hosted service is, with the token that is stored with it', async () => {
    const host = createExecHost();
    const [kind] = hosted(60);
    const stub = await startExecStub(kind?.replies ?? {});
    await addProfile(host, 'prod', stub.env['LEASECTL_URL'] ?? '', TOKEN);
    const env = { LEASECTL_PROFILE: 'local' };
    const inner =
      'echo $LEASECTL_PROFILE; unset LEASECTL_URL; leasectl status "$LEASECTL_KEY" --json';
    const words = ['exec', ID, '--profile', 'prod', '--shell', '--', inner];
    const { code, stdout } = await host.run(words, { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^prod\n\{.*"in_progress"/);
    expect(stub.to('status')[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });
});

describe('a job', () => {
  test.each([
    ['retaia', 1, 'job_id', 'lock_token'],
    ['askui', 2, 'id', 'ack'],
  ] as const)('of %s is in a file, and open as descriptor 3', async (_, index, name, handle) => {
    const host = createExecHost();
    const { id, words } = Object(await SERVICES[index]?.add(host));
    const line = [
      'stat -c %a "$LEASECTL_JOB_FILE" "$(dirname "$LEASECTL_JOB_FILE")"',
      'cat <&3; echo; cat "$LEASECTL_JOB_FILE"; echo',
      'ls /proc/$$/fd',
    ].join('; ');
    const { code, stdout } = await host.run([...words, '--', 'sh', '-c', line]);
    expect(code).toBe(0);
    const [fileMode, directoryMode, open = '', file, ...descriptors] = stdout.split('\n');
    expect([fileMode, directoryMode]).toEqual(['600', '700']);
    expect(file).toBe(open);
    const job = JSON.parse(open);
    expect(job).toMatchObject({ [name]: id });
    expect(job).not.toHaveProperty(handle);
    // What whoever runs the tests leaves open has larger numbers.
    const own = numbersIn(descriptors.join(' ')).filter((number) => number < 16);
    expect(own).toEqual([0, 1, 2, 3]);
    expect(host.workFiles()).toEqual([]);
  });

  test('for a runner has its access token in the file, and nowhere else', async () => {
    const host = createExecHost();
    const file = host.file('job.ndjson');
    const workflows = ['one "two"'];
    writeFileSync(file, JSON.stringify({ access_token: 'canary-access', workflows }));
    await host.json(['admin', 'runner-jobs', 'add', '--file', file]);
    const words = ['runner-jobs', 'exec', '--runner-id', 'r', '--json', '--'];
    const line = 'cat "$LEASECTL_JOB_FILE" > "$HOME/copy"; env; exit 3';
    const { code, stdout, stderr } = await host.run([...words, 'sh', '-c', line]);
    expect(code).toBe(3);
    const copy = JSON.parse(readFileSync(host.file('copy'), 'utf8'));
    const credentials = { access_token: 'canary-access' };
    expect(copy).toMatchObject({ data: { credentials, workflows } });
    expect(stdout + stderr).not.toContain('canary-access');
  });
});

describe('the command', () => {
  test('leads a session of its own, with the signals that any program has', async () => {
    const host = createExecHost();
    const files = ['/proc/self/stat', '/proc/self/status'];
    const { stdout } = await host.run(['exec', 'k', '--', 'cat', ...files]);
    const [, pid, group, session] = /^(\d+) \(cat\) \S \d+ (\d+) (\d+) /.exec(stdout) ?? [];
    expect(pid).toBeDefined();
    expect([group, session]).toEqual([pid, pid]);
    expect(stdout).toMatch(/^SigBlk:\t0+$/m);
    expect(stdout).toMatch(/^SigIgn:\t0+$/m);
  });

  test('and its watchdog are the only children of leasectl', async () => {
    const host = createExecHost();
    const exec = host.leasectl(['exec', 'k', '--', 'sh', '-c', 'echo ready $$; exec sleep 60']);
    const command = await exec.says(/ready (\d+)/);
    const guard = await watchdogOf(exec.pid);
    expect(childrenOf(exec.pid).map(Number).toSorted()).toEqual(
      [guard, Number(command)].toSorted(),
    );
    expect(statSync(`/proc/${guard}/cwd`).ino).toBe(statSync('/').ino);
    exec.kill('SIGTERM');
    expect((await exec.outcome).code).toBe(143);
  });
});
