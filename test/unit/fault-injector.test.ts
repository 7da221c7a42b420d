import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { json, type Route } from '../../src/http/route.ts';
import { AnswerDropped, createFaultInjector } from '../../src/server/fault-injector.ts';
import { parseFaults } from '../../src/server/faults.ts';
import { refuseProblem } from '../../src/server/refuse.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { FakeClocks, settled } from '../support/fake-clocks.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

async function inject(text: string) {
  const clocks = new FakeClocks();
  const made: string[] = [];
  const failures: unknown[] = [];
  const injector = createFaultInjector(await parseFaults(text, () => 1), {
    pause: (milliseconds, signal) => clocks.sleep(milliseconds, signal),
    onFault: (fault, where) => made.push(`${fault} ${where}`),
    onFailure: (error) => failures.push(error),
  });
  return { clocks, made, failures, injector };
}

const REQUEST = {
  params: {},
  query: new URLSearchParams(),
  header: () => undefined,
  body: '',
  by: NOBODY,
};

/** An endpoint that counts what it did, and how requests to it end. */
async function served(text: string) {
  const { clocks, made, injector } = await inject(text);
  let done = 0;
  const route: Route = {
    method: 'POST',
    path: '/work',
    refuse: refuseProblem,
    handle: async () => json(200, ++done),
  };
  const [faulty] = injector.routes([route]);
  if (!faulty) throw new Error('the route is gone');
  const begin = clocks.now().steady;
  const ask = async () => {
    const start = clocks.now().steady;
    try {
      const { status, headers } = await clocks.until(faulty.handle(REQUEST));
      return { end: status, after: clocks.now().steady - start, retry: headers['retry-after'] };
    } catch (error) {
      if (!(error instanceof AnswerDropped)) throw error;
      return { end: 'dropped', after: clocks.now().steady - start };
    }
  };
  const askOften = async (times: number) => {
    const ends: Awaited<ReturnType<typeof ask>>[] = [];
    for (let time = 0; time < times; time += 1) ends.push(await ask());
    return ends;
  };
  return { ask, askOften, clocks, begin, made, injector, faulty, done: () => done };
}

describe('requests', () => {
  test('are refused in the words of the endpoint, and nothing is done', async () => {
    const { ask, made, done } = await served('rate-limit=100%');
    expect(await ask()).toEqual({ end: 429, after: 0, retry: '1' });
    expect(made).toEqual(['rate-limit /work']);
    expect(done()).toBe(0);
  });

  test('are done, and their answers dropped', async () => {
    const { ask, made, done } = await served('drop-answer=100%');
    expect(await ask()).toEqual({ end: 'dropped', after: 0 });
    expect(made).toEqual(['drop-answer /work']);
    expect(done()).toBe(1);
  });

  test('wait, before anything else is done with them, as long as was said', async () => {
    const { askOften, made } = await served('latency=200ms..2s');
    const times = (await askOften(200)).map(({ after }) => after);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...times)).toBeLessThanOrEqual(2_000);
    expect(Math.min(...times)).toBeLessThan(300);
    expect(Math.max(...times)).toBeGreaterThan(1_900);
    const average = times.reduce((sum, time) => sum + time) / times.length;
    expect(Math.abs(average - 1_100)).toBeLessThan(150);
    expect(made).toHaveLength(200);
  });

  test('meet faults about as often as was said', async () => {
    const { askOften, done } = await served('rate-limit=20%,drop-answer=10%,seed=3');
    const ends = (await askOften(2_000)).map(({ end }) => end);
    const part = (end: unknown) => ends.filter((one) => one === end).length / ends.length;
    expect(Math.abs(part(429) - 0.2)).toBeLessThan(0.03);
    // Of those that are not refused.
    expect(Math.abs(part('dropped') - 0.08)).toBeLessThan(0.02);
    expect(done()).toBe(ends.filter((end) => end !== 429).length);
  });

  test('have the same fate with the same seed, and another one with another', async () => {
    const fates = async (seed: number, more = '') => {
      const { askOften } = await served(`rate-limit=30%,drop-answer=30%,seed=${seed}${more}`);
      return (await askOften(100)).map(({ end }) => end);
    };
    const first = await fates(42);
    expect(await fates(42)).toEqual(first);
    expect(await fates(43)).not.toEqual(first);
    // That they are late as well changes nothing else.
    expect(await fates(42, ',latency=1ms..2s')).toEqual(first);
  });

  test('do not wait for a service that ends', async () => {
    const { faulty, injector, clocks, begin } = await served('latency=100s');
    const answer = faulty.handle(REQUEST);
    await settled();
    injector.close();
    expect((await answer).status).toBe(200);
    expect(clocks.now().steady).toBe(begin);
  });
});

