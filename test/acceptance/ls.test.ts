import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { filesOf } from '../support/files-of.ts';
import { STATE } from '../support/hosted-answers.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

const MINUTE = 60_000;
const BASE = { onceonly: '', retaia: '/api/v1', askui: '' };
type Service = keyof typeof BASE;

/** Notes that leases were taken, one for each id; each with a handle named after it. */
function hold(
  { ledgerFile }: Sandbox,
  place: { readonly service?: Service; readonly profile: string; readonly url: string },
  ids: readonly string[],
  endsIn = MINUTE,
): void {
  const { service = 'onceonly', profile, url } = place;
  const ledger = openLedger(ledgerFile, Date.now);
  const location = new URL(`${url}${BASE[service]}`).href;
  const times = { acquiredAt: Date.now() - 20_000, expiresAt: Date.now() + endsIn };
  for (const id of ids) {
    ledger.remember({ service, profile, location, id }, { handle: `handle-of-${id}`, ...times });
  }
  ledger.close();
}

/** A profile, where these were leased. */
async function holdAt(
  sandbox: Sandbox,
  profile: string,
  url: string,
  ids: readonly string[],
  service: Service = 'onceonly',
): Promise<void> {
  await addProfile(sandbox, profile, url + BASE[service], 'token', service);
  hold(sandbox, { service, profile, url }, ids);
}

/** OnceOnly, where every key is as this says. */
const keys =
  (state: (key: string) => object): Reply =>
  ({ url }, response) => {
    const key = new URL(url, 'http://stub').searchParams.get('key') ?? '';
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...STATE, key, lease_id: `handle-of-${key}`, ...state(key) }));
  };

const listed = async ({ run }: Sandbox, ...args: readonly string[]) => {
  const { code, stdout, stderr } = await run(['ls', ...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const leases: Record<string, unknown>[] = JSON.parse(stdout);
  return leases;
};
const idsOf = (leases: readonly Record<string, unknown>[]) => leases.map(({ id }) => id);

test('where nothing was taken nothing is listed, and nothing made', async () => {
  const { run, ledgerFile } = createSandbox();
  expect(await run(['ls', '--json'])).toMatchObject({ code: 0, stdout: '[]\n', stderr: '' });
  const { stderr } = await run(['ls']);
  expect(stderr).toBe('This machine holds no lease, as far as it knows.\n');
  expect(() => new Database(ledgerFile, { readonly: true })).toThrow();
});

describe('what this machine holds', () => {
  test('is listed over all services, each as it is seen there now', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'embedded', '--ttl', '10m']);
    await sandbox.json(['extend', 'embedded']);
    const onceOnly = await startLastingStub(
      keys((key) => (key === 'done' ? { status: 'completed', ttl_left: null } : {})),
    );
    await holdAt(sandbox, 'prod', onceOnly.url, ['a', 'done']);
    const retaia = await startStub({ status: 200, body: [] });
    await holdAt(sandbox, 'media', retaia.url, ['j1', 'j2'], 'retaia');
    await holdAt(sandbox, 'runners', await closedUrl(), ['r'], 'askui');
    const leases = await listed(sandbox, '--sort', 'id');
    expect(leases).toMatchObject([
      { id: 'a', service: 'onceonly', profile: 'prod', state: 'held', diagnosis: 'healthy' },
      { id: 'done', state: 'completed', diagnosis: 'finished', stuck: true, expires_in: null },
      { id: 'embedded', service: 'leasectl', profile: 'local', ttl: 600, renewals: 1 },
      { id: 'j1', service: 'retaia', profile: 'media', kind: 'job', state: 'held', renewals: 0 },
      { id: 'j2' },
      { id: 'r', service: 'askui', kind: 'runner_job', state: 'held', renewed_at: null },
    ]);
    expect(leases.every(({ asked, error }) => asked === true && error === null)).toBe(true);
    expect(onceOnly.seen.map(({ method, url }) => `${method} ${url}`).sort()).toEqual([
      'GET /v1/ai/status?key=a',
      'GET /v1/ai/status?key=done',
    ]);
    const { stdout } = await sandbox.run(['ls', '--profile', 'local']);
    expect(stdout).toMatch(
      /^ID\tSERVICE\tLEFT\tTAKEN\tRENEWED\tSTATE\tHOLDER\nembedded\tlocal\t\d/,
    );
    expect(JSON.stringify(leases)).not.toContain('handle-of');
  });

  test('is lost where somebody else has it', async () => {
    const sandbox = createSandbox();
    const { url } = await startLastingStub(keys(() => ({ lease_id: 'of-somebody-else' })));
    await holdAt(sandbox, 'prod', url, ['a']);
    expect(await listed(sandbox, '--stuck')).toMatchObject([
      { id: 'a', state: 'held', stuck: true, holder: { is_this_machine: false } },
    ]);
    const { stdout } = await sandbox.run(['ls', '--no-header']);
    expect(stdout).toMatch(/^a\tprod onceonly\t.*\tlost\t$/m);
  });

  test('is told from memory, without a question, with --offline', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'embedded', '--ttl', '10m']);
    await holdAt(sandbox, 'prod', await closedUrl(), ['a']);
    expect(await listed(sandbox, '--offline')).toMatchObject([
      { id: 'a', service: 'onceonly', asked: false, state: 'held', error: null },
      { id: 'embedded', service: 'leasectl', asked: false, holder: { is_this_machine: true } },
    ]);
    // Who reads a database says so there.
    const files = () => ({ ...filesOf(sandbox.directory), 'state/leasectl/handles.db-shm': '' });
    const before = files();
    expect((await sandbox.run(['ls', '--offline'])).code).toBe(0);
    expect(files()).toEqual(before);
  });

  test('is found in what an earlier leasectl noted, too', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'embedded', '--ttl', '10m']);
    const db = new Database(sandbox.ledgerFile);
    for (const name of ['origin', 'renewed_at', 'renewals']) {
      db.exec(`ALTER TABLE handles DROP COLUMN ${name}`);
    }
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(await listed(sandbox, '--offline')).toMatchObject([
      { id: 'embedded', renewals: 0, holder: { is_this_machine: true, host: null } },
    ]);
  });

  test('that ran out is left out, and listed with --expired', async () => {
    const sandbox = createSandbox();
    const { url } = await startLastingStub(
      keys((key) => (key === 'over' ? { status: 'failed', error_code: 'expired' } : {})),
    );
    await holdAt(sandbox, 'prod', url, ['a']);
    hold(sandbox, { profile: 'prod', url }, ['over'], -MINUTE);
    expect(idsOf(await listed(sandbox))).toEqual(['a']);
    const { stderr } = await sandbox.run(['ls']);
    expect(stderr).toBe('One more ran out: leasectl ls --expired\n');
    const refused = await sandbox.run(['ls', '--timeout', '1ms']);
    expect(refused).toMatchObject({ code: 2, stderr: expect.not.stringContaining('ran out') });
    expect(await listed(sandbox, '--expired')).toMatchObject([
      { id: 'over', state: 'expired', diagnosis: 'expired', stuck: true },
    ]);
  });

  test('is sorted as one likes, and that of a profile alone', async () => {
    const sandbox = createSandbox();
    const { url } = await startLastingStub(keys((key) => ({ ttl_left: key === 'b' ? 5 : 50 })));
    await holdAt(sandbox, 'prod', url, ['c', 'a', 'b']);
    await sandbox.json(['lease', 'k', '--ttl', '1h', '--profile', 'local']);
    expect(idsOf(await listed(sandbox))).toEqual(['b', 'a', 'c', 'k']);
    expect(idsOf(await listed(sandbox, '--sort', 'id'))).toEqual(['a', 'b', 'c', 'k']);
    expect(idsOf(await listed(sandbox, '--sort', 'profile'))).toEqual(['k', 'a', 'b', 'c']);
    expect(idsOf(await listed(sandbox, '--sort', 'taken'))).toEqual(['a', 'b', 'c', 'k']);
    expect(idsOf(await listed(sandbox, '--profile', 'local'))).toEqual(['k']);
    expect((await sandbox.run(['ls', '--profile', 'none'])).code).toBe(2);
  });
});

