import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';
import { createSandbox } from '../support/sandbox.ts';
import { addToken, lease, startServe } from '../support/served.ts';

async function scrape(url: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/metrics`, { headers });
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return parseMetrics(await response.text());
}

test('tells Prometheus what is leased, and how long it takes', async () => {
  const served = await startServe(createSandbox());
  for (const key of ['a', 'b', 'a']) await lease(served, key);
  await fetch(`${served.url}/nowhere`);
  const seen = await scrape(served.url);
  const key = { namespace: 'default', kind: 'key' };
  expect(sampleOf(seen, 'leasectl_acquisitions_total', key)).toBe(2);
  expect(sampleOf(seen, 'leasectl_conflicts_total', { ...key, reason: 'held' })).toBe(1);
  expect(sampleOf(seen, 'leasectl_leases_held', key)).toBe(2);
  const count = 'leasectl_request_duration_seconds_count';
  expect(sampleOf(seen, count, { method: 'POST', route: '/v1/ai/lease', status: '200' })).toBe(3);
  expect(sampleOf(seen, count, { route: 'none', status: '404' })).toBe(1);
  expect(sampleOf(seen, 'process_start_time_seconds')).toBeGreaterThan(1e9);
});

test('tells each namespace its own, and only who administers it', async () => {
  const sandbox = createSandbox();
  const tokenOf = (name: string, namespace: string) =>
    addToken(sandbox.databaseFile, name, ['keys:write', 'metrics'], namespace);
  const [mine, theirs] = [await tokenOf('one', 'mine'), await tokenOf('two', 'theirs')];
  const worker = await addToken(sandbox.databaseFile, 'worker', ['keys:write'], 'mine');
  const served = await startServe(sandbox);
  for (const token of [mine, worker, theirs]) {
    await lease(served, `k ${token}`, { authorization: `Bearer ${token}` });
  }
  await scrape(served.url, theirs);
  const seen = await scrape(served.url, mine);
  expect(JSON.stringify(seen)).not.toContain('theirs');
  expect(JSON.stringify(seen)).not.toContain(mine);
  const key = { namespace: 'mine', kind: 'key' };
  expect(sampleOf(seen, 'leasectl_acquisitions_total', key)).toBe(2);
  expect(sampleOf(seen, 'leasectl_leases_held', key)).toBe(2);
  const statusOf = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`${served.url}/metrics`, { headers })).status;
  };
  expect([await statusOf(worker), await statusOf('guessed')]).toEqual([403, 401]);
});

test('finds leases that ran out, and notes them in the history', async () => {
  const sandbox = createSandbox();
  await sandbox.json(['lease', 'k', '--ttl', '1s']);
  const state = async () => Object(await sandbox.json(['status', 'k'])).error_code;
  await expect.poll(state, { timeout: 10_000 }).toBe('expired');
  const served = await startServe(sandbox, ['--log-level', 'debug']);
  expect(await served.log('housekeeping')).toMatchObject({ ran_out: 1, dropped: 0 });
  const seen = await scrape(served.url);
  expect(sampleOf(seen, 'leasectl_expiries_total')).toBe(1);
});

test('describes itself as it was built', async () => {
  const { url } = await startServe(createSandbox());
  const response = await fetch(`${url}/openapi.json`);
  expect(response.headers.get('content-type')).toBe('application/json');
  const built = await readFile(new URL('../../dist/openapi.json', import.meta.url), 'utf8');
  expect(await response.text()).toBe(built);
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest);
  expect(JSON.parse(built)).toMatchObject({ openapi: '3.1.0', info: { version } });
});
