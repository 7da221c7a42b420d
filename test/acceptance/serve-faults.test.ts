import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { lease, startServe } from '../support/served.ts';

/** The flags of a service that makes faults, on a file of its own. */
function flags(sandbox: Sandbox, fault: string): string[] {
  return ['--database', join(sandbox.directory, 'faults.db'), '--fault', fault];
}

async function start(fault: string) {
  const sandbox = createSandbox();
  return { sandbox, served: await startServe(sandbox, flags(sandbox, fault)) };
}

test('tells at its start which faults it makes, so that they can be made again', async () => {
  const sandbox = createSandbox();
  const child = sandbox.start([
    ...['serve', '--port', '0'],
    ...flags(sandbox, 'rate-limit=1%,lose=90s'),
  ]);
  let said = '';
  while (child.stdout && said.split('\n').length < 3) said += await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [, words] = said.split('\n');
  expect(words).toMatch(/^Faults on purpose: lose=90s,rate-limit=1%,seed=\d+$/);
  const faults = words?.replace('Faults on purpose: ', '') ?? '';
  const { log } = await startServe(sandbox, ['--json', ...flags(sandbox, faults)]);
  expect(await log('faults are made on purpose')).toMatchObject({ level: 'warn', faults });
});

test('drop-answer: it is done, and the connection is cut', async () => {
  const { sandbox, served } = await start('drop-answer=100%');
  await expect(lease(served, 'k')).rejects.toThrow('fetch failed');
  const show = ['admin', 'leases', 'show', 'k', '--database', join(sandbox.directory, 'faults.db')];
  expect(await sandbox.json(show)).toMatchObject({ state: 'held' });
  expect(await served.log('a fault was made')).toMatchObject({ fault: 'drop-answer' });
  expect(await served.log('request')).toMatchObject({ status: null, route: '/v1/ai/lease' });
});

test('rate-limit: it is not done, and to be tried again later', async () => {
  const { sandbox, served } = await start('rate-limit=100%');
  const response = await lease(served, 'k');
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await response.json()).toMatchObject({ detail: { error: 'rate_limited' } });
  expect((await sandbox.run(['status', 'k'])).code).toBe(3);
  // What looks after the service itself is left alone.
  for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json']) {
    expect((await fetch(`${served.url}${path}`)).status).toBe(200);
  }
});

test('latency: it takes as long as was said', async () => {
  const { served } = await start('latency=300ms..400ms');
  const begun = performance.now();
  expect((await lease(served, 'k')).status).toBe(200);
  expect(performance.now() - begun).toBeGreaterThan(299);
});

test('lose: the lease ends whatever its holder does, and others get it', async () => {
  const { served } = await start('lose=1s');
  const { lease_id } = Object(await (await lease(served, 'k')).json());
  const body = JSON.stringify({ key: 'k', lease_id, ttl: 600 });
  const extend = async () => {
    const response = await fetch(`${served.url}/v1/ai/extend`, { method: 'POST', body });
    return response.ok ? 'extended' : Object(await response.json()).detail.error;
  };
  expect(await extend()).toBe('extended');
  await expect.poll(extend, { timeout: 10_000 }).toBe('lease_expired');
  expect(await (await lease(served, 'k')).json()).toMatchObject({ status: 'acquired' });
});

test('a service that makes faults stops as one that does not', async () => {
  const { served } = await start('lose=1h,latency=100s');
  const answer = lease(served, 'k');
  await expect.poll(async () => (await fetch(`${served.url}/readyz`)).status).toBe(200);
  served.kill('SIGTERM');
  expect((await answer).status).toBe(200);
  expect(await served.outcome).toMatchObject({ code: 0 });
});

test('what is no fault, and where none is to be made, is told', async () => {
  const sandbox = createSandbox();
  const refused = async (args: readonly string[]) => {
    const { code, stderr } = await sandbox.run(['serve', '--port', '0', ...args]);
    return [code, ...stderr.trim().split('\n')];
  };
  expect(await refused(['--fault', 'loose=10s'])).toEqual([
    2,
    'Error: --fault: there is no fault "loose".',
    expect.stringMatching(/Did you mean lose\? Known are lose, rate-limit, latency, drop-answer/),
  ]);
  expect(await refused(['--fault', 'lose=10s'])).toEqual([
    2,
    'Error: Faults would be made on the leases of this machine’s commands.',
    'Hint: Serve another file, which may be new: --database FILE',
  ]);
  const database = ['--database', 'postgres://nobody@127.0.0.1:1/none'];
  expect(await refused([...database, '--fault', 'lose=10s'])).toEqual([
    2,
    'Error: Faults would be made on a PostgreSQL, which others may share.',
    expect.stringContaining('--fault-on-postgres'),
  ]);
  const forced = ['--fault', 'lose=10s', '--fault-on-postgres'];
  expect((await refused([...database, ...forced]))[0]).toBe(75);
  expect((await refused(['--fault-on-postgres']))[0]).toBe(2);
});
