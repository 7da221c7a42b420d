import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { createSandbox } from '../support/sandbox.ts';

/** Part of the password, however it is written. */
const PASSWORD = /w:rd|w%3Ard/i;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

describe('a database of PostgreSQL', () => {
  test('is administered as a file is', async () => {
    const { json, run } = createSandbox();
    const env = { LEASECTL_DATABASE: await server.createDatabase() };
    const add = ['admin', 'tokens', 'add', 'ci', '--scope', 'keys:read', '--expires', '1d'];
    const { token, ...told } = Object(await json(add, { env }));
    expect(token).toMatch(/^token_/);
    expect(await json(['admin', 'tokens', 'list'], { env })).toEqual([told]);
    const other = ['admin', 'tokens', 'list', '--namespace', 'other'];
    expect(await json(other, { env })).toEqual([]);
    const jobs = [
      await json(['admin', 'jobs', 'add', '--type', 't', '--count', '3'], { env }),
    ].flat();
    const leases = Object(await json(['admin', 'leases', 'list', '--limit', '2'], { env }));
    expect(leases.leases).toMatchObject([{ state: 'waiting' }, { kind: 'job' }]);
    const rest = await json(['admin', 'leases', 'list', '--after', leases.next], { env });
    expect(rest).toMatchObject({ leases: [{ id: Object(jobs[2]).job_id }], next: null });
    await json(['admin', 'runner-jobs', 'add'], { env });
    const { events } = Object(await json(['admin', 'history', '--limit', '2'], { env }));
    expect(events).toMatchObject([
      { type: 'added', kind: 'runner_job', before: null, after: 'waiting' },
      { type: 'added', kind: 'job' },
    ]);
    const revoked = await run(['admin', 'tokens', 'revoke', 'ci'], { env });
    expect(revoked.stdout).toContain('State\trevoked\n');
    expect((await run(['admin', 'leases', 'break', 'k'], { env })).code).toBe(3);
  });

  test('that cannot be had is a failure that tells no password', async () => {
    const { run } = createSandbox();
    const url = await server.createDatabase();
    for (const [wrong, code] of [
      [url.replace(/@127/, 'x@127'), /^[24]$/],
      [url.replace(/[^/]+$/, 'nowhere'), /^2$/],
      [url.replace(/:\d+\//, ':1/'), /^75$/],
    ] as const) {
      const { stdout, stderr, ...ended } = await run([
        'admin',
        'leases',
        'list',
        '--database',
        wrong,
      ]);
      expect(stdout).toBe('');
      expect(String(ended.code), stderr).toMatch(code);
      expect(stderr).not.toMatch(PASSWORD);
    }
  });
});
