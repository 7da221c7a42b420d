import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const CI = ['admin', 'tokens', 'add', 'ci', '--scope', 'keys:read,keys:write'];

describe('tokens', () => {
  test('are shown once, and kept as digests', async () => {
    const { json, run, databaseFile } = createSandbox();
    const { token, ...told } = Object(await json([...CI, '--expires', '90d']));
    expect(token).toMatch(/^token_[\w-]{43}$/);
    expect(Date.parse(told.expires_at) - Date.parse(told.created_at)).toBe(90 * 86_400_000);
    const listed = await run(['admin', 'tokens', 'list']);
    expect(listed.stdout).toMatch(/^NAME\tSTATE\tSCOPE\tCREATED\tEXPIRES\tLAST USED\n/);
    expect(listed.stdout).toMatch(/\nci\tgood\tkeys:read keys:write\t2.*\t2.*\tnever\n$/);
    expect(await json(['admin', 'tokens', 'list'])).toEqual([told]);
    for (const file of [databaseFile, `${databaseFile}-wal`].filter(existsSync)) {
      expect(readFileSync(file).includes(token)).toBe(false);
    }
    const again = await run(CI);
    expect(again).toMatchObject({ code: 7, stdout: '' });
    expect(again.stderr).toContain('There is a token ci already');
  });

  test('are printed bare for scripts, and revoked by their names', async () => {
    const { run } = createSandbox();
    const added = await run([...CI, '--field', 'token']);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^token_[\w-]{43}\n$/) });
    const revoked = await run(['admin', 'tokens', 'revoke', 'ci']);
    expect(revoked.stdout).toMatch(/State\trevoked\n/);
    expect((await run(['admin', 'tokens', 'list'])).stdout).toContain('\nci\trevoked\t');
    expect((await run(['admin', 'tokens', 'revoke', 'nobody'])).code).toBe(3);
  });

  test.each([
    [['x', '--scope', 'admin', '--expires', 'soon']],
    [['x', '--scope', 'admin', '--expires', '0s']],
    [['x', '--scope', 'admin', '--expires', '4000d']],
    [['x', '--scope', 'fly']],
    [['x']],
    [['two words', '--scope', 'admin']],
    [['x', '--scope', 'admin', '--namespace', 'a/b']],
    [['x', '--scope', 'admin', '--profile', 'local', '--database', 'x.db']],
  ])('are not added by %j: 2', async (args) => {
    const { run, databaseFile } = createSandbox();
    const refused = await run(['admin', 'tokens', 'add', ...args]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(existsSync(databaseFile)).toBe(false);
  });
});

describe('a database that is named', () => {
  const names = async ({ json }: Sandbox, ...flags: string[]) =>
    [await json(['admin', 'tokens', 'list', ...flags])].flat().map((token) => Object(token).name);

  test('is made for the first token, and is none of the local profile', async () => {
    const sandbox = createSandbox();
    const database = join(sandbox.directory, 'team', 'leases.db');
    await sandbox.json([...CI, '--database', database]);
    expect(await names(sandbox, '--database', database)).toEqual(['ci']);
    expect(await names(sandbox)).toEqual([]);
    const env = { LEASECTL_DATABASE: database };
    const fromEnv = await sandbox.json(['admin', 'tokens', 'list'], { env });
    expect(fromEnv).toMatchObject([{ name: 'ci' }]);
    const local = ['admin', 'tokens', 'list', '--profile', 'local'];
    expect(await sandbox.json(local, { env })).toEqual([]);
    // Other commands go by profiles alone.
    await sandbox.json(['lease', 'k'], { env });
    expect(await sandbox.json(['admin', 'leases', 'list', '--database', database])).toMatchObject({
      leases: [],
    });
  });

  test('has namespaces that know nothing of one another', async () => {
    const sandbox = createSandbox();
    const at = (namespace: string) => ['--namespace', namespace];
    await sandbox.json([...CI, ...at('a')]);
    await sandbox.json(['admin', 'jobs', 'add', '--type', 't', ...at('a')]);
    expect(await names(sandbox, ...at('a'))).toEqual(['ci']);
    expect(await names(sandbox, ...at('b'))).toEqual([]);
    expect(await names(sandbox)).toEqual([]);
    expect(await sandbox.json(['jobs', 'list'])).toEqual([]);
    const [token] = [await sandbox.json(['admin', 'tokens', 'list', ...at('a')])].flat();
    expect(token).toMatchObject({ namespace: 'a' });
  });

  test('is not made by who only looks, or changes what there is', async () => {
    const { run, directory } = createSandbox();
    const database = join(directory, 'no.db');
    for (const args of [
      ['tokens', 'list'],
      ['tokens', 'revoke', 'x'],
      ['leases', 'break', 'k'],
    ]) {
      const refused = await run(['admin', ...args, '--database', database]);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain(`--database: there is no database ${database}.`);
    }
    expect(existsSync(database)).toBe(false);
    const env = { LEASECTL_DATABASE: '' };
    expect((await run(['admin', 'tokens', 'list'], { env })).code).toBe(2);
  });
});

