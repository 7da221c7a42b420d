import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { engineOn } from '../../src/engines.ts';
import { originHeader } from '../../src/http/origin-header.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { json, NASTY, once, startRaw } from '../support/hostile.ts';
import { runOnTerminal } from '../support/on-terminal.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startLastingStub } from '../support/stub-server.ts';
import { startTeamService } from '../support/team-service.ts';

const idsOf = (leases: unknown) => [leases].flat().map((lease) => Object(lease).id);

describe('everybody’s leases', () => {
  test('of the embedded service are those that are held, or that ran out', async () => {
    const { json: answer, run } = createSandbox();
    expect((await run(['ls', '--all'])).stderr).toBe('Nobody holds a lease.\n');
    expect((await run(['ls', '--all', '--expired'])).stderr).toBe('Nothing ran out.\n');
    for (const key of ['a', 'b', 'done']) await answer(['lease', key, '--ttl', '1h']);
    await answer(['complete', 'done']);
    await answer(['lease', 'short', '--ttl', '1s']);
    await answer(['admin', 'jobs', 'add', '--type', 't', '--count', '2']);
    const { job_id } = Object(await answer(['jobs', 'claim', '--next']));
    await answer(['extend', 'b', '--ttl', '2h']);
    await expect
      .poll(async () => idsOf(await answer(['ls', '--all', '--expired'])))
      .toEqual(['short']);
    const leases = await answer(['ls', '--all']);
    expect(leases).toMatchObject([
      { id: job_id, kind: 'job', service: 'leasectl', profile: 'local', renewed_at: null },
      { id: 'a', kind: 'key', ttl: 3600, holder: { command: 'lease', is_this_machine: false } },
      { id: 'b', ttl: 7200, renewed_at: expect.stringMatching(/Z$/), stuck: false },
    ]);
    expect(idsOf(await answer(['ls', '--all', '--sort', 'id']))).toEqual(['a', 'b', job_id]);
    expect(await answer(['ls', '--all', '--stuck'])).toEqual([]);
    expect((await run(['ls', '--all', '--offline'])).code).toBe(2);
  });

  test('that leasectl serves are those of the token’s namespace, if it may see them', async () => {
    const team = await startTeamService();
    await team.addWork();
    const headers = { authorization: `Bearer ${await team.token('agent', 'jobs:claim')}` };
    const origin = originHeader({ host: 'far', user: 'bob', command: 'jobs claim' });
    const url = `${team.url}/api/v1/jobs/job_1/claim`;
    expect((await fetch(url, { method: 'POST', headers: { ...headers, ...origin } })).status).toBe(
      200,
    );
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', team.url, await team.token('ops', 'admin'), 'leasectl');
    expect(await sandbox.json(['ls', '--all', '--profile', 'team'])).toMatchObject([
      { id: 'job_1', profile: 'team', holder: { name: 'agent', host: 'far', user: 'bob' } },
    ]);
    const env = { LEASECTL_TOKEN: await team.token('other', 'keys:write') };
    expect((await sandbox.run(['ls', '--all', '--profile', 'team'], { env })).code).toBe(4);
    await addProfile(sandbox, 'prod', 'https://example.com');
    expect((await sandbox.run(['ls', '--all', '--profile', 'prod'])).code).toBe(2);
  });

  test('are all of them, in as many pieces as it takes', async () => {
    const { databaseFile, json: answer } = createSandbox();
    await answer(['lease', 'first', '--ttl', '1h']);
    const store = openSqliteStore({ file: databaseFile });
    const engine = engineOn(store);
    const by = { caller: 'x', requestId: null };
    const rest = { ttl: 7_200_000, metadata: null, idempotencyKey: null, requestHash: null };
    const ids = Array.from({ length: 1_100 }, (_, index) => `k${index}`);
    await Promise.all(ids.map((id) => engine.acquire({ kind: 'key', id, ...rest }, by)));
    await store.close();
    const leases = idsOf(await answer(['ls', '--all']));
    expect(leases[0]).toBe('first');
    expect(new Set(leases)).toEqual(new Set(['first', ...ids]));
  });
});

const ACTING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const HOSTILE: readonly (readonly [string, string])[] = [
  ['control characters', NASTY],
  ['names of 10 kilobytes', 'long/'.repeat(2_000)],
  ['wide letters', '鍵🔒'.repeat(500)],
];

/** Shows it on a terminal of 80 columns, whose shape it has to keep. */
async function expectWellShown(
  { env, directory: cwd }: Sandbox,
  words: readonly string[],
  more = {},
) {
  const options = { env: { ...env, ...more }, input: '', cwd };
  const { code, stdout } = await runOnTerminal(words, options);
  expect(code, stdout).toBe(0);
  const lines = stripVTControlCharacters(stdout).split('\r\n');
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    expect(line).not.toMatch(ACTING);
    expect(stringWidth(line)).toBeLessThanOrEqual(80);
  }
}

describe.each(HOSTILE)('%s', (_, text) => {
  test('of everybody’s leases act on nothing, and leave the table its shape', async () => {
    const origin = { host: text, user: text, command: text, ci: { job: text } };
    const now = new Date().toISOString();
    const ends = new Date(Date.now() + 60_000).toISOString();
    const lease = {
      ...{ kind: text, id: text, state: 'held', holder: text, fencing_token: 1, version: 1 },
      ...{ first_seen_at: text, changed_at: text, expires_at: ends, finished_at: text },
      ...{ error_code: text, cancel_requested: false, closed: false, acquired_at: now, ttl: 60 },
    };
    const second = { ...lease, id: `2${text}`, holder: null, origin, expires_at: text };
    const body = { leases: [lease, second], next: null, now };
    const sandbox = createSandbox();
    const env = { LEASECTL_TOKEN: 'token', LEASECTL_SERVICE: 'leasectl' };
    const shown = async (...more: readonly string[]) => {
      const { url } = await startRaw(once(json(body)));
      return sandbox.run(['ls', '--all', ...more], { env: { ...env, LEASECTL_URL: url } });
    };
    const { stdout } = await shown();
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stdout.replace(/[\t\n]/g, '')).not.toMatch(ACTING);
    expect(idsOf(JSON.parse((await shown('--json')).stdout)).sort()).toEqual(
      [`2${text}`, text].sort(),
    );
    const { url } = await startRaw(once(json(body)));
    await expectWellShown(sandbox, ['ls', '--all'], { ...env, LEASECTL_URL: url });
  });

  test('of what this machine holds do not, either', async () => {
    const sandbox = createSandbox();
    const { url } = await startLastingStub({ status: 500, body: { detail: text } });
    const location = `${url}/`;
    await addProfile(sandbox, 'prod', url);
    const ledger = openLedger(sandbox.ledgerFile, Date.now);
    const address = { service: 'onceonly', profile: 'prod', location };
    const times = { acquiredAt: Date.now(), expiresAt: Date.now() + 60_000 };
    const origin = { host: text, user: text, repository: text };
    for (const id of [text, `2${text}`]) {
      ledger.remember({ ...address, id }, { handle: 'handle', ...times, origin });
    }
    ledger.close();
    for (const flag of ['--offline', '--timeout=1s']) {
      const { stdout } = await sandbox.run(['ls', flag]);
      expect(stdout.trimEnd().split('\n')).toHaveLength(3);
      expect(stdout.replace(/[\t\n]/g, '')).not.toMatch(ACTING);
    }
    await expectWellShown(sandbox, ['ls', '--offline']);
  });
});
