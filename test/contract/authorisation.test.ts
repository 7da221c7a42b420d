import { beforeEach, describe, expect, test } from 'vitest';
import { SCOPES, type Scope } from '../../src/engine/access.ts';
import { textOf } from '../support/response-text.ts';
import { ROWS, refusalsOf } from './authorisation-rows.ts';
import {
  type Answered,
  allBut,
  createWorld,
  FORMS,
  OWNER,
  type Own,
  type Row,
  STRANGER,
  shown,
  type World,
} from './authorisation-world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});

async function send(
  endpoint: string,
  { query, body, headers }: Row,
  own: Own,
  authorization: string | undefined,
): Promise<Answered> {
  const [method = '', path = ''] = endpoint.split(' ');
  const search = query ? `?${new URLSearchParams(query(own))}` : '';
  const answer = await world.request(`${path.replace(':job_id', own.job)}${search}`, {
    method,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(body ? { body: JSON.stringify(body(own)) } : {}),
  });
  const text = await textOf(answer);
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return { status: answer.status, body: isJson ? JSON.parse(text) : text || undefined };
}

/** Sends the right request, and expects it to change nothing of what it is about. */
async function sendInVain(endpoint: string, row: Row, authorization: string | undefined) {
  const own = await world.prepare(row.isHeld);
  const before = await world.stateOf(own);
  const answer = await send(endpoint, row, own, authorization);
  expect(await world.stateOf(own)).toEqual(before);
  return { own, answer };
}

const TOKEN_FORMS = FORMS.filter((form) => form !== 'OAuth');

/** Tokens that are nobody's, or nobody's any more. */
const WRONG_TOKENS: Readonly<Record<string, () => Promise<string>>> = {
  'that was never given': async () => shown('Bearer', `token_${'A'.repeat(43)}`),
  'that was never given, as Basic': async () => shown('Basic', `token_${'A'.repeat(43)}`),
  'that is empty': async () => 'Bearer ',
  'that is revoked': async () => {
    const access = world.accessTo(OWNER);
    const added = await access.addToken({ name: 'r', scopes: SCOPES, lifetime: undefined });
    await access.revokeToken('r');
    return shown('Bearer', added?.secret ?? '');
  },
  'that is over': async () => {
    const added = await world
      .accessTo(OWNER)
      .addToken({ name: 'o', scopes: SCOPES, lifetime: 60_000 });
    world.clock.advance(60_000);
    return shown('Bearer', added?.secret ?? '');
  },
  'that was granted an hour ago': async () => {
    const authorization = await world.admit('OAuth', SCOPES, OWNER);
    world.clock.advance(3_600_000);
    return authorization;
  },
  'of a client that was removed': async () => {
    const authorization = await world.admit('OAuth', SCOPES, OWNER);
    const access = world.accessTo(OWNER);
    for (const { name } of await access.clients()) await access.removeClient(name);
    return authorization;
  },
  'with its name for a user': async () => {
    const [, token = ''] = (await world.admit('Bearer', SCOPES, OWNER)).split(' ');
    return shown('Basic', `token:${token}`);
  },
  'with something behind it': async () => `${await world.admit('Bearer', SCOPES, OWNER)}x`,
  'in another scheme': async () =>
    (await world.admit('Bearer', SCOPES, OWNER)).replace('Bearer', 'Digest'),
};

test('every endpoint has its row', () => {
  const endpoints = world.routes.map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(ROWS).sort()).toEqual(endpoints.sort());
});

test('every endpoint wants its scope', () => {
  const wanted = world.routes.map(({ method, path, scope }) => [`${method} ${path}`, scope]);
  const rows = Object.entries(ROWS).map(([endpoint, { scope }]) => [endpoint, scope]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(wanted));
});

/** Endpoints that change leases. What the others do is not in the history. */
const CHANGES: ReadonlySet<string> = new Set([
  ...['lease', 'run', 'extend', 'complete', 'cancel', 'fail'].map((name) => `POST /v1/ai/${name}`),
  ...['claim', 'heartbeat', 'submit', 'fail'].map((name) => `POST /api/v1/jobs/:job_id/${name}`),
  ...['lease', 'ping', 'complete'].map((name) => `POST /api/v1/runner-jobs/${name}`),
  'POST /admin/v1/lease/break',
  'POST /admin/v1/runner-jobs/cancel',
]);

