import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/exec-host.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { addToken, startServe } from '../support/served.ts';
import { startLastingStub } from '../support/stub-server.ts';
import { startWatcher } from '../support/watcher.ts';

describe('in a pipe each event is a line of JSON', () => {
  test("of this machine's leases, from before and taken meanwhile", async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'before', '--ttl', '60s']);
    const watcher = startWatcher(sandbox, []);
    expect(await watcher.hears('seen')).toMatchObject({
      ...{ service: 'leasectl', profile: 'local', kind: 'key', id: 'before' },
      ...{ state: 'held', diagnosis: 'healthy', fencing_token: 1, version: 1, ttl: 60 },
      ...{ renewed_at: null, expires_at: expect.stringMatching(/Z$/), error_code: null },
    });
    const other = startWatcher(sandbox, ['--profile', 'local']);
    await other.hears('seen', { id: 'before' });
    await sandbox.json(['lease', 'meanwhile', '--ttl', '60s']);
    await watcher.hears('seen', { id: 'meanwhile' });
    await sandbox.json(['extend', 'before', '--ttl', '2m']);
    expect(await watcher.hears('extended')).toMatchObject({ id: 'before', ttl: 120, version: 2 });
    await sandbox.json(['complete', 'meanwhile']);
    await watcher.hears('completed', { id: 'meanwhile', expires_at: null, diagnosis: 'finished' });
    await sandbox.json(['fail', 'before', '--error-code', 'disk']);
    await watcher.hears('failed', { id: 'before', error_code: 'disk' });
  });

  test("of everybody's, as they are taken, lost and broken", async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'known', '--ttl', '60s']);
    const other = { env: { XDG_STATE_HOME: `${sandbox.directory}/other`, USER: 'eve' } };
    const watcher = startWatcher(sandbox, ['--all']);
    await watcher.hears('seen', { id: 'known' });
    await sandbox.json(['lease', 'short', '--ttl', '4s'], other);
    const taken = await watcher.hears('acquired', { id: 'short' });
    expect(taken['holder']).toMatchObject({ name: expect.stringMatching(/^eve@/), user: 'eve' });
    await watcher.hears('ending', { id: 'short' });
    expect(await watcher.hears('expired')).toMatchObject({ id: 'short', diagnosis: 'expired' });
    await sandbox.run(['lease', 'known'], other);
    expect(await watcher.hears('refused')).toMatchObject({
      ...{ id: 'known', by: expect.stringMatching(/^eve@/), reason: 'held', state: 'held' },
    });
    await sandbox.json(['admin', 'leases', 'break', 'known', '--reason', 'gone']);
    expect(await watcher.hears('broken')).toMatchObject({ id: 'known', reason: 'gone' });
    await sandbox.json(['admin', 'jobs', 'add', '--type', 't']);
    await sandbox.json(['jobs', 'claim', '--next']);
    await watcher.hears('acquired', { kind: 'job' });
  });

  test('of those that are named, whether or not anybody has them', async () => {
    const sandbox = createSandbox();
    const watcher = startWatcher(sandbox, ['a', 'b', 'a', '--json']);
    expect(await watcher.hears('seen', { id: 'a' })).toMatchObject({ state: 'never_seen' });
    await watcher.hears('seen', { id: 'b' });
    await sandbox.json(['lease', 'other']);
    await sandbox.json(['lease', 'b']);
    await watcher.hears('acquired', { id: 'b' });
    const told = watcher.told.map(({ event, id }) => `${event} ${id}`);
    expect(told).toEqual(['seen a', 'seen b', 'acquired b']);
  });

  test('of those whose process is stopped, or killed', async () => {
    const sandbox = createSandbox();
    const keeper = sandbox.start(['exec', 'k', '--ttl', '60s', '--', 'sleep', '600']);
    onTestFinished(() => void keeper.kill('SIGKILL'));
    const watcher = startWatcher(sandbox, []);
    await watcher.hears('seen', { id: 'k', diagnosis: 'healthy' });
    keeper.kill('SIGSTOP');
    const suspended = await watcher.hears('suspended', { id: 'k', state: 'held' });
    expect(suspended['holder']).toMatchObject({ process: 'suspended', pid: keeper.pid });
    keeper.kill('SIGKILL');
    await watcher.hears('gone', { id: 'k', state: 'held', diagnosis: 'gone' });
  });

  test('until its reader has read enough', async () => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'k', '--ttl', '60s']);
    const child = sandbox.start(['watch', 'k']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    await until(() => child.stdout?.destroyed, 'a reader that left');
    await sandbox.json(['extend', 'k']);
    expect(await until(() => child.exitCode ?? undefined, 'the end')).toBe(0);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('until %s', async (signal) => {
    const sandbox = createSandbox();
    await sandbox.json(['lease', 'k', '--ttl', '60s']);
    const watcher = startWatcher(sandbox, []);
    await watcher.hears('seen');
    watcher.kill(signal);
    expect(await watcher.outcome).toMatchObject({ signal, stderr: '' });
  });
});

