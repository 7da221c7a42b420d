import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { valuesFrom } from '../../src/completion-values.ts';
import { examine, profileFile as fileOf } from '../support/doctor.ts';
import { profileFile } from '../support/profile-files.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { type Reply, startLastingStub, startStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

const TOKEN = 'canary-token-0123456789';

/** The names and states of what doctor found about a profile's service. */
async function found(sandbox: ReturnType<typeof createSandbox>, name: string, env = {}) {
  const { checks } = await examine(sandbox, [], { env });
  return checks
    .filter(({ name: check, subject }) => subject === name && check !== 'profile')
    .map(({ name: check, status }) => `${check} ${status}`);
}

describe('doctor', () => {
  test('asks what leasectl serves whether it is ready, and shows it the token once', async () => {
    const team = await startTeamService();
    const sandbox = createSandbox();
    // What it is for is not looked at: here none of the keys.
    const token = await team.token('ci', 'jobs:claim');
    await addProfile(sandbox, 'team', team.url, token, 'leasectl');
    const { wrong, of } = await examine(sandbox);
    expect(wrong).toEqual([]);
    expect(of('readiness', 'team')).toMatchObject([{ status: 'ok' }]);
    expect(of('token', 'team')).toMatchObject([
      { status: 'ok', detail: `${team.url} takes the token (leasectl)` },
    ]);
    expect(of('default').map(({ subject, detail }) => `${subject} ${detail}`)).toEqual([
      'onceonly team',
      'retaia team',
      'askui team',
      'leasectl team',
    ]);
    const shown = team.seen.filter((request) => !request.endsWith(' nothing'));
    expect(shown).toEqual([`GET /v1/ai/status Bearer ${token}`]);
  });

  test('tells one that takes no requests from one that is not there, and from another service', async () => {
    const team = await startTeamService();
    team.isReady = false;
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', team.url, TOKEN, 'leasectl');
    const unready = await examine(sandbox);
    expect(unready.wrong).toMatchObject([
      {
        name: 'readiness',
        status: 'fail',
        detail: expect.stringContaining('takes no requests: its database cannot'),
      },
    ]);
    const other = await startLastingStub({ status: 404, body: 'no' });
    const stranger = createSandbox();
    await addProfile(stranger, 'team', other.url, TOKEN, 'leasectl');
    const strange = await examine(stranger);
    expect(strange.wrong).toMatchObject([
      { name: 'readiness', status: 'fail', mend: 'leasectl profile show team' },
    ]);
    // Neither of them is shown the token.
    expect(
      [...team.seen, ...other.seen.map(({ headers }) => headers.authorization)].join(),
    ).not.toContain(TOKEN);
  });

  test('misses no token on this machine, and knows a profile that serves no such service', async () => {
    const team = await startTeamService();
    const sandbox = createSandbox();
    await sandbox.run(['profile', 'add', 'dev', '--service', 'leasectl', '--url', team.url]);
    expect((await examine(sandbox)).wrong).toEqual([]);
    const env = { LEASECTL_URL: team.url, LEASECTL_SERVICE: 'leasectl' };
    expect((await examine(createSandbox(), [], { env })).wrong).toEqual([]);
    writeFileSync(
      fileOf(sandbox, 'dev'),
      JSON.stringify({ ...profileFile(sandbox, 'dev'), service: 'askui' }),
    );
    const { wrong } = await examine(sandbox, ['--offline']);
    expect(wrong.map(({ name, subject }) => `${name} ${subject}`)).toContain('default leasectl');
  });

  test('tries a token of the environment as that of each service, unless leasectl is said', async () => {
    const team = await startTeamService();
    const token = await team.token('ci', 'runner-jobs');
    const env = { LEASECTL_URL: team.url, LEASECTL_TOKEN: token };
    const name = 'LEASECTL_URL LEASECTL_TOKEN';
    expect(await found(createSandbox(), name, env)).not.toContain('readiness ok');
    const said = { ...env, LEASECTL_SERVICE: 'leasectl' };
    expect(await found(createSandbox(), name, said)).toEqual([
      'connection ok',
      'round trip ok',
      'clock ok',
      'readiness ok',
      'token ok',
    ]);
    const typo = await examine(createSandbox(), ['--offline'], { env: { LEASECTL_SERVICE: 'x' } });
    expect(typo.of('variable', 'LEASECTL_SERVICE')).toMatchObject([{ status: 'fail' }]);
  });
});

