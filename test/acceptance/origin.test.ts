import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { SCOPES } from '../../src/engine/access.ts';
import { ACQUIRED } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type RunOptions } from '../support/sandbox.ts';
import { startLastingStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

const COMMIT = 'c'.repeat(40);
const CI = {
  BUILDKITE: 'true',
  BUILDKITE_BUILD_URL: 'https://ci.example.com/builds/17',
  BUILDKITE_LABEL: 'deploy',
  BUILDKITE_BUILD_CREATOR: 'ada',
};

/** A machine, a repository on it, and what is taken in that. */
function setUp() {
  const sandbox = createSandbox();
  const cwd = join(sandbox.directory, 'deploy');
  mkdirSync(join(cwd, '.git'), { recursive: true });
  writeFileSync(join(cwd, '.git', 'HEAD'), COMMIT);
  const url = 'https://ada:canary-7f3a@example.com/deploy.git?private_token=canary-7f3a';
  writeFileSync(join(cwd, '.git', 'config'), `[remote "origin"]\n\turl = ${url}\n`);
  const options = { cwd, env: { USER: 'ada', ...CI } };
  const run = (args: readonly string[], more: RunOptions = {}) =>
    sandbox.run(args, { ...options, ...more, env: { ...options.env, ...more.env } });
  const notes = () => {
    const db = new Database(sandbox.ledgerFile);
    const rows = db.prepare('SELECT id, origin FROM handles ORDER BY id').all().map(Object);
    db.close();
    return rows.map(({ origin }) => JSON.parse(origin));
  };
  return { ...sandbox, run, notes };
}

/** What a process is known again by. */
const SEEN = {
  pid_namespace: expect.stringMatching(/^pid:/),
  boot_id: expect.stringMatching(/^[\da-f-]{36}$/),
  started: expect.any(Number),
};

const here = (command: string) => ({
  host: hostname(),
  user: 'ada',
  pid: expect.any(Number),
  ...(process.platform === 'linux' ? SEEN : {}),
  command,
  repository: 'https://example.com/deploy.git',
  commit: COMMIT,
  ci: {
    provider: 'Buildkite',
    url: 'https://ci.example.com/builds/17',
    job: 'deploy',
    actor: 'ada',
  },
});

type Run = ReturnType<typeof setUp>['run'];

/** Takes something in each way that there is, and tells what the service notes of it. */
async function takeAll(run: Run, flags: readonly string[], more: RunOptions = {}) {
  const json = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run([...args, '--json'], more);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };
  await json('admin', 'jobs', 'add', '--type', 'other', '--count', '2');
  await json('admin', 'runner-jobs', 'add', '--count', '2');
  const ways: readonly (readonly string[])[] = [
    ['lease', 'a'],
    ['run', 'b'],
    ['jobs', 'claim', '--next'],
    ['runner-jobs', 'lease', '--runner-id', 'r'],
    ['exec', 'c', '--', 'true'],
    ['jobs', 'exec', '--next', '--', 'true'],
    ['runner-jobs', 'exec', '--runner-id', 'r', '--', 'true'],
  ];
  for (const way of ways) {
    const end = way.includes('--') ? way.indexOf('--') : way.length;
    const words = [...way.slice(0, end), ...flags, ...way.slice(end)];
    const { code, stderr } = await run(words, more);
    expect({ way, code, stderr }).toEqual({ way, code: 0, stderr: '' });
  }
  const { leases } = await json('admin', 'leases', 'list');
  const found: unknown[] = [];
  for (const { kind, id } of leases) {
    const flag = kind === 'runner_job' ? 'runner-job' : kind;
    found.push((await json('admin', 'leases', 'show', id, '--kind', flag)).metadata?.leasectl);
  }
  return found;
}

const TAKEN = [
  'exec',
  'jobs claim',
  'jobs exec',
  'lease',
  'run',
  'runner-jobs exec',
  'runner-jobs lease',
];
const commandsOf = (origins: readonly unknown[]) =>
  origins.map((origin) => String(Object(origin).command)).sort();

