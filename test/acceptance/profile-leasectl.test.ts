import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { profileFile } from '../support/profile-files.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startTeamService } from '../support/team-service.ts';

const ALL = [
  'keys:read',
  'keys:write',
  'jobs:claim',
  'jobs:heartbeat',
  'jobs:submit',
  'runner-jobs',
] as const;

/** A machine with a profile of what leasectl serves, and nothing else. */
async function withTeam(prefix = '') {
  const team = await startTeamService(prefix);
  const token = await team.token('ci', ...ALL);
  const sandbox = createSandbox();
  await addProfile(sandbox, 'team', team.url, token, 'leasectl');
  return { team, token, sandbox, ...sandbox };
}

/** Goes through a command of each family, and something of its answer. */
async function useAll({ json, run }: Sandbox, ...flags: string[]) {
  const leased = await json(['lease', 'k', ...flags]);
  expect(leased).toMatchObject({ status: 'acquired' });
  expect(await json(['complete', 'k', ...flags])).toMatchObject({ status: 'completed' });
  expect(await json(['jobs', 'claim', '--next', ...flags])).toMatchObject({ claimed_by: 'ci' });
  const submitted = await run(['jobs', 'submit', 'job_1', '--patch', '{"a": 1}', ...flags]);
  expect(submitted).toMatchObject({ code: 0 });
  const runner = ['runner-jobs', 'lease', '--runner-id', 'r', ...flags];
  expect(await json(runner)).toMatchObject({ id: 'rjob_1' });
  const completed = await run(['runner-jobs', 'complete', '--status', 'PASSED', ...flags]);
  expect(completed).toMatchObject({ code: 0 });
}

describe('a profile of service leasectl', () => {
  test.each([[''], ['/behind/a/proxy']])(
    'serves the commands of all services, at %j',
    async (prefix) => {
      const { team, token, sandbox } = await withTeam(prefix);
      await team.addWork();
      await useAll(sandbox);
      expect(team.seen.every((request) => request.endsWith(` Bearer ${token}`))).toBe(true);
      expect(team.seen).toContain(`POST ${prefix}/api/v1/jobs/job_1/claim Bearer ${token}`);
    },
  );

  test('is one for an OAuth 2.0 client, too', async () => {
    const team = await startTeamService();
    await team.addWork();
    const added = await team.access.addClient('ci', ALL);
    const sandbox = createSandbox();
    const stored = await sandbox.run(
      [
        ...['profile', 'add', 'team', '--service', 'leasectl', '--url', team.url, '--verify'],
        ...['--client-id', added?.id ?? '', '--client-secret-stdin'],
      ],
      { input: added?.secret ?? '' },
    );
    expect(stored).toMatchObject({ code: 0, stderr: expect.stringContaining('takes client') });
    expect(profileFile(sandbox, 'team').credential.token_url).toBe(
      `${team.url}/api/v1/oauth/token`,
    );
    await useAll(sandbox);
  });

  test('needs no token on this machine, as long as the service has none', async () => {
    const team = await startTeamService();
    const sandbox = createSandbox();
    const add = ['profile', 'add', 'dev', '--service', 'leasectl', '--url', team.url];
    expect((await sandbox.run(add)).code).toBe(0);
    expect(await sandbox.json(['lease', 'k'])).toMatchObject({ status: 'acquired' });
    expect(team.seen).toEqual(['POST /v1/ai/lease nothing']);
    expect((await sandbox.run(['lease', 'k', '--dry-run'])).stdout).not.toContain('uthorization');
    await team.token('ci', 'keys:read');
    const refused = await sandbox.run(['status', 'k']);
    expect(refused).toMatchObject({ code: 4, stdout: '' });
  });

  test('elsewhere does need one, which no other service’s variable is', async () => {
    const { run } = createSandbox();
    const url = 'https://leases.example.com';
    await run(['profile', 'add', 'team', '--service', 'leasectl', '--url', url]);
    const env = { ONCEONLY_API_KEY: 'vendors-own' };
    const { code, stderr } = await run(['status', 'k'], { env });
    expect(code).toBe(4);
    expect(stderr).toBe(
      `Error: No token for ${url} (team).\nHint: Set LEASECTL_TOKEN, or store one: leasectl profile edit team --token-stdin\n`,
    );
  });

  test('says so where its URL has the path that Retaia’s have', async () => {
    const { run } = createSandbox();
    const add = ['profile', 'add', 'team', '--service', 'leasectl', '--url'];
    const { stderr } = await run([...add, 'https://leases.example.com/api/v1']);
    expect(stderr).toContain('Warning: the URL of leasectl serve has no /api/v1 at its end');
    const none = await run(['profile', 'add', 'other', '--service', 'leasectl']);
    expect(none.stderr).toContain('for example https://leases.example.com\n');
  });
});