const guarded = Object.entries(ROWS).flatMap(([endpoint, row]): [string, Row, Scope][] =>
  row.scope === undefined ? [] : [[endpoint, row, row.scope]],
);

describe.each(guarded)('%s', (endpoint, row, scope) => {
  const { unknown, forbidden } = refusalsOf(endpoint);

  test('refuses who shows no token', async () => {
    expect((await sendInVain(endpoint, row, undefined)).answer).toEqual(unknown);
  });

  test.each(Object.entries(WRONG_TOKENS))('refuses a token %s', async (_, tokenOf) => {
    const token = await tokenOf();
    expect((await sendInVain(endpoint, row, token)).answer).toEqual(unknown);
  });

  test.each(FORMS)('refuses who has every other scope: %s', async (form) => {
    const token = await world.admit(form, allBut(scope), OWNER);
    expect((await sendInVain(endpoint, row, token)).answer).toEqual(forbidden);
  });

  test.each(FORMS)('knows nothing of another namespace: %s', async (form) => {
    const token = await world.admit(form, SCOPES, STRANGER);
    const { own, answer } = await sendInVain(endpoint, row, token);
    expect(answer).toEqual(row.foreign(own));
  });

  test.each(FORMS)('answers who has its scope: %s', async (form) => {
    const token = await world.admit(form, [scope], OWNER);
    const own = await world.prepare(row.isHeld);
    const before = await world.lastOf(own.key);
    expect(await send(endpoint, row, own, token)).toEqual(row.right(own));
    const noted = await world.lastOf(own.key);
    expect(noted?.sequence !== before?.sequence).toBe(CHANGES.has(endpoint));
    const asked = { caller: expect.any(String), requestId: 'r' };
    if (CHANGES.has(endpoint)) expect(noted).toMatchObject(asked);
  });
});

test('every change and refusal is noted with the request that made it', async () => {
  for (const endpoint of CHANGES) expect(Object.keys(ROWS)).toContain(endpoint);
  const token = await world.admit('Bearer', SCOPES, OWNER);
  const own = await world.prepare(true);
  for (const [endpoint, row] of Object.entries(ROWS)) {
    if (!CHANGES.has(endpoint) || endpoint.includes('runner-jobs')) continue;
    await send(endpoint, row, { ...own, leaseId: 'wrong', lock: 'wrong' }, token);
    const noted = await world.lastOf(own.key);
    expect(noted, endpoint).toMatchObject({ caller: expect.any(String), requestId: 'r' });
  }
});

const open = Object.entries(ROWS).filter(([, { scope }]) => scope === undefined);

describe.each(open)('%s', (endpoint, row) => {
  test('answers whoever asks', async () => {
    const tokens = await Promise.all(TOKEN_FORMS.map((form) => world.admit(form, [], STRANGER)));
    for (const token of [undefined, 'Bearer nobodys', ...tokens]) {
      const own = await world.prepare(row.isHeld);
      expect(await send(endpoint, row, own, token)).toEqual(row.right(own));
    }
  });
});

test('a scope that is granted in part is no more than that', async () => {
  const client = await world.accessTo(OWNER).addClient('c', ['keys:read', 'keys:write']);
  const body = new URLSearchParams({
    ...{ grant_type: 'client_credentials', scope: 'keys:read' },
    ...{ client_id: client?.id ?? '', client_secret: client?.secret ?? '' },
  });
  const granted = await world.request('/api/v1/oauth/token', { method: 'POST', body });
  const { access_token } = Object(await granted.json());
  const ask = async (endpoint: string) => {
    const row = ROWS[endpoint];
    if (!row) throw new Error(endpoint);
    return send(endpoint, row, await world.prepare(row.isHeld), `Bearer ${access_token}`);
  };
  expect((await ask('GET /v1/ai/status')).status).toBe(200);
  expect((await ask('POST /v1/ai/lease')).status).toBe(403);
});
