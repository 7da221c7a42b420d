import { expect, test } from 'vitest';
import { until } from '../support/exec-host.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { addToken, startServe } from '../support/served.ts';
import { type SeenRequest, startLastingStub } from '../support/stub-server.ts';
import { startWatcher } from '../support/watcher.ts';

/** A lease of a second, renewed so often by now. */
function leaseAt(version: number) {
  const now = Date.now();
  const at = (milliseconds: number) => new Date(now + milliseconds).toISOString();
  return {
    ...{ kind: 'key', id: 'k', state: 'held', holder: null, fencing_token: 1, version },
    ...{ first_seen_at: at(-60_000), acquired_at: at(-60_000), ttl: 1, changed_at: at(-100) },
    ...{ expires_at: at(900), finished_at: null, error_code: null, origin: null },
    ...{ cancel_requested: false, closed: false, result_hash: null, metadata: null, work: null },
    now: at(0),
  };
}

/** leasectl's own service, which keeps what happens to itself. */
async function startSilent() {
  let version = 1;
  const asked: string[] = [];
  const { url } = await startLastingStub(({ url: path }: SeenRequest, response) => {
    asked.push(path);
    if (path.startsWith('/admin/v1/events')) {
      response.setHeader('content-type', 'text/event-stream');
      response.write('id: 0\nevent: position\ndata: {}\n\n');
      return;
    }
    version += 1;
    const lease = leaseAt(version);
    response.setHeader('content-type', 'application/json');
    const isList = path.startsWith('/admin/v1/leases');
    response.end(JSON.stringify(isList ? { leases: [lease], next: null, now: lease.now } : lease));
  });
  const sandbox = createSandbox();
  await addProfile(sandbox, 'team', url, 'token', 'leasectl');
  return { sandbox, asked, of: (path: string) => asked.filter((one) => one.startsWith(path)) };
}

test.each([[['--all']], [['k', '--kind', 'key']]])(
  'a stream that is late is not believed to say that a lease ended: %j',
  async (words) => {
    const { sandbox } = await startSilent();
    const watcher = startWatcher(sandbox, [...words, '--profile', 'team']);
    await watcher.hears('seen', { id: 'k' });
    for (let turn = 1; turn <= 3; turn += 1) await watcher.hears('extended', { id: 'k' });
    const others = watcher.told.filter(({ event }) => event !== 'seen' && event !== 'extended');
    expect(others).toEqual([]);
  },
);

test('a service that hangs is told as one that does not answer, and nothing is concluded', async () => {
  const host = createSandbox();
  await host.run(['admin', 'leases', 'list']);
  const token = await addToken(host.databaseFile, 'watcher', ['admin', 'keys:write']);
  const served = await startServe(host);
  const sandbox = createSandbox();
  await addProfile(sandbox, 'team', served.url, token, 'leasectl');
  await sandbox.json(['lease', 'k', '--ttl', '8s']);
  const watcher = startWatcher(sandbox, ['--timeout', '2s']);
  await watcher.hears('seen', { id: 'k' });
  served.kill('SIGSTOP');
  await watcher.hears('contact_lost');
  served.kill('SIGCONT');
  await watcher.hears('contact_restored');
  await watcher.hears('expired', { id: 'k' });
  const told = watcher.told.map(({ event }) => event).filter((event) => event !== 'ending');
  expect(told).toEqual(['seen', 'contact_lost', 'contact_restored', 'expired']);
});

test('of one lease nothing else is told, and of two all', async () => {
  const { sandbox, of } = await startSilent();
  const watcher = startWatcher(sandbox, ['k', '--kind', 'key', '--profile', 'team']);
  await watcher.hears('seen');
  expect(of('/admin/v1/events')).toEqual(['/admin/v1/events?kind=key&id=k']);
  watcher.kill('SIGTERM');
  const both = startWatcher(sandbox, ['k', 'l', '--kind', 'key', '--profile', 'team']);
  await both.hears('seen');
  await until(() => of('/admin/v1/events').length > 1, 'another stream');
  expect(of('/admin/v1/events').at(-1)).toBe('/admin/v1/events');
});