describe('the default', () => {
  const defaults = async ({ run }: Sandbox) =>
    (await run(['profile', 'list', '--no-header'])).stdout
      .trim()
      .split('\n')
      .map((line) => [line.split('\t')[0], line.split('\t')[3]].join(' '));

  test('of all services that have none it becomes, and of the others when it is used', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'prod', 'https://prod.example.com', 'token');
    const url = 'https://leases.example.com';
    const added = await sandbox.run(
      ['profile', 'add', 'team', '--service', 'leasectl', '--url', url, '--token-stdin'],
      { input: 'token' },
    );
    expect(added.stderr).toBe('To make it the default of onceonly: leasectl profile use team\n');
    expect(added.stdout).toContain('\nDefault\tfor retaia, askui, leasectl\n');
    expect(await defaults(sandbox)).toEqual(['local no', 'prod yes', 'team some']);
    expect(await sandbox.json(['profile', 'show', 'team'])).toMatchObject({ default: false });
    const used = await sandbox.run(['profile', 'use', 'team']);
    expect(used.stdout).toContain('\nDefault\tyes\n');
    expect(await defaults(sandbox)).toEqual(['local no', 'prod no', 'team yes']);
    await sandbox.run(['profile', 'use', 'prod']);
    expect(await defaults(sandbox)).toEqual(['local no', 'prod yes', 'team some']);
    const removed = await sandbox.run(['profile', 'remove', 'team', '--yes']);
    expect(removed.stderr).toBe(
      'team was the default of retaia, askui, leasectl, which have none now: leasectl profile use NAME chooses one.\n',
    );
  });

  test('stays it under another name, and on another machine', async () => {
    const { run, json, sandbox } = await withTeam();
    await addProfile(sandbox, 'zoo', 'https://zoo.example.com', 'token');
    await run(['profile', 'use', 'zoo']);
    await run(['profile', 'rename', 'team', 'crew']);
    expect(await defaults(sandbox)).toEqual(['local no', 'crew some', 'zoo yes']);
    const exported = await run(['profile', 'export']);
    expect(JSON.parse(exported.stdout)).toMatchObject({ defaults: ['crew', 'zoo'] });
    const other = createSandbox();
    await other.run(['profile', 'import', '-'], { input: exported.stdout });
    // crew comes first, but serves what the others leave.
    expect(await defaults(other)).toEqual(['local no', 'crew some', 'zoo yes']);
    expect(await json(['profile', 'show', 'crew'])).toMatchObject({ service: 'leasectl' });
  });

  test('of a project is that of its entry for leasectl, unless a service has its own', async () => {
    const { run, sandbox, json } = await withTeam();
    await run(['profile', 'use', 'local']);
    const project = { profiles: { leasectl: 'team', askui: 'local' } };
    const file = join(sandbox.directory, '.leasectl.json');
    writeFileSync(file, JSON.stringify(project));
    const profileOf = async (command: string) => {
      const shown = await json(['profile', 'show', '--resolve', command], {
        cwd: sandbox.directory,
      });
      return Object.fromEntries(
        Object(shown).map(({ setting, value, source }: Record<string, string>) => [
          setting,
          [value, source],
        ]),
      )['profile'];
    };
    expect(await profileOf('lease')).toEqual(['team', file]);
    expect(await profileOf('jobs claim')).toEqual(['team', file]);
    expect(await profileOf('runner-jobs lease')).toEqual(['local', file]);
    writeFileSync(file, JSON.stringify({ profiles: { leasectl: 'theirs' } }));
    const missing = await run(['status', 'k'], { cwd: sandbox.directory });
    expect(missing.stderr).toContain('leasectl profile add theirs --service leasectl');
  });
});