describe('a service', () => {
  test('that is served tells it by itself, and again when it comes back', async () => {
    const host = createSandbox();
    const token = await tokenOf(host, 'admin', 'keys:write');
    const first = await startServe(host);
    const { port } = new URL(first.url);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', first.url, token, 'leasectl');
    await sandbox.json(['lease', 'k', '--ttl', '60s', '--profile', 'team']);
    const watcher = startWatcher(sandbox, ['--all', '--profile', 'team']);
    await watcher.hears('seen', { id: 'k', profile: 'team' });
    first.kill('SIGTERM');
    await first.outcome;
    const lost = await watcher.hears('contact_lost');
    expect(lost).toEqual({
      ...{ event: 'contact_lost', time: expect.any(String), service: 'leasectl', profile: 'team' },
      message: expect.stringMatching(/./),
    });
    await host.json(['lease', 'meanwhile', '--ttl', '60s']);
    await startServe(host, ['--port', port]);
    await watcher.hears('contact_restored');
    await watcher.hears('acquired', { id: 'meanwhile' });
    expect(watcher.told.filter(({ id }) => id === 'meanwhile')).toHaveLength(1);
  });

  test('that a variable leads to is watched by that', async () => {
    const host = createSandbox();
    const token = await tokenOf(host, 'admin', 'keys:write');
    const served = await startServe(host);
    const sandbox = createSandbox();
    const env = { LEASECTL_URL: served.url, LEASECTL_TOKEN: token, LEASECTL_SERVICE: 'leasectl' };
    await sandbox.json(['lease', 'k', '--ttl', '60s'], { env });
    const watcher = startWatcher(sandbox, [], { env });
    await watcher.hears('seen', { id: 'k', service: 'leasectl', diagnosis: 'healthy' });
    await sandbox.json(['extend', 'k'], { env });
    await watcher.hears('extended', { id: 'k' });
  });

  test('that does not tell this token what happens is asked', async () => {
    const host = createSandbox();
    const token = await tokenOf(host, 'keys:read', 'keys:write');
    const served = await startServe(host);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', served.url, token, 'leasectl');
    await sandbox.json(['lease', 'k', '--ttl', '60s', '--profile', 'team']);
    const watcher = startWatcher(sandbox, []);
    await watcher.hears('seen', { id: 'k' });
    await sandbox.json(['extend', 'k', '--profile', 'team']);
    await watcher.hears('extended', { id: 'k' });
    await sandbox.json(['complete', 'k', '--profile', 'team']);
    await watcher.hears('completed', { id: 'k' });
    await sandbox.json(['lease', 'l', '--ttl', '60s', '--profile', 'team']);
    await watcher.hears('seen', { id: 'l' });
    // Somebody else has it then, and renews nothing of this machine's.
    await host.json(['admin', 'leases', 'break', 'l']);
    await host.json(['lease', 'l', '--ttl', '2m']);
    await watcher.hears('acquired', { id: 'l' });
    const all = await sandbox.run(['watch', '--all', '--profile', 'team']);
    expect(all).toMatchObject({ code: 4, stdout: '' });
  });

  test('that refuses to tell anything leaves what this machine knows', async () => {
    const host = createSandbox();
    const token = await tokenOf(host, 'keys:write');
    const served = await startServe(host);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'team', served.url, token, 'leasectl');
    await sandbox.json(['lease', 'k', '--ttl', '60s', '--profile', 'team']);
    const watcher = startWatcher(sandbox, []);
    expect(await watcher.hears('seen', { id: 'k' })).toMatchObject({ ttl: 60 });
    const { message } = await watcher.hears('contact_lost');
    expect(message).toMatch(/keys:read/);
    const named = await sandbox.run(['watch', 'k', '--profile', 'team']);
    expect(named).toMatchObject({ code: 4, stdout: '' });
  });

  test('of others is asked no more often than it wants', async () => {
    const status = { ok: true, key: 'k', status: 'in_progress', ttl_left: 100, version: 1 };
    const at: number[] = [];
    const { url } = await startLastingStub((_, response) => {
      at.push(performance.now());
      response.end(JSON.stringify({ ...status, retry_after_sec: 7 }));
    });
    const sandbox = createSandbox();
    await addProfile(sandbox, 'cloud', url);
    const watcher = startWatcher(sandbox, ['k', '--profile', 'cloud']);
    await watcher.hears('seen', { id: 'k', service: 'onceonly' });
    await until(() => at.length >= 3, 'three looks');
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThan(6_900);
  });

  test('that is not there, or not known, is told as ever', async () => {
    const sandbox = createSandbox();
    await addProfile(sandbox, 'gone', 'http://127.0.0.1:1', 'token', 'leasectl');
    const gone = await sandbox.run(['watch', '--all', '--profile', 'gone', '--timeout', '1s']);
    expect(gone).toMatchObject({ code: 75, stdout: '' });
    expect(gone.stderr).toMatch(/^Error: /);
    const unknown = await sandbox.run(['watch', '--profile', 'nope']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    const wrong = await sandbox.run(['watch', 'k', '--all']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
  });
});

test('no handle, and no token, is told', async () => {
  const secret = 'canary-token-0123456789';
  const { url } = await startLastingStub({
    status: 403,
    body: { detail: { error: 'forbidden', message: `not for ${secret}` } },
  });
  const sandbox = createSandbox();
  await addProfile(sandbox, 'cloud', url, secret);
  const refused = await sandbox.run(['watch', 'k', '--profile', 'cloud']);
  expect(refused).toMatchObject({ code: 4, stdout: '' });
  const { lease_id: handle } = Object(
    await sandbox.json(['lease', 'k', '--ttl', '1h', '--profile', 'local']),
  );
  const watcher = startWatcher(sandbox, ['k', '--profile', 'local']);
  await watcher.hears('seen');
  await sandbox.json(['extend', 'k', '--profile', 'local']);
  await watcher.hears('extended');
  const all = `${refused.stderr}${JSON.stringify(watcher.told)}`;
  expect(handle).toMatch(/.{8}/);
  expect(all).not.toContain(handle);
  expect(all).not.toContain(secret);
});

async function tokenOf(host: ReturnType<typeof createSandbox>, ...scopes: Scopes) {
  // The database is made by the first command.
  await host.run(['admin', 'leases', 'list']);
  return addToken(host.databaseFile, 'watcher', scopes);
}

type Scopes = Parameters<typeof addToken>[2];
