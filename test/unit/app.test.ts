import { expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { createApp } from '../../src/server/app.ts';

async function ask(path: string, thrown: unknown) {
  const handle = async () => {
    throw thrown;
  };
  const app = createApp([{ method: 'GET', path: '/fails/:id', handle }]);
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
  const app = createApp([
    {
      method: 'POST',
      path: '/jobs/:id/claim',
      handle: async ({ params, query, header, body }) => ({
        status: 201,
        headers: { 'x-a': 'b' },
        body: JSON.stringify([params, [...query], header('x-in'), body]),
      }),
    },
  ]);
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