describe('a service', () => {
  test('that does not answer costs no more than the time that it gets, and hides no other', async () => {
    const sandbox = createSandbox();
    const silent = await startLastingStub(() => undefined);
    const ids = Array.from({ length: 40 }, (_, index) => `slow-${index}`);
    await holdAt(sandbox, 'silent', silent.url, ids);
    await holdAt(sandbox, 'closed', await closedUrl(), ['b']);
    await sandbox.json(['lease', 'k', '--ttl', '1h', '--profile', 'local']);
    const begun = performance.now();
    const leases = await listed(sandbox, '--timeout', '2s', '--sort', 'id');
    // Starting takes some of it, and on a busy machine much.
    expect(performance.now() - begun).toBeLessThan(2_000 + 4_000);
    expect(leases).toHaveLength(42);
    for (const lease of leases.slice(0, -41)) expect(lease).toMatchObject({ id: 'b' });
    for (const lease of leases.filter(({ id }) => id !== 'k')) {
      expect(lease).toMatchObject({ diagnosis: 'unreachable', asked: false, stuck: false });
      expect(lease).toMatchObject({ error: { code: 'unavailable' }, state: 'held' });
    }
    expect(leases.find(({ id }) => id === 'k')).toMatchObject({ asked: true });
    expect(silent.seen.length).toBeLessThan(40);
  });

  test('that refuses is asked no further', async () => {
    const sandbox = createSandbox();
    const detail = { error: 'forbidden', message: 'No.' };
    const stub = await startLastingStub({ status: 403, body: { detail } });
    const ids = Array.from({ length: 40 }, (_, index) => `k${index}`);
    await holdAt(sandbox, 'prod', stub.url, ids);
    for (const lease of await listed(sandbox)) {
      expect(lease).toMatchObject({ asked: false, error: { code: 'unauthorized' } });
    }
    expect(stub.seen.length).toBeLessThan(20);
  });

  test('to which nothing leads any more is told, and not another one asked in its place', async () => {
    const sandbox = createSandbox();
    const stub = await startLastingStub(keys(() => ({})));
    await addProfile(sandbox, 'moved', stub.url);
    hold(sandbox, { profile: 'moved', url: 'https://elsewhere.example.com' }, ['a']);
    hold(sandbox, { profile: 'gone', url: stub.url }, ['b']);
    hold(sandbox, { profile: 'LEASECTL_URL', url: stub.url }, ['c']);
    for (const lease of await listed(sandbox)) {
      expect(lease).toMatchObject({ asked: false, error: { code: 'usage' } });
    }
    expect(stub.seen).toEqual([]);
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 'token' };
    const { stdout } = await sandbox.run(['ls', '--json', '--sort', 'id'], { env });
    expect(JSON.parse(stdout)[2]).toMatchObject({ id: 'c', asked: true, error: null });
  });
});
