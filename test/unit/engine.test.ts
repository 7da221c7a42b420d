import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createClock } from '../support/embedded-server.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

function setUp(monthlyLimit = 3000) {
  const clock = createClock('2025-01-31T23:59:50Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  let handles = 0;
  const newHandle = () => `handle-${++handles}`;
  const engine = createEngine({ store, newHandle, monthlyLimit });
  const acquire = (id: string, idempotencyKey: string | null = null, requestHash = 'h') =>
    engine.acquire({ kind: 'key', id, ttl: 60_000, metadata: null, idempotencyKey, requestHash });
  return { acquire, clock, engine, store };
}

describe('the monthly limit', () => {
  test('counts what was granted, and nothing else, until the month ends', async () => {
    const { acquire, clock } = setUp(2);
    expect(await acquire('a')).toMatchObject({ outcome: { type: 'acquired' }, usage: 1, limit: 2 });
    expect(await acquire('a')).toMatchObject({ outcome: { type: 'held' }, usage: 1 });
    expect(await acquire('b')).toMatchObject({ outcome: { type: 'acquired' }, usage: 2 });
    const refused = { outcome: { type: 'rejected', reason: 'limit_exceeded' }, usage: 2 };
    expect(await acquire('c')).toMatchObject(refused);
    expect(await acquire('a')).toMatchObject({ outcome: { type: 'held' } });
    clock.advance(11_000);
    expect(await acquire('c')).toMatchObject({ outcome: { type: 'acquired' }, usage: 1 });
  });

  test('does not count a repeated acquisition, nor refuse it', async () => {
    const { acquire } = setUp(1);
    const first = await acquire('a', 'i');
    const again = await acquire('a', 'i');
    expect(again).toEqual({ ...first, outcome: { ...first.outcome, replayed: true } });
  });
});

describe('an idempotency key', () => {
  test('that acquired another id is a conflict while that lease is live', async () => {
    const { acquire, clock } = setUp();
    await acquire('a', 'i');
    const conflict = { outcome: { type: 'rejected', reason: 'idempotency_conflict' } };
    expect(await acquire('b', 'i')).toMatchObject(conflict);
    clock.advance(60_000);
    expect(await acquire('b', 'i')).toMatchObject({ outcome: { type: 'acquired' } });
  });

  test('is free again when the lease is finished', async () => {
    const { acquire, engine } = setUp();
    await acquire('a', 'i');
    await engine.change('key', 'a', {
      type: 'finish',
      way: 'cancel',
      handle: 'handle-1',
      result: null,
      resultHash: null,
      errorCode: null,
      errorHash: null,
    });
    expect(await acquire('b', 'i')).toMatchObject({ outcome: { type: 'acquired' } });
  });
});

test('50 callers at once get one lease', async () => {
  const { acquire } = setUp();
  const decisions = await Promise.all(Array.from({ length: 50 }, () => acquire('same')));
  const types = decisions.map(({ outcome }) => outcome.type);
  expect(types.filter((type) => type === 'acquired')).toHaveLength(1);
  expect(types.filter((type) => type === 'held')).toHaveLength(49);
});

describe('the history', () => {
  test('tells who did what, and that a lease ran out when the next one comes', async () => {
    const clock = createClock('2025-01-31T23:00:00Z');
    const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
    let handles = 0;
    const engineOf = (caller: string) =>
      createEngine({ store, newHandle: () => `handle-${++handles}`, monthlyLimit: 9, caller });
    const acquire = (caller: string) =>
      engineOf(caller).acquire({
        kind: 'key',
        id: 'k',
        ttl: 60_000,
        metadata: null,
        idempotencyKey: null,
        requestHash: null,
      });
    const begun = clock();
    await acquire('ann');
    await acquire('bob');
    clock.advance(70_000);
    await acquire('bob');
    const detail = { reason: 'bob left' };
    const broken = await engineOf('ann').change('key', 'k', { type: 'break', detail });
    expect(broken.outcome).toMatchObject({ type: 'broken', lease: { expiresAt: clock() } });
    const extend = { type: 'extend', handle: 'handle-3', ttl: null } as const;
    expect((await engineOf('bob').change('key', 'k', extend)).outcome).toEqual({
      type: 'rejected',
      reason: 'expired',
    });
    await acquire('eve');
    const told = await engineOf('me').history({}, 9);
    const rows = told.map(({ type, caller, at, detail }) => [type, caller, at - begun, detail]);
    expect(rows).toEqual([
      ['acquired', 'eve', 70_000, { ttl: 60 }],
      ['broken', 'ann', 70_000, detail],
      ['acquired', 'bob', 70_000, { ttl: 60 }],
      ['expired', null, 60_000, null],
      ['acquired', 'ann', 0, { ttl: 60 }],
    ]);
  });
});

describe('breaking', () => {
  test('is for what is held', async () => {
    const { acquire, clock, engine } = setUp();
    const breaking = async (id: string) =>
      (await engine.change('key', id, { type: 'break' })).outcome;
    expect(await breaking('a')).toEqual({ type: 'rejected', reason: 'unknown' });
    await acquire('a');
    clock.advance(60_000);
    expect(await breaking('a')).toEqual({ type: 'rejected', reason: 'not_held' });
  });

  test('can be for one acquisition only', async () => {
    const { acquire, clock, engine } = setUp();
    const breaking = async (fencingToken: number) =>
      (await engine.change('key', 'a', { type: 'break', fencingToken })).outcome.type;
    await acquire('a');
    clock.advance(60_000);
    await acquire('a');
    expect(await breaking(1)).toBe('rejected');
    expect(await breaking(2)).toBe('broken');
  });
});

describe('an acquisition', () => {
  test('finds out once that the last one ran out', async () => {
    const { acquire, clock, store } = setUp();
    expect(await acquire('a')).toMatchObject({ foundExpired: false });
    clock.advance(60_000);
    expect(await acquire('a')).toMatchObject({ foundExpired: true });
    expect(await acquire('a')).toMatchObject({ foundExpired: false });
    clock.advance(60_000);
    const end = { type: 'expired', at: clock(), fencingToken: 2, version: 2 } as const;
    const noted = { ...end, kind: 'key', id: 'a', caller: null, detail: null } as const;
    await store.write((transaction) => transaction.saveEvent(noted));
    expect(await acquire('a')).toMatchObject({ foundExpired: false });
  });
});

describe('the capacity', () => {
  test('bounds what is stored, and lets what is there be leased again', async () => {
    const clock = createClock('2025-01-31T23:00:00Z');
    const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
    const engine = createEngine({ store, newHandle: () => 'h', monthlyLimit: 9, capacity: 1 });
    const acquire = (id: string) =>
      engine.acquire({
        kind: 'key',
        id,
        ttl: 1_000,
        metadata: null,
        idempotencyKey: null,
        requestHash: null,
      });
    expect((await acquire('a')).outcome.type).toBe('acquired');
    expect((await acquire('b')).outcome).toEqual({ type: 'rejected', reason: 'storage_full' });
    clock.advance(1_000);
    expect((await acquire('a')).outcome.type).toBe('acquired');
    const work = { pool: 'p', workspace: null, tags: [], runners: [], maxTries: null, data: {} };
    await expect(engine.add([{ kind: 'job', id: 'j', ttl: 1_000, work }])).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
  });
});
