import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectTo } from '../support/raw-connection.ts';
import { createSandbox } from '../support/sandbox.ts';
import { lease, startServe } from '../support/served.ts';

const SLOW_HEAD = 'POST /v1/ai/lease HTTP/1.1\r\nhost: localhost\r\ncontent-length: 15\r\n\r\n';

test('all contracts stand side by side, and what is served is what commands have', async () => {
  const sandbox = createSandbox();
  const served = await startServe(sandbox);
  expect(await (await lease(served, 'a')).json()).toMatchObject({ status: 'acquired' });
  expect(await (await fetch(`${served.url}/api/v1/jobs`)).json()).toEqual([]);
  const next = `${served.url}/api/v1/runner-jobs/lease?runner_host=SELF&runner_id=r`;
  const runner = await fetch(next, { method: 'POST' });
  expect([runner.status, await runner.json()]).toEqual([200, null]);
  expect(await sandbox.json(['status', 'a'])).toMatchObject({ status: 'in_progress' });
  expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${served.url}/readyz`)).json()).toEqual({ status: 'ready' });
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: not ready any more, what is in flight is finished, and 0',
  async (signal) => {
    const served = await startServe(createSandbox());
    const begun = performance.now();
    const [slow, idle] = [await connectTo(served.url), await connectTo(served.url)];
    idle.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await idle.received('"ok"');
    slow.socket.write(SLOW_HEAD);
    const probe = await connectTo(served.url);
    probe.socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await probe.received('"ok"');
    served.kill(signal);
    await served.log('stopping');
    probe.socket.write('GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    if (signal === 'SIGTERM') {
      const told = await probe.all;
      expect(told).toContain('503');
      expect(told).toMatch(/connection: close/i);
    }
    await idle.all;
    slow.socket.write('{"key": "slow"}');
    expect(await slow.all).toContain('"acquired"');
    expect(await served.outcome).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(served.logged('requests were cut off')).toEqual([]);
  },
);

test('a request that never ends does not hold it up for 10 seconds', async () => {
  const served = await startServe(createSandbox());
  const slow = await connectTo(served.url);
  slow.socket.write(SLOW_HEAD);
  slow.socket.write('{');
  const probe = await fetch(`${served.url}/healthz`);
  expect(probe.status).toBe(200);
  const begun = performance.now();
  served.kill('SIGTERM');
  expect(await served.outcome).toMatchObject({ code: 0, signal: null });
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(served.logged('requests were cut off')).toMatchObject([{ requests: 1 }]);
});

test('a second signal ends it at once', async () => {
  const served = await startServe(createSandbox());
  const slow = await connectTo(served.url);
  slow.socket.write(SLOW_HEAD);
  served.kill('SIGTERM');
  await served.log('stopping');
  const begun = performance.now();
  served.kill('SIGINT');
  expect(await served.outcome).toMatchObject({ code: 130 });
  expect(performance.now() - begun).toBeLessThan(1_000);
});

test('killed, and started again, it has what it acknowledged', async () => {
  const sandbox = createSandbox();
  const file = join(sandbox.directory, 'team.db');
  const first = await startServe(sandbox, ['--database', file]);
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  const taken = await Promise.all(
    keys.map(async (key) => Object(await (await lease(first, key)).json())),
  );
  first.kill('SIGKILL');
  expect(await first.outcome).toMatchObject({ signal: 'SIGKILL' });
  const second = await startServe(sandbox, [], { env: { LEASECTL_DATABASE: file } });
  for (const { key, lease_id } of taken) {
    expect(await (await lease(second, key)).json()).toMatchObject({ status: 'polling', lease_id });
  }
  expect(existsSync(sandbox.databaseFile)).toBe(false);
});

test('where it cannot listen: 2, and why', async () => {
  const sandbox = createSandbox();
  const { url } = await startServe(sandbox);
  const { port } = new URL(url);
  const outcomes = await Promise.all(
    [
      ['--port', port],
      ['--port', '65536'],
      ['--host', 'nobody.invalid'],
      ['--host', '0.0.0.0'],
      ['--tls-cert', 'cert.pem'],
      ['--rate', 'x'],
    ].map((args) => sandbox.run(['serve', ...args])),
  );
  expect(outcomes.map(({ code, stdout }) => [code, stdout])).toEqual(outcomes.map(() => [2, '']));
  expect(outcomes.map(({ stderr }) => stderr.split('\n')[0])).toEqual([
    `Error: Port ${port} of 127.0.0.1 is in use.`,
    'Error: --port is no usable number: "65536".',
    'Error: nobody.invalid is no name or address that is known here.',
    'Error: 0.0.0.0 is more than this machine, and there is no token yet.',
    'Error: There is --tls-cert, and no --tls-key.',
    'Error: --rate is no usable number: "x".',
  ]);
});

test('where it was removed, the database is not served any more', async () => {
  const sandbox = createSandbox();
  const served = await startServe(sandbox);
  expect(await served.log('a new database was made')).toMatchObject({
    database: sandbox.databaseFile,
  });
  rmSync(sandbox.databaseFile);
  expect((await lease(served, 'a')).status).toBe(503);
  expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
  served.kill('SIGINT');
  expect(await served.outcome).toMatchObject({ code: 0 });
});

test('programs read where it listens', async () => {
  const sandbox = createSandbox();
  const child = sandbox.start(['serve', '--port', '0', '--host', '[::1]', '--json']);
  const line = await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.kill('SIGINT');
  expect(JSON.parse(String(line))).toEqual({
    url: expect.stringMatching(/^http:\/\/\[::1\]:\d+$/),
    open: true,
    faults: null,
  });
});
