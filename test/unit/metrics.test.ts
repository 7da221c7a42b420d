import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { NOBODY } from '../../src/domain/requester.ts';
import type { FinishCommand } from '../../src/engine/command.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Kind } from '../../src/engine/lease.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createClock } from '../support/embedded-server.ts';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { workOf } from '../support/store-suite.ts';

function setUp() {
  const clock = createClock('2025-01-31T12:00:00Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  const metrics = createMetrics();
  const readAs = async (namespace: string) => {
    const census = () => store.within(namespace).read((view) => view.census());
    return parseMetrics(await metrics.text(namespace, census, 0));
  };
  const inNamespace = (namespace: string, { monthlyLimit = 99, capacity = 99 } = {}) => {
    let handles = 0;
    const newHandle = () => `${namespace}-${++handles}`;
    const own = { store: store.within(namespace), newHandle, monthlyLimit, capacity };
    const engine = metrics.observed(createEngine(own), namespace);
    const acquire = (id: string, idempotencyKey: string | null = null, requestHash = 'h') =>
      engine.acquire(
        { kind: 'key', id, ttl: 60_000, metadata: null, idempotencyKey, requestHash },
        NOBODY,
      );
    const counted = async (name: string, labels: Record<string, string> = {}) =>
      sampleOf(await readAs(namespace), `leasectl_${name}`, { namespace, ...labels });
    return { engine, acquire, counted };
  };
  return { clock, store, metrics, readAs, inNamespace };
}

const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
const finish = (handle: string, way: FinishCommand['way'] = 'complete'): FinishCommand => ({
  type: 'finish',
  way,
  handle,
  ...nothing,
});
const extend = (handle: string) => ({ type: 'extend', handle, ttl: null }) as const;

test('acquisitions are counted, repetitions are not', async () => {
  const { acquire, counted } = setUp().inNamespace('a');
  const acquisitions = () => counted('acquisitions_total', { kind: 'key' });
  expect(await acquisitions()).toBe(0);
  await acquire('one', 'i');
  await acquire('one', 'i');
  await acquire('two');
  expect(await acquisitions()).toBe(2);
  expect(await counted('acquisitions_total', { kind: 'job' })).toBe(0);
});

test('conflicts are told by their reason', async () => {
  const { engine, acquire, counted } = setUp().inNamespace('a');
  const conflicts = (reason: string) => counted('conflicts_total', { kind: 'key', reason });
  await acquire('k', 'i');
  await acquire('k');
  await acquire('k', 'i', 'another');
  await engine.change('key', 'k', finish('a-1'), NOBODY);
  await engine.change('key', 'k', finish('a-1', 'fail'), NOBODY);
  await acquire('k');
  await acquire('k');
  expect(await conflicts('held')).toBe(1);
  expect(await conflicts('idempotency_conflict')).toBe(1);
  expect(await conflicts('already_finished')).toBe(1);
  expect(await conflicts('finished')).toBe(2);
});

test('handles that are lost are told by how', async () => {
  const { clock, inNamespace } = setUp();
  const { engine, acquire, counted } = inNamespace('a');
  const lost = (reason: string, kind: Kind = 'key') =>
    counted('lost_handles_total', { kind, reason });
  await acquire('k');
  await engine.change('key', 'k', extend('a-1'), NOBODY);
  await engine.change('key', 'k', extend('guessed'), NOBODY);
  await engine.change('key', 'unheard of', extend('a-1'), NOBODY);
  await engine.changeHeld('runner_job', extend('unheard of'), NOBODY);
  clock.advance(60_000);
  await engine.change('key', 'k', extend('a-1'), NOBODY);
  await engine.change('key', 'k', finish('a-1'), NOBODY);
  // Not of a holder.
  await engine.change('key', 'k', { type: 'break' }, NOBODY);
  expect(await lost('wrong_handle')).toBe(1);
  expect(await lost('unknown')).toBe(1);
  expect(await lost('unknown', 'runner_job')).toBe(1);
  expect(await lost('expired')).toBe(2);
});

test('limits are told by which', async () => {
  const { inNamespace } = setUp();
  const limited = inNamespace('a', { monthlyLimit: 1 });
  for (const id of ['one', 'two']) await limited.acquire(id);
  expect(await limited.counted('limited_total', { kind: 'key', reason: 'limit_exceeded' })).toBe(1);
  const full = inNamespace('b', { capacity: 1 });
  for (const id of ['one', 'two']) await full.acquire(id);
  expect(await full.counted('limited_total', { kind: 'key', reason: 'storage_full' })).toBe(1);
});

test('leases that ran out are counted when that is found, whoever finds it', async () => {
  const { clock, metrics, inNamespace } = setUp();
  const { acquire, counted } = inNamespace('a');
  await acquire('k');
  clock.advance(60_000);
  expect(await counted('expiries_total')).toBe(0);
  await acquire('k');
  expect(await counted('expiries_total')).toBe(1);
  metrics.ranOut(
    new Map([
      ['a', 2],
      ['b', 5],
    ]),
  );
  expect(await counted('expiries_total')).toBe(3);
});

test('what is held and what waits is as it is in the database', async () => {
  const { clock, inNamespace } = setUp();
  const { engine, acquire, counted } = inNamespace('a');
  const add = (id: string) =>
    engine.add([{ kind: 'job', id, ttl: 60_000, work: workOf() }], NOBODY);
  const held = (kind: Kind) => counted('leases_held', { kind });
  await acquire('k');
  for (const id of ['one', 'two', 'three']) await add(id);
  const request = { kind: 'job', metadata: null, idempotencyKey: null, requestHash: null } as const;
  await engine.acquire({ ...request, id: 'two', ttl: null }, NOBODY);
  expect([await held('key'), await held('job'), await held('runner_job')]).toEqual([1, 1, 0]);
  expect(await counted('queue_depth', { kind: 'job' })).toBe(2);
  expect(await counted('queue_depth', { kind: 'key' })).toBeUndefined();
  clock.advance(60_000);
  expect([await held('key'), await held('job')]).toEqual([0, 0]);
  expect(await counted('queue_depth', { kind: 'job' })).toBe(3);
});

describe('a namespace', () => {
  test('sees nothing of another, not even its name', async () => {
    const { metrics, readAs, inNamespace } = setUp();
    await inNamespace('mine').acquire('k');
    await inNamespace('theirs').acquire('k');
    await readAs('theirs');
    metrics.ranOut(new Map([['theirs', 1]]));
    const answered = { method: 'GET', route: '/v1/ai/status', status: '200', milliseconds: 1 };
    metrics.answered({ ...answered, namespace: 'theirs' });
    metrics.answered({ ...answered, namespace: 'mine' });
    const mine = await readAs('mine');
    expect(JSON.stringify(mine)).not.toContain('theirs');
    const name = 'leasectl_acquisitions_total';
    expect(sampleOf(mine, name, { kind: 'key', namespace: 'mine' })).toBe(1);
  });

  test('sees the requests of nobody, and the process', async () => {
    const { metrics, readAs } = setUp();
    const refused = { namespace: undefined, method: 'POST', route: '/v1/ai/lease', status: '401' };
    metrics.answered({ ...refused, milliseconds: 3 });
    metrics.answered({ ...refused, route: undefined, status: '404', milliseconds: 3 });
    const seen = await readAs('mine');
    const count = 'leasectl_request_duration_seconds_count';
    expect(sampleOf(seen, count, { namespace: '', status: '401' })).toBe(1);
    expect(sampleOf(seen, count, { namespace: '', route: 'none' })).toBe(1);
    expect(sampleOf(seen, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(sampleOf(seen, 'nodejs_eventloop_lag_p99_seconds')).toBeDefined();
  });
});

test('requests are measured in seconds, by method, endpoint and status', async () => {
  const { metrics, readAs } = setUp();
  const labels = { method: 'POST', route: '/v1/ai/lease', status: '200' };
  for (const milliseconds of [2, 30, 700]) {
    metrics.answered({ ...labels, namespace: 'a', milliseconds });
  }
  const seen = await readAs('a');
  const of = (part: string, more = {}) =>
    sampleOf(seen, `leasectl_request_duration_seconds_${part}`, { ...labels, ...more });
  expect(of('count')).toBe(3);
  expect(of('sum')).toBeCloseTo(0.732);
  expect(of('bucket', { le: '0.0025' })).toBe(1);
  expect(of('bucket', { le: '0.05' })).toBe(2);
  expect(of('bucket', { le: '+Inf' })).toBe(3);
});

test('without its database a service tells what it counted, and not what it cannot know', async () => {
  const { metrics, inNamespace } = setUp();
  await inNamespace('a').acquire('k');
  const away = async () => {
    throw new Failure('unavailable', 'The database is away.');
  };
  const seen = parseMetrics(await metrics.text('a', away, 0));
  expect(sampleOf(seen, 'leasectl_database_up')).toBe(0);
  expect(sampleOf(seen, 'leasectl_leases_held', { kind: 'key' })).toBeUndefined();
  expect(sampleOf(seen, 'leasectl_acquisitions_total', { kind: 'key' })).toBe(1);
  const census = async () => [{ kind: 'key', held: 1, claimable: 0 } as const];
  const back = parseMetrics(await metrics.text('a', census, 0));
  expect(sampleOf(back, 'leasectl_database_up')).toBe(1);
  expect(sampleOf(back, 'leasectl_leases_held', { kind: 'key' })).toBe(1);
  const bug = new Error('a bug');
  await expect(metrics.text('a', () => Promise.reject(bug), 0)).rejects.toBe(bug);
});