test('what a command resolves to tells by whom its service is served, and where', async () => {
  const { run } = createSandbox();
  const url = 'https://leases.example.com';
  const add = ['profile', 'add', 'team', '--service', 'leasectl', '--url', url, '--token-stdin'];
  await run(add, { input: 'canary-token-0123456789abcdef' });
  const { stdout } = await run(['profile', 'show', '--resolve', 'jobs', 'claim', '--no-header']);
  expect(stdout.trimEnd().split('\n')).toEqual([
    'service\tretaia\tcommand jobs claim',
    'served by\tleasectl\tprofile team',
    'profile\tteam\tdefault of retaia',
    `url\t${url}/api/v1\tprofile team`,
    'authentication\tbearer\tprofile team',
    'token\tfile …cdef\tprofile team',
  ]);
});

describe('LEASECTL_SERVICE', () => {
  test('says that leasectl is at LEASECTL_URL, for all commands', async () => {
    const team = await startTeamService();
    await team.addWork();
    const { directory: _, ...sandbox } = createSandbox();
    const token = await team.token('ci', ...ALL);
    const env = { LEASECTL_URL: team.url, LEASECTL_SERVICE: 'leasectl', LEASECTL_TOKEN: token };
    expect((await sandbox.run(['jobs', 'list'], { env })).stdout).toContain('job_1');
    expect((await sandbox.run(['runner-jobs', 'lease', '--runner-id', 'r'], { env })).code).toBe(0);
    const asked = await sandbox.run(['api', 'GET', '/api/v1/jobs', '--query', '[].job_id'], {
      env,
    });
    expect(JSON.parse(asked.stdout)).toEqual(['job_1']);
    expect(await sandbox.json(['capabilities'], { env })).toMatchObject({
      profile: 'LEASECTL_URL',
      service: 'leasectl',
    });
  });

  test('is that of a command under a lease as well', async () => {
    const team = await startTeamService();
    await team.addWork();
    const token = await team.token('ci', ...ALL);
    const env = { LEASECTL_URL: team.url, LEASECTL_SERVICE: 'leasectl', LEASECTL_TOKEN: token };
    const line = 'echo "$LEASECTL_URL $LEASECTL_SERVICE"';
    const { stdout } = await createSandbox().run(
      ['jobs', 'exec', '--next', '--shell', '--', line],
      { env },
    );
    expect(stdout).toBe(`${team.url} leasectl\n`);
  });

  test.each([
    [{ LEASECTL_SERVICE: 'leasectl' }, 'LEASECTL_SERVICE is set, but LEASECTL_URL is not.'],
    [{ LEASECTL_SERVICE: '' }, 'LEASECTL_SERVICE is set, but empty.'],
    [{ LEASECTL_SERVICE: 'redis' }, 'LEASECTL_SERVICE is no service: "redis".'],
    [
      { LEASECTL_SERVICE: 'askui', LEASECTL_URL: 'https://a.example', LEASECTL_TOKEN: 't' },
      'LEASECTL_SERVICE is askui; this is a command for onceonly.',
    ],
  ])('%j is refused', async (env, message) => {
    const { code, stderr } = await createSandbox().run(['status', 'k'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(`Error: ${message}\nHint: `);
  });
});
