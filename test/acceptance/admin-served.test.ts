import { describe, expect, test } from 'vitest';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, startStub } from '../support/stub-server.ts';
import { startTeamService, type TeamService } from '../support/team-service.ts';

interface Team extends Sandbox, Pick<TeamService, 'url' | 'token' | 'seen'> {}

/** A machine whose profile is of a service with access control, and may administer it. */
async function joined(): Promise<Team> {
  const sandbox = createSandbox();
  const { url, token, seen } = await startTeamService();
  await addProfile(sandbox, 'team', url, await token('root', 'admin', 'keys:write'), 'leasectl');
  return { ...sandbox, url, token, seen };
}

test('what is added over HTTP is there for the commands on the same profile', async () => {
  const { json, run, url } = await joined();
  const [job] = Object(await json(['admin', 'jobs', 'add', '--type', 't', '--count', '2']));
  expect(Object(await json(['admin', 'leases', 'list'])).leases).toHaveLength(2);
  await json(['lease', 'deploy/ü prod']);
  const lease = await json(['admin', 'leases', 'show', 'deploy/ü prod']);
  expect(lease).toMatchObject({ id: 'deploy/ü prod', state: 'held', holder: 'root' });
  const broken = await json(['admin', 'leases', 'break', 'deploy/ü prod', '--reason', 'é']);
  expect(broken).toMatchObject({ state: 'expired' });
  expect(await json(['admin', 'history', '--limit', '1'])).toMatchObject({
    events: [{ type: 'broken', caller: 'root', detail: { reason: 'é' } }],
  });
  const add = ['admin', 'tokens', 'add', 'agent', '--scope', 'jobs:claim', '--field', 'token'];
  const { stdout: token } = await run(add);
  const env = { LEASECTL_URL: url, LEASECTL_SERVICE: 'leasectl', LEASECTL_TOKEN: token.trim() };
  expect(await json(['jobs', 'claim', job.job_id], { env })).toMatchObject({ claimed_by: 'agent' });
  const forbidden = await run(['admin', 'leases', 'list'], { env });
  expect(forbidden).toMatchObject({ code: 4, stdout: '' });
  expect(forbidden.stderr).toContain('leasectl admin tokens add NAME --scope admin');
  await json(['admin', 'tokens', 'revoke', 'agent']);
  expect(await json(['admin', 'tokens', 'list'])).toMatchObject([
    { name: 'agent', revoked_at: expect.any(String), last_used_at: expect.any(String) },
    { name: 'root', revoked_at: null },
  ]);
});

test('the namespace is the token’s: another one is refused before anything is sent', async () => {
  const { run, seen } = await joined();
  const before = seen.length;
  const refused = await run(['admin', 'leases', 'list', '--namespace', 'other']);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('A service that is asked takes the namespace of the token.');
  expect(seen.length).toBe(before);
});

test('a profile of another service is not administered: 2', async () => {
  const sandbox = createSandbox();
  await addProfile(sandbox, 'keys', 'http://localhost:1');
  const refused = await sandbox.run(['admin', 'jobs', 'add', '--type', 't', '--profile', 'keys']);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('Profile keys is for onceonly');
});

describe('when no answer comes', () => {
  const ADDING = [
    ['jobs', 'add', '--type', 't'],
    ['tokens', 'add', 'x', '--scope', 'admin'],
    ['clients', 'add', 'x', '--scope', 'admin'],
    ['leases', 'break', 'k'],
  ];

  test.each(ADDING)(
    'admin %s %s is sent once, and its outcome said to be unknown',
    async (...args) => {
      const stub = await startStub({ status: 503, body: 'away' });
      const sandbox = createSandbox();
      await addProfile(sandbox, 'team', stub.url, 'canary-token', 'leasectl');
      const lost = await sandbox.run(['admin', ...args, '--timeout', '5s']);
      expect(lost).toMatchObject({ code: 75, stdout: '' });
      expect(lost.stderr).toMatch(/Whether .* is unknown/);
      expect(stub.seen.length).toBe(1);
    },
  );

  test('because nobody is there, that is known to have done nothing', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', await closedUrl(), 'canary-token', 'leasectl');
    const lost = await sandbox.run(['admin', 'jobs', 'add', '--type', 't', '--timeout', '1s']);
    expect(lost).toMatchObject({ code: 75, stdout: '' });
    expect(lost.stderr).not.toContain('unknown');
  });
});
