import { expect, test } from 'vitest';
import type { Bearer } from '../../src/engine/access.ts';
import { json, type Route } from '../../src/http/route.ts';
import { createApp } from '../../src/server/app.ts';
import { createCallers } from '../../src/server/callers.ts';
import { createRateLimit } from '../../src/server/rate-limit.ts';
import { refuseProblem } from '../../src/server/refuse.ts';

const RATE = 3;
const REFUSED = Array.from({ length: RATE }, () => 401);

function bearer(name: string, scopes: Bearer['scopes'], kind: Bearer['kind'] = 'token'): Bearer {
  return { kind, name, namespace: 'a', scopes };
}

function setUp() {
  const bearers = new Map([
    ['right', bearer('ci', ['keys:read'])],
    ['granted', bearer('ci', ['keys:read'], 'client')],
    ['other', bearer('other', ['admin'])],
  ]);
  const asked: string[] = [];
  const access = {
    bearerOf: async (token: string) => {
      asked.push(token);
      return bearers.get(token);
    },
    isOpen: async () => false,
  };
  const bound: (Bearer | undefined)[] = [];
  const app = createApp({
    routesFor: (who) => {
      bound.push(who);
      return routes();
    },
    access: createCallers({ access, elapsed: () => 0, isGuarded: true }),
    limit: createRateLimit(RATE, () => 0),
  });
  const ask = async (authorization: string, remote = '192.0.2.1', path = '/own') => {
    const notes = { id: 'r', remote };
    const response = await app.request(path, { headers: { authorization } }, { notes });
    return response.status;
  };
  const show = (token: string, remote?: string) => ask(`Bearer ${token}`, remote);
  const grant = (pair: string, remote?: string) => ask(pair, remote, '/token');
  return { asked, bearers, bound, grant, show };
}

/** An endpoint for tokens, and one that takes `id:secret` as it stands. */
function routes(): Route[] {
  const refuse = refuseProblem;
  return [
    { method: 'GET', path: '/own', scope: 'keys:read', refuse, handle: async () => json(200, {}) },
    {
      method: 'GET',
      path: '/token',
      refuse,
      clientIn: ({ header }) => header('authorization')?.split(':')[0],
      handle: async ({ header }) =>
        json(header('authorization')?.endsWith(':right') ? 200 : 401, {}),
    },
  ];
}

async function times(count: number, ask: (index: number) => Promise<number>): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++) statuses.push(await ask(index));
  return statuses;
}

test('what a token may not is counted, too', async () => {
  const { show } = setUp();
  expect(await times(RATE + 1, () => show('other'))).toEqual([403, 403, 403, 429]);
});

test('a token and a client of one name are counted apart, and have their own endpoints', async () => {
  const { bound, show } = setUp();
  expect(await times(RATE + 1, () => show('right'))).toEqual([200, 200, 200, 429]);
  expect(await times(RATE + 1, () => show('granted'))).toEqual([200, 200, 200, 429]);
  expect(bound.map((who) => who?.kind)).toEqual([undefined, 'token', 'client']);
});

test('guesses of an address are looked at no more than so often, at others they are', async () => {
  const { asked, show } = setUp();
  expect(await times(RATE + 9, (index) => show(`guess${index}`))).toEqual([
    ...REFUSED,
    ...Array.from({ length: 9 }, () => 429),
  ]);
  expect(asked).toHaveLength(RATE);
  expect(await show('guess', '192.0.2.2')).toBe(401);
});

test('who was known is not kept out by guesses of its address', async () => {
  const { show } = setUp();
  expect(await show('right')).toBe(200);
  await times(RATE + 1, (index) => show(`guess${index}`));
  expect(await show('right')).toBe(200);
  expect(await show('granted')).toBe(429);
  expect(await show('granted', '192.0.2.2')).toBe(200);
});

test('any number of right tokens comes from one address', async () => {
  const { bearers, show } = setUp();
  for (let index = 0; index < 50; index++)
    bearers.set(`t${index}`, bearer(`t${index}`, ['keys:read']));
  expect(new Set(await times(50, (index) => show(`t${index}`)))).toEqual(new Set([200]));
});

test('wrong secrets are counted by address, right ones by client', async () => {
  const { grant } = setUp();
  expect(await times(RATE + 1, () => grant('one:right'))).toEqual([200, 200, 200, 429]);
  expect(await times(RATE + 1, (index) => grant(`c${index}:right`))).toEqual([200, 200, 200, 200]);
  expect(await times(RATE + 1, () => grant('two:wrong'))).toEqual([...REFUSED, 429]);
  expect(await grant('two:right')).toBe(429);
  expect(await grant('two:right', '192.0.2.2')).toBe(200);
});

test('the endpoints of a caller stay ready, however many there are', async () => {
  const { bearers, bound, show } = setUp();
  // One of a thousand is nobody.
  for (let index = 0; index < 999; index++) {
    bearers.set(`t${index}`, bearer(`t${index}`, ['keys:read']));
    await show(`t${index}`);
  }
  expect(bound).toHaveLength(1_000);
  await show('t0');
  await show('t1');
  expect(bound).toHaveLength(1_000);
});
