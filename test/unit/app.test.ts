import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { SCOPES } from '../../src/engine/access.ts';
import { json, type Route } from '../../src/http/route.ts';
import { createApp } from '../../src/server/app.ts';
import { refuseProblem } from '../../src/services/onceonly/errors.ts';

const appOf = (route: Route) => createApp({ routesFor: () => [route] });

async function ask(path: string, thrown: unknown) {
  const handle = async () => {
    throw thrown;
  };
  const app = appOf({ method: 'GET', path: '/fails/:id', refuse: refuseProblem, handle });
  const response = await app.request(path);
  const { detail } = Object(await response.json());
  return {
    status: response.status,
    error: detail.error,
    retry: response.headers.get('retry-after'),
  };
}

test('a database that is away is 503, a bug is 500, and neither tells its insides', async () => {
  const away = new Failure('unavailable', '/secret/path stayed locked.');
  expect(await ask('/fails/1', away)).toEqual({ status: 503, error: 'unavailable', retry: '1' });
  const lost = new Failure('unavailable', '/secret/path went away.', { outcomeUnknown: true });
  const unknown = { status: 504, error: 'outcome_unknown', retry: null };
  expect(await ask('/fails/1', lost)).toEqual(unknown);
  const bug = new Error('/secret/path');
  expect(await ask('/fails/1', bug)).toEqual({ status: 500, error: 'internal', retry: null });
});

test('an unknown path is 404', async () => {
  expect(await ask('/nowhere', undefined)).toMatchObject({
    status: 404,
    error: 'no_such_endpoint',
  });
});

test('a handler gets what the request has', async () => {
  const app = appOf({
    method: 'POST',
    path: '/jobs/:id/claim',
    refuse: refuseProblem,
    handle: async ({ params, query, header, body }) => ({
      status: 201,
      headers: { 'x-a': 'b' },
      body: JSON.stringify([params, [...query], header('x-in'), body]),
    }),
  });
  const init = { method: 'POST', headers: { 'X-In': 'y' }, body: 'text' };
  const response = await app.request('/jobs/a%2Fb/claim?t=1&t=2', init);
  expect(response.status).toBe(201);
  expect(response.headers.get('x-a')).toBe('b');
  const given = [
    { id: 'a/b' },
    [
      ['t', '1'],
      ['t', '2'],
    ],
    'y',
    'text',
  ];
  expect(await response.json()).toEqual(given);
});

describe('who asks', () => {
  const app = (isOpen: boolean) =>
    createApp({
      routesFor: (bearer) => [
        {
          method: 'GET',
          path: '/own',
          scope: 'keys:read',
          refuse: refuseProblem,
          handle: async ({ by }) => json(200, [by.caller, bearer?.namespace ?? null]),
        },
      ],
      access: {
        bearerOf: async (token) => {
          const [name, namespace, scope] = token.split('/');
          if (!name || !namespace || name === 'unknown') return undefined;
          return {
            kind: 'token',
            name,
            namespace,
            scopes: SCOPES.filter((known) => known === scope),
          };
        },
        isOpen: async () => isOpen,
      },
    });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test.each([
    ['nobody', undefined, 401],
    ['a token that is nobody’s', 'Bearer unknown/a/keys:read', 401],
    ['a token with another scope', 'Bearer me/a/admin', 403],
    ['a token', 'Bearer me/a/keys:read', 200],
    ['a token as AskUI shows it', basic('me/b/keys:read'), 200],
    ['a token in another form', 'Digest me/a/keys:read', 401],
  ])('%s: %s is answered with %i', async (_, authorization, status) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await app(false).request('/own', { headers });
    expect(response.status).toBe(status);
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
  });

  test('gets what is bound to them, each time', async () => {
    const one = app(false);
    const ask = async (authorization: string) =>
      (await one.request('/own', { headers: { authorization } })).json();
    for (const _ of [1, 2]) {
      expect(await ask('Bearer me/a/keys:read')).toEqual(['me', 'a']);
      expect(await ask('Bearer me/b/keys:read')).toEqual(['me', 'b']);
      expect(await ask('Bearer you/a/keys:read')).toEqual(['you', 'a']);
    }
  });

  test('is anybody where there is nobody to tell apart, but a scope that is missing is', async () => {
    const open = app(true);
    expect((await open.request('/own')).status).toBe(200);
    const headers = { authorization: 'Bearer me/a/admin' };
    expect((await open.request('/own', { headers })).status).toBe(403);
  });
});
