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
  return { acquire, clock, engine };
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
