import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import type { Route } from '../../src/http/route.ts';
import { createApp } from '../../src/server/app.ts';
import { refuseProblem } from '../../src/server/refuse.ts';
import type { RequestNotes } from '../../src/server/request-notes.ts';
import { Streams, type StreamsOptions } from '../../src/server/streams.ts';

/** An app with one endpoint that goes on, piece by piece. */
function appOf(
  pieces: (signal: AbortSignal) => AsyncIterable<string>,
  { most = 2, pause = () => new Promise<void>(() => undefined) }: Partial<StreamsOptions> = {},
) {
  const state = { isOpen: true };
  const streams = new Streams({ most, pause });
  const route: Route = {
    ...{ method: 'GET', path: '/s', scope: 'admin', refuse: refuseProblem },
    handle: async () => ({ status: 200, headers: {}, body: '', pieces }),
  };
  const access = {
    bearerOf: async () => undefined,
    isOpen: async () => state.isOpen,
  };
  const app = createApp({ routesFor: () => [route], access, streams });
  const notes: RequestNotes = { id: 'r' };
  return { ask: async () => app.request('/s', {}, { notes }), streams, state, notes };
}

async function* forEver(signal: AbortSignal) {
  yield 'first\n';
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

/** As much as comes until it ends. */
const rest = (answer: Response) => answer.text();

describe('streams', () => {
  test('are bounded: one more is refused until another has ended', async () => {
    const { ask, streams } = appOf(forEver);
    const [one] = [await ask(), await ask()];
    const refused = await ask();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(Object(await refused.json()).detail.error).toBe('crowded');
    expect([streams.count('default'), streams.count('other')]).toEqual([2, 0]);
    await one?.body?.cancel();
    expect(streams.count('default')).toBe(1);
    expect((await ask()).status).toBe(200);
  });

  test('leave room for others: who has most of them gives up a place', async () => {
    const streams = new Streams({ most: 4, pause: () => new Promise(() => undefined) });
    const listen = (namespace: string) => {
      if (!streams.admits(namespace)) return false;
      const isAllowed = async () => true;
      streams.begin(forEver, { namespace, isAllowed, onFailure: () => undefined });
      return true;
    };
    const counts = () => ['a', 'b', 'c'].map((namespace) => streams.count(namespace));
    expect(['a', 'a', 'a', 'a', 'a'].map(listen)).toEqual([true, true, true, true, false]);
    expect([listen('b'), counts()]).toEqual([true, [3, 1, 0]]);
    expect([listen('b'), counts()]).toEqual([true, [2, 2, 0]]);
    expect([listen('b'), listen('a'), counts()]).toEqual([false, false, [2, 2, 0]]);
    expect([listen('c'), streams.count('c')]).toEqual([true, 1]);
    expect(counts().reduce((sum, count) => sum + count)).toBe(4);
  });

  test('end all at once, and none begins any more', async () => {
    const { ask, streams } = appOf(forEver);
    const open = [await ask(), await ask()];
    const readers = open.map((answer) => answer.body?.getReader());
    for (const reader of readers) expect((await reader?.read())?.done).toBe(false);
    streams.stop();
    for (const reader of readers) expect((await reader?.read())?.done).toBe(true);
    expect(streams.count('default')).toBe(0);
    expect((await ask()).status).toBe(503);
  });

  test('end when who listens may not any more', async () => {
    let check: () => void = () => undefined;
    const pause = () =>
      new Promise<void>((resolve) => {
        check = resolve;
      });
    const { ask, state } = appOf(forEver, { pause });
    const text = rest(await ask());
    check();
    await new Promise((resolve) => setImmediate(resolve));
    state.isOpen = false;
    check();
    expect(await text).toBe('first\n');
  });

  test('tell why they ended', async () => {
    const failure = new Failure('unavailable', 'The database is away.');
    async function* failing() {
      yield 'a';
      throw failure;
    }
    const { ask, notes, streams } = appOf(failing);
    expect(await rest(await ask())).toBe('a');
    expect(notes.error).toBe(failure);
    expect(streams.count('default')).toBe(0);
  });

  test('are not made faster than they are read', async () => {
    let made = 0;
    async function* counting() {
      for (;;) {
        made += 1;
        yield `${made}\n`;
      }
    }
    const { ask } = appOf(counting);
    const reader = (await ask()).body?.getReader();
    for (let times = 0; times < 3; times += 1) await reader?.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBe(3);
    await reader?.cancel();
  });

  test.each<[string, (app: ReturnType<typeof appOf>, answer: Response) => unknown]>([
    ['is gone', (_, answer) => answer.body?.cancel()],
    ['does not read when all end', ({ streams }) => streams.stop()],
  ])('are cleaned up after who %s', async (_, end) => {
    let isOver = false;
    const over = new Promise<void>((resolve) => {
      async function* endless() {
        try {
          for (;;) yield 'a';
        } finally {
          isOver = true;
          resolve();
        }
      }
      const app = appOf(endless);
      void app.ask().then(async (answer) => {
        const [body, rest] = [answer.body?.getReader(), answer];
        await body?.read();
        body?.releaseLock();
        await end(app, rest);
      });
    });
    await over;
    expect(isOver).toBe(true);
  });
});