describe('leases', () => {
  async function leasing(text: string) {
    const { clocks, made, failures, injector } = await inject(text);
    const store = openSqliteStore({
      file: join(temporaryDirectory(), 'leases.db'),
      clock: () => clocks.now().wall,
    });
    let handles = 0;
    const newHandle = () => `handle-${++handles}`;
    const own = createEngine({ store, newHandle, monthlyLimit: 9 });
    let isAway = false;
    const engine = injector.engine({
      ...own,
      change: async (...command) => {
        if (isAway) throw new Failure('unavailable', 'The database is away.');
        return own.change(...command);
      },
    });
    const goAway = () => {
      isAway = true;
    };
    const acquire = async (idempotencyKey: string | null = null) => {
      const request = { kind: 'key', id: 'k', ttl: 60_000, metadata: null } as const;
      const decision = await engine.acquire(
        { ...request, idempotencyKey, requestHash: 'h' },
        NOBODY,
      );
      return decision.outcome.type;
    };
    const extend = async (handle: string) => {
      const command = { type: 'extend', handle, ttl: null } as const;
      const { outcome } = await engine.change('key', 'k', command, NOBODY);
      return outcome.type === 'rejected' ? outcome.reason : outcome.type;
    };
    return { clocks, made, failures, injector, engine, goAway, acquire, extend };
  }

  test('are lost so long after their acquisition, whatever their holders do', async () => {
    const { clocks, made, acquire, extend, engine } = await leasing('lose=10s');
    expect(await acquire('once')).toBe('acquired');
    await clocks.advance(9_000);
    expect(await extend('handle-1')).toBe('extended');
    // A repetition is no acquisition.
    expect(await acquire('once')).toBe('acquired');
    await clocks.advance(999);
    expect(await extend('handle-1')).toBe('extended');
    await clocks.advance(1);
    await settled();
    expect(await extend('handle-1')).toBe('expired');
    expect(made).toEqual(['lose key']);
    const [event] = await engine.history({ types: ['broken'] }, 9);
    expect(event).toMatchObject({ id: 'k', detail: { reason: 'fault' } });
  });

  test('are acquired again, and lost again, each in its own time', async () => {
    const { clocks, acquire, extend } = await leasing('lose=10s');
    await acquire();
    await clocks.advance(10_000);
    await settled();
    expect(await acquire()).toBe('acquired');
    await clocks.advance(9_999);
    expect(await extend('handle-2')).toBe('extended');
    await clocks.advance(1);
    await settled();
    expect(await extend('handle-2')).toBe('expired');
  });

  test('of others are left alone when the lost one has ended before', async () => {
    const { clocks, made, acquire, extend, engine } = await leasing('lose=10s');
    await acquire();
    await clocks.advance(5_000);
    await engine.change('key', 'k', { type: 'break' }, NOBODY);
    await acquire();
    await clocks.advance(5_000);
    await settled();
    expect(await extend('handle-2')).toBe('extended');
    expect(made).toEqual([]);
  });

  test('are not lost by a service that ended, nor by one without this fault', async () => {
    const { clocks, acquire, injector, made } = await leasing('lose=10s');
    await acquire();
    injector.close();
    await clocks.advance(10_000);
    const other = await leasing('latency=1s');
    await other.acquire();
    expect([clocks.sleepers, other.clocks.sleepers, made]).toEqual([0, 0, []]);
  });

  test('that cannot be broken are told of', async () => {
    const { clocks, failures, goAway, acquire } = await leasing('lose=10s');
    await acquire();
    goAway();
    await clocks.advance(10_000);
    await settled();
    expect(failures).toEqual([expect.objectContaining({ code: 'unavailable' })]);
  });
});