describe('leases', () => {
  test('are listed, shown and broken, without their handles', async () => {
    const sandbox = createSandbox();
    const { json, run } = sandbox;
    const { lease_id } = Object(await json(['lease', 'deploy/prod']));
    await json(['admin', 'jobs', 'add', '--type', 't']);
    const listed = await run(['admin', 'leases', 'list', '--kind', 'key', '--no-header']);
    expect(listed.stdout).toMatch(/^deploy\/prod\tkey\theld\t.+@.+\t2.*\t2.* left\)\n$/);
    const shown = await run(['admin', 'leases', 'show', 'deploy/prod']);
    expect(shown.stdout).toMatch(/\nState\theld\nHolder\t.+@.+\nAcquired\t2.*\nUntil\t2.* left\)/);
    const broken = await run(['admin', 'leases', 'break', 'deploy/prod', '--reason', 'it hangs']);
    expect(broken.stdout).toContain('State\texpired, broken\n');
    const history = await run(['admin', 'history', 'deploy/prod']);
    expect(history.stdout).toMatch(
      /\tbroken\tkey\tdeploy\/prod\theld → .*\t.+@.+\treason=it hangs\n.*\tacquired\t/,
    );
    for (const { stdout, stderr } of [listed, shown, broken, history]) {
      expect(stdout + stderr).not.toContain(lease_id);
    }
    const lost = await run(['extend', 'deploy/prod']);
    expect(lost.code).toBe(14);
    expect((await run(['lease', 'deploy/prod'])).code).toBe(0);
  });

  test('are found by what their ids look like, or by the kind', async () => {
    const { json, run } = createSandbox();
    const [job] = Object(await json(['admin', 'jobs', 'add', '--type', 't']));
    const [runnerJob] = Object(await json(['admin', 'runner-jobs', 'add']));
    const show = (id: string, ...flags: string[]) => run(['admin', 'leases', 'show', id, ...flags]);
    expect((await show(job.job_id)).stdout).toContain('Kind\tjob\nState\twaiting\n');
    expect((await show(runnerJob.id)).stdout).toContain('Kind\trunner_job\n');
    expect((await show(runnerJob.id, '--kind', 'runner-job')).code).toBe(0);
    // As answers have it.
    expect((await show(runnerJob.id, '--kind=runner_job')).code).toBe(0);
    const { code, stderr } = await show(runnerJob.id, '--kind', 'runner');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('runner-job') });
    expect(stderr).not.toContain('runner_job');
    expect((await show(job.job_id, '--kind', 'key')).code).toBe(3);
    expect((await run(['admin', 'leases', 'break', job.job_id])).code).toBe(7);
  });

  test('of which nothing happened say so, beside an answer that is empty', async () => {
    const { json, run } = createSandbox();
    const said = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(['admin', 'history', ...args, '--no-header']);
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: '' });
      return stderr;
    };
    expect(await said()).toBe('Nothing is noted.\n');
    await json(['lease', 'k']);
    const where = 'of n: check the spelling. Events are kept for 30 days.\n';
    expect(await said('n')).toBe(`Nothing is noted ${where}`);
    expect(await said('n', '--type', 'broken')).toBe(`Nothing that is asked for is noted ${where}`);
    expect(await said('--kind', 'job')).toBe('Nothing that is asked for is noted.\n');
    expect((await run(['admin', 'history', 'k'])).stderr).toBe('');
  });

  test('come in pieces, and how to go on is told', async () => {
    const { json, run } = createSandbox();
    for (const key of ['a b', 'c']) await json(['lease', key]);
    const first = await run(['admin', 'leases', 'list', '--limit', '1']);
    expect(first.stderr).toBe("There are more: --after 'key:a b'\n");
    const rest = await run(['admin', 'leases', 'list', '--after', 'key:a b']);
    expect(rest).toMatchObject({ stderr: '', stdout: expect.stringMatching(/^ID.*\nc\t.*\n$/) });
    const latest = Object(await json(['admin', 'history', '--limit', '1']));
    const before = await json(['admin', 'history', '--before', String(latest.next)]);
    expect(before).toMatchObject({ events: [{ id: 'a b' }], next: null });
  });

  test.each([
    [['leases', 'list', '--limit', '1001']],
    [['leases', 'list', '--state', 'gone']],
    [['leases', 'show']],
    [['history', '--before', 'x']],
    [['history', '--type', 'gone']],
    [['history', '--since', 'yesterday']],
    [['history', '--since', '2025-13-01']],
    [['history', '--follow', '--before', '5']],
  ])('%j is refused: 2', async (args) => {
    const { run } = createSandbox();
    expect(await run(['admin', ...args])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('clients', () => {
  test('are listed without their secrets, and removed', async () => {
    const { json, run } = createSandbox();
    const add = ['admin', 'clients', 'add', 'agent', '--scope', 'jobs:claim'];
    const { client_secret, ...rest } = Object(await json(add));
    expect(client_secret).toBeTruthy();
    expect(await json(['admin', 'clients', 'list'])).toEqual([rest]);
    expect(await json(['admin', 'clients', 'remove', 'agent'])).toEqual({
      name: 'agent',
      removed: true,
    });
    expect(await json(['admin', 'clients', 'list'])).toEqual([]);
    expect((await run(['admin', 'clients', 'remove', 'agent'])).code).toBe(3);
  });
});
