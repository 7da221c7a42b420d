import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
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
    engine.acquire(
      { kind: 'key', id, ttl: 60_000, metadata: null, idempotencyKey, requestHash },
      NOBODY,
    );
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
    await engine.change(
      'key',
      'a',
      {
        type: 'finish',
        way: 'cancel',
        handle: 'handle-1',
        result: null,
        resultHash: null,
        errorCode: null,
        errorHash: null,
      },
      NOBODY,
    );
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
  const lost = { command: 'extend', reason: 'expired' };

  test('tells who did what, and that a lease ran out when the next one comes', async () => {
    const { clock, engine } = setUp();
    const acquire = (caller: string, requestId: string | null = null) => {
      const acquisition = { kind: 'key', id: 'k', ttl: 60_000, metadata: null } as const;
      const unkeyed = { idempotencyKey: null, requestHash: null };
      return engine.acquire({ ...acquisition, ...unkeyed }, { caller, requestId });
    };
    const begun = clock();
    await acquire('ann', 'request-1');
    await acquire('bob', 'request-2');
    clock.advance(70_000);
    await acquire('bob');
    const ann = { caller: 'ann', requestId: null };
    const detail = { reason: 'bob left' };
    const broken = await engine.change('key', 'k', { type: 'break', detail }, ann);
    expect(broken.outcome).toMatchObject({ type: 'broken', lease: { expiresAt: clock() } });
    const extend = { type: 'extend', handle: 'handle-3', ttl: null } as const;
    const bob = { caller: 'bob', requestId: 'request-3' };
    expect((await engine.change('key', 'k', extend, bob)).outcome).toEqual({
      type: 'rejected',
      reason: 'expired',
    });
    await acquire('eve');
    const told = await engine.history({}, 9);
    const rows = told.map(({ type, caller, requestId, at, before, after, detail }) => [
      type,
      caller,
      requestId,
      at - begun,
      `${before} -> ${after}`,
      detail,
    ]);
    expect(rows).toEqual([
      ['acquired', 'eve', null, 70_000, 'expired -> held', { ttl: 60 }],
      ['refused', 'bob', 'request-3', 70_000, 'expired -> expired', lost],
      ['broken', 'ann', null, 70_000, 'held -> expired', detail],
      ['acquired', 'bob', null, 70_000, 'expired -> held', { ttl: 60 }],
      ['expired', null, null, 60_000, 'held -> expired', null],
      ['refused', 'bob', 'request-2', 0, 'held -> held', { command: 'acquire', reason: 'held' }],
      ['acquired', 'ann', 'request-1', 0, 'null -> held', { ttl: 60 }],
    ]);
  });

  test('tells each change once, and each refusal', async () => {
    const { acquire, engine } = setUp();
    const types = async () => (await engine.history({}, 9)).map(({ type }) => type).toReversed();
    const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
    const complete = { type: 'finish', way: 'complete', handle: 'handle-1', ...nothing } as const;
    await acquire('a', 'i');
    await acquire('a', 'i');
    await engine.change('key', 'a', { type: 'extend', handle: 'handle-1', ttl: 5_000 }, NOBODY);
    await engine.change('key', 'a', complete, NOBODY);
    await engine.change('key', 'a', complete, NOBODY);
    await engine.change('key', 'a', { ...complete, way: 'fail' }, NOBODY);
    await acquire('a');
    await engine.change('key', 'nobody', complete, NOBODY);
    expect(await types()).toEqual([
      ...['acquired', 'extended', 'completed', 'refused', 'refused', 'refused'],
    ]);
    const [unknown, finished, failed, , extended] = await engine.history({}, 9);
    expect(unknown).toMatchObject({ id: 'nobody', before: null, after: null, fencingToken: 0 });
    expect(finished).toMatchObject({ detail: { command: 'acquire', reason: 'already_finished' } });
    expect(failed).toMatchObject({ detail: { command: 'fail', reason: 'already_finished' } });
    expect(extended).toMatchObject({ detail: { ttl: 5 }, before: 'held', after: 'held' });
  });

  test('tells of nothing that was not done', async () => {
    const { engine } = setUp();
    const command = { type: 'extend', handle: 'of nobody', ttl: null } as const;
    const { outcome } = await engine.changeHeld('runner_job', command, NOBODY);
    expect(outcome).toEqual({ type: 'rejected', reason: 'unknown' });
    expect(await engine.history({}, 9)).toEqual([]);
  });

  test.each(['', 'x'.repeat(513), 'a\nb', '\0'])(
    'tells nothing of what is no id: %j',
    async (id) => {
      const { engine } = setUp();
      const command = { type: 'extend', handle: 'h', ttl: null } as const;
      expect((await engine.change('job', id, command, NOBODY)).outcome.type).toBe('rejected');
      expect(await engine.history({}, 9)).toEqual([]);
    },
  );

  test('says where a lease was taken, where that is said', async () => {
    const { engine } = setUp();
    const metadata = { leasectl: { host: 'h' }, secret: 's' };
    const unkeyed = { idempotencyKey: null, requestHash: null };
    await engine.acquire({ kind: 'key', id: 'k', ttl: 1000, metadata, ...unkeyed }, NOBODY);
    const [acquired] = await engine.history({}, 1);
    expect(acquired?.detail).toEqual({ ttl: 1, origin: { host: 'h' } });
  });
});