describe('--verify', () => {
  const add = (url: string) => [
    ...['profile', 'add', 'team', '--service', 'leasectl', '--url', url],
    ...['--token-stdin', '--verify'],
  ];

  test('takes a token that is for something else than keys, and no unknown one', async () => {
    const team = await startTeamService();
    const token = await team.token('ci', 'runner-jobs');
    const { run } = createSandbox();
    const wrong = await run(add(team.url), { input: TOKEN });
    expect(wrong).toMatchObject({ code: 4, stdout: '' });
    const right = await run(add(team.url), { input: token });
    expect(right).toMatchObject({ code: 0, stderr: `${team.url} takes the token.\n` });
  });

  test('does not take another service for one that leasectl serves', async () => {
    const body = { detail: { error: 'not_found', message: 'No.' } };
    const stub = await startStub({ status: 404, body });
    const { code, stderr } = await createSandbox().run(add(stub.url), { input: TOKEN });
    expect(code).toBe(76);
    expect(stderr).toContain('What answers there is not served by leasectl.');
  });
});

describe('capabilities', () => {
  test('are all of them, without doubts, and as far as an OAuth 2.0 client asks for it', async () => {
    const { run, json } = createSandbox();
    const team = ['profile', 'add', 'team', '--service', 'leasectl', '--url', 'https://l.example'];
    await run([...team, '--token-stdin'], { input: TOKEN });
    const scopes = ['keys:read', 'runner-jobs'];
    const client = ['--client-id', 'ci', '--client-secret-stdin', '--scope', scopes.join(' ')];
    await run(team.with(2, 'client').concat(client), { input: TOKEN });
    const notes = async (profile: string) => {
      const { service, commands } = Object(await json(['capabilities', profile]));
      expect(service).toBe('leasectl');
      return Object.fromEntries(
        commands.map(({ command, note }: Record<string, string>) => [command, note]),
      );
    };
    expect(await notes('team')).toMatchObject({
      lease: null,
      'jobs claim': null,
      'runner-jobs exec': null,
      run: 'It runs no tools: only a KEY.',
    });
    expect(await notes('client')).toMatchObject({
      status: null,
      lease: 'The profile asks for no keys:write.',
      'runner-jobs lease': null,
      'jobs list': 'The profile asks for no jobs:claim.',
    });
    expect(await json(['capabilities'])).toMatchObject({ profile: 'team' });
  });
});

test('a lost answer to an acquisition is asked for again at once: leasectl knows repetitions', async () => {
  const lost: Reply = (_, response) => response.destroy();
  const body = { ok: true, status: 'acquired', key: 'k', ttl: 60, lease_id: 'l', version: 1 };
  const stub = await startStub(lost, { status: 200, body });
  const sandbox = createSandbox();
  await addProfile(sandbox, 'team', stub.url, TOKEN, 'leasectl');
  expect((await sandbox.run(['lease', 'k'])).code).toBe(0);
  const keys = stub.seen.map(({ method, url, headers }) =>
    [method, url, headers['idempotency-key']].join(' '),
  );
  expect(new Set(keys).size).toBe(1);
});

test('api begins at the URL, or where the named service does; refusals are read as what they are', async () => {
  const team = await startTeamService();
  await team.addWork();
  const { run, ...sandbox } = createSandbox();
  await addProfile(
    { run, ...sandbox },
    'team',
    team.url,
    await team.token('ci', 'jobs:claim'),
    'leasectl',
  );
  const jobs = ['--query', '[].job_id'];
  expect(JSON.parse((await run(['api', 'GET', '/api/v1/jobs', ...jobs])).stdout)).toEqual([
    'job_1',
  ]);
  const retaia = await run([
    'api',
    'GET',
    '/jobs',
    '--service',
    'retaia',
    '--profile',
    'team',
    ...jobs,
  ]);
  expect(JSON.parse(retaia.stdout)).toEqual(['job_1']);
  const refusals = [
    ['/v1/ai/status?key=k', '(onceonly 403'],
    ['/api/v1/jobs/job_1/heartbeat', '(retaia 403 FORBIDDEN_SCOPE'],
    ['/api/v1/runner-jobs/ping?ack=a', '(askui 403'],
  ] as const;
  for (const [path, words] of refusals) {
    const method = path.startsWith('/v1') ? 'GET' : 'POST';
    const { code, stderr } = await run(['api', method, path]);
    expect(code).toBe(4);
    expect(stderr).toContain(words);
  }
});

test('TAB offers it to the commands of all services', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'team', 'https://l.example', TOKEN, 'leasectl');
  await addProfile(sandbox, 'media', 'https://m.example/api/v1', TOKEN, 'retaia');
  const { profiles } = valuesFrom(sandbox.env, Date.now());
  const offered = async (service: string) =>
    (await profiles(service, false)).map(({ value }) => value);
  expect(await offered('onceonly')).toEqual(['local', 'team']);
  expect(await offered('retaia')).toEqual(['local', 'media', 'team']);
  expect(await offered('leasectl')).toEqual(['local', 'team']);
});