describe('where a lease is taken', () => {
  test('is noted with it in every way to take one, and on this machine', async () => {
    const { run, notes } = setUp();
    const found = await takeAll(run, []);
    expect(commandsOf(found)).toEqual(TAKEN);
    for (const origin of found) expect(origin).toEqual(here(Object(origin).command));
    expect(commandsOf(notes())).toEqual(['jobs claim', 'lease', 'run', 'runner-jobs lease']);
    for (const origin of notes()) expect(origin).toEqual(here(Object(origin).command));
  });

  test('is noted by what leasectl serves, too', async () => {
    const { url, token: tokenOf } = await startTeamService();
    const token = await tokenOf('ci', ...SCOPES);
    const { run } = setUp();
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: token, LEASECTL_SERVICE: 'leasectl' };
    expect(commandsOf(await takeAll(run, [], { env }))).toEqual(TAKEN);
  });

  test.each([
    ['--no-context', ['--no-context'], {}],
    ['LEASECTL_NO_CONTEXT', [], { LEASECTL_NO_CONTEXT: '1' }],
  ])('is told to nobody with %s, and noted on this machine all the same', async (_, flags, env) => {
    const { run, notes } = setUp();
    expect(await takeAll(run, flags, { env })).toEqual(TAKEN.map(() => undefined));
    for (const origin of notes()) expect(origin).toEqual(here(Object(origin).command));
  });

  test('is beside the user’s own metadata, which goes first', async () => {
    const { run } = setUp();
    const metadataOf = async (...args: readonly string[]) => {
      const { stdout } = await run(['lease', 'k', ...args, '--dry-run', '--json']);
      return JSON.parse(stdout).body.metadata;
    };
    expect(await metadataOf('--meta', 'a=b')).toEqual({ leasectl: here('lease'), a: 'b' });
    expect(await metadataOf('--meta', 'leasectl=mine')).toEqual({ leasectl: 'mine' });
    expect(await metadataOf('--metadata', '{"leasectl": null}')).toEqual({ leasectl: null });
  });

  test('is told to OnceOnly in its metadata, and to no other hosted service', async () => {
    const sandbox = setUp();
    const onceOnly = await startLastingStub(ACQUIRED);
    const env = { LEASECTL_URL: onceOnly.url, LEASECTL_TOKEN: 'token' };
    expect((await sandbox.run(['lease', 'k'], { env })).code).toBe(0);
    const [lease] = onceOnly.seen;
    expect(JSON.parse(lease?.body ?? '').metadata).toEqual({ leasectl: here('lease') });
    const locked = { job_id: 'j', lock_token: 'lock', locked_until: '2099-01-01T00:00:00Z' };
    const retaia = await startLastingStub({ status: 200, body: locked });
    await addProfile(sandbox, 'retaia', retaia.url, 'token', 'retaia');
    const leased = { id: 'r', ack: 'canary', status: 'RUNNING', visible: '2099-01-01T00:00:00Z' };
    const askUi = await startLastingStub({ status: 200, body: leased });
    await addProfile(sandbox, 'askui', askUi.url, 'token', 'askui');
    expect((await sandbox.run(['jobs', 'claim', 'j'])).code).toBe(0);
    expect((await sandbox.run(['runner-jobs', 'lease', '--runner-id', 'x'])).code).toBe(0);
    for (const { headers, url, body } of [...onceOnly.seen, ...retaia.seen, ...askUi.seen]) {
      expect(headers).not.toHaveProperty('leasectl-origin');
      expect(url).not.toContain(COMMIT);
      expect(body).not.toContain('canary');
    }
    expect([...retaia.seen, ...askUi.seen].map(({ body }) => body)).toEqual(['', '']);
    expect(commandsOf(sandbox.notes())).toEqual(['jobs claim', 'lease', 'runner-jobs lease']);
  });
});