describe('breaking', () => {
  test('is for what is held', async () => {
    const { acquire, clock, engine } = setUp();
    const breaking = async (id: string) =>
      (await engine.change('key', id, { type: 'break' }, NOBODY)).outcome;
    expect(await breaking('a')).toEqual({ type: 'rejected', reason: 'unknown' });
    await acquire('a');
    clock.advance(60_000);
    expect(await breaking('a')).toEqual({ type: 'rejected', reason: 'not_held' });
  });

  test('can be for one acquisition only', async () => {
    const { acquire, clock, engine } = setUp();
    const breaking = async (fencingToken: number) =>
      (await engine.change('key', 'a', { type: 'break', fencingToken }, NOBODY)).outcome.type;
    await acquire('a');
    clock.advance(60_000);
    await acquire('a');
    expect(await breaking(1)).toBe('rejected');
    expect(await breaking(2)).toBe('broken');
  });

  test('can be for one that nobody has renewed since', async () => {
    const { acquire, engine } = setUp();
    const breaking = async (version: number) =>
      (await engine.change('key', 'a', { type: 'break', fencingToken: 1, version }, NOBODY))
        .outcome;
    await acquire('a');
    const extend = { type: 'extend', handle: 'handle-1', ttl: null } as const;
    await engine.change('key', 'a', extend, NOBODY);
    expect(await breaking(1)).toEqual({ type: 'rejected', reason: 'not_held' });
    expect(await breaking(2)).toMatchObject({ type: 'broken' });
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
    const states = { before: 'held', after: 'expired' } as const;
    const end = { type: 'expired', at: clock(), fencingToken: 2, version: 2 } as const;
    const noted = { ...end, kind: 'key', id: 'a', ...NOBODY, ...states, detail: null } as const;
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
      engine.acquire(
        {
          kind: 'key',
          id,
          ttl: 1_000,
          metadata: null,
          idempotencyKey: null,
          requestHash: null,
        },
        NOBODY,
      );
    expect((await acquire('a')).outcome.type).toBe('acquired');
    expect((await acquire('b')).outcome).toEqual({ type: 'rejected', reason: 'storage_full' });
    clock.advance(1_000);
    expect((await acquire('a')).outcome.type).toBe('acquired');
    const work = { pool: 'p', workspace: null, tags: [], runners: [], maxTries: null, data: {} };
    await expect(
      engine.add([{ kind: 'job', id: 'j', ttl: 1_000, work }], NOBODY),
    ).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
  });
});
