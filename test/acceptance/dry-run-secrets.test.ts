import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf } from '../support/files-of.ts';
import { CANARY } from '../support/hosted-answers.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { closedUrl, startStub } from '../support/stub-server.ts';

test('no token is asked for', async () => {
  const tokens = await startStub();
  const sandbox = createSandbox();
  const credential = ['--client-id', 'agent-7', '--client-secret-stdin'];
  await sandbox.run(
    ['profile', 'add', 'p', '--service', 'retaia', '--url', tokens.url, ...credential],
    { input: CANARY },
  );
  const before = filesOf(sandbox.directory);
  expect(await sandbox.json(['jobs', 'claim', 'j', '--dry-run'])).toMatchObject({
    method: 'POST',
    url: `${tokens.url}/jobs/j/claim`,
    headers: { authorization: 'Bearer ***' },
    body: null,
  });
  expect(filesOf(sandbox.directory)).toEqual(before);
});

test('no program is run for a token', async () => {
  const sandbox = createSandbox();
  const flags = ['--service', 'onceonly', '--url', 'https://example.com'];
  const command = `touch ${join(sandbox.directory, 'ran')}; echo token`;
  await sandbox.json(['profile', 'add', 'p', ...flags, '--token-command', command]);
  const before = filesOf(sandbox.directory);
  expect(await sandbox.json(['lease', 'k', '--dry-run'])).toMatchObject({
    headers: { authorization: 'Bearer ***' },
  });
  expect(filesOf(sandbox.directory)).toEqual(before);
});

test('a token is taken out also where a query writes it in its own way', async () => {
  const sandbox = createSandbox();
  const token = 'tok~en!secret(1234)';
  await addProfile(sandbox, 'p', await closedUrl(), token);
  const args = ['api', 'GET', '/x', '-q', `note=${token}`, '-H', `X-Note: ${token}`];
  const { code, stdout } = await sandbox.run([...args, '--dry-run']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^GET \S+\/x\?note=\*\*\*\n/);
  expect(stdout).toContain('\nx-note: ***\n');
  const env = { LEASECTL_DEBUG: 'http' };
  const { stderr } = await sandbox.run([...args, '--timeout', '1s'], { env });
  expect(stderr).toContain('?note=*** (#1)');
  expect(stdout + stderr).not.toContain('secret');
});
