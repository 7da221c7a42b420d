import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';
import { createSandbox } from '../support/sandbox.ts';
import { lease, type Served, startServe } from '../support/served.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

const statusAt = async ({ url }: Served, path: string) => (await fetch(url + path)).status;

test('two nodes share a database, and wait for it where it is away', async () => {
  const database = await server.createDatabase();
  const env = { LEASECTL_DATABASE: database };
  const nodes = await Promise.all([1, 2].map(() => startServe(createSandbox(), [], { env })));
  const [one, other] = nodes;
  if (!one || !other) throw new Error('there are no nodes');
  const taken = Object(await (await lease(one, 'a')).json());
  expect(taken).toMatchObject({ status: 'acquired' });
  expect(await (await lease(other, 'a')).json()).toMatchObject({ status: 'polling' });

  await server.stop('SIGKILL');
  const away = await lease(one, 'b');
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
  expect(Object(await away.json()).detail.error).toBe('unavailable');
  expect(await statusAt(one, '/readyz')).toBe(503);
  expect(await statusAt(one, '/healthz')).toBe(200);

  await server.start();
  await expect.poll(() => statusAt(other, '/readyz'), { timeout: 20_000 }).toBe(200);
  await expect.poll(() => statusAt(one, '/readyz'), { timeout: 20_000 }).toBe(200);
  const { lease_id } = taken;
  expect(await (await lease(other, 'a')).json()).toMatchObject({ status: 'polling', lease_id });

  await server.stop('SIGKILL');
  for (const node of nodes) node.kill('SIGTERM');
  const begun = performance.now();
  const outcomes = await Promise.all(nodes.map(({ outcome }) => outcome));
  expect(performance.now() - begun).toBeLessThan(10_000);
  const { password } = server.user;
  for (const { code, stdout, stderr } of outcomes) {
    expect(code).toBe(0);
    for (const form of [password, encodeURIComponent(password)])
      expect(stdout + stderr).not.toContain(form);
  }
  await server.start();
});

test('who was known is told that the database is away', async () => {
  const env = { LEASECTL_DATABASE: await server.createDatabase() };
  const sandbox = createSandbox();
  const add = ['admin', 'tokens', 'add', 'watch', '--scope', 'metrics', '--database'];
  const { token } = Object(await sandbox.json([...add, env.LEASECTL_DATABASE]));
  const served = await startServe(sandbox, [], { env });
  const scrape = async (shown: string) => {
    const headers = { authorization: `Bearer ${shown}` };
    const response = await fetch(`${served.url}/metrics`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const up = async () => {
    const { status, text } = await scrape(token);
    return [status, sampleOf(parseMetrics(text), 'leasectl_database_up')];
  };
  expect(await up()).toEqual([200, 1]);
  await server.stop('SIGKILL');
  // What is remembered without a look at the database is over then.
  const later = performance.now() + 1_500;
  const isLater = async () => [performance.now() > later, ...(await up())];
  await expect.poll(isLater, { timeout: 10_000 }).toEqual([true, 200, 0]);
  expect((await scrape('guess')).status).toBe(503);
  await server.start();
  await expect.poll(up, { timeout: 20_000 }).toEqual([200, 1]);
});

test('a database that cannot be reached, or is not there, is told with its exit code', async () => {
  const sandbox = createSandbox();
  const wrong = await sandbox.run(['serve', '--port', '0', '--database', server.urlOf('nowhere')]);
  expect(wrong.code).toBe(2);
  const { password } = server.user;
  expect(wrong.stderr).toContain('nowhere');
  expect(wrong.stderr).not.toContain(password);
  expect(wrong.stderr).not.toContain(encodeURIComponent(password));
  const gone = ['serve', '--port', '0', '--database', 'postgres://u:p@127.0.0.1:1/d'];
  expect(await sandbox.run(gone)).toMatchObject({ code: 75, stdout: '' });
});
