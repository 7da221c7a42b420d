import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TokenList } from '../../src/services/admin/wire.ts';
import { createAdminService, refusal } from './admin-service.ts';

const TOKENS = 'POST /admin/v1/tokens';
const REVOKE = 'POST /admin/v1/tokens/revoke';
const CLIENTS = 'POST /admin/v1/clients';

describe('tokens', () => {
  test('are told once, and open what they are for until they are over', async () => {
    const { caller, clock, app } = createAdminService();
    const admin = await caller('team');
    const added = await admin.ask(TOKENS, {}, { name: 'ci', scope: 'keys:read', expires_in: 60 });
    const { token } = Object(added.body);
    expect(added).toMatchObject({
      status: 201,
      body: {
        token: expect.stringMatching(/^token_[\w-]{43}$/),
        name: 'ci',
        namespace: 'team',
        scope: 'keys:read',
        created_at: '2025-01-15T10:30:00.000Z',
        expires_at: '2025-01-15T10:31:00.000Z',
        last_used_at: null,
        revoked_at: null,
      },
    });
    const headers = { authorization: `Bearer ${token}` };
    const status = async () => (await app.request('/v1/ai/status?key=k', { headers })).status;
    expect(await status()).toBe(404);
    const listed = await admin.ask('GET /admin/v1/tokens');
    expect(listed.text).not.toContain(token);
    expect(listed.text).not.toContain(createHash('sha256').update(token).digest('hex'));
    expect(listed.text).not.toMatch(/[0-9a-f]{64}/);
    const ci = (await admin.get(TokenList, '/tokens')).find(({ name }) => name === 'ci');
    expect(ci).toMatchObject({ last_used_at: '2025-01-15T10:30:00.000Z' });
    clock.advance(60_000);
    expect(await status()).toBe(401);
  });

  test('that are revoked stay listed, and open nothing', async () => {
    const { caller, app, clock } = createAdminService();
    const admin = await caller('team');
    const { token } = Object((await admin.ask(TOKENS, {}, { name: 'ci', scope: 'admin' })).body);
    const headers = { authorization: `Bearer ${token}` };
    const revoked = await admin.ask(REVOKE, { name: 'ci' });
    expect(revoked).toMatchObject({
      status: 200,
      body: { revoked_at: '2025-01-15T10:30:00.000Z' },
    });
    clock.advance(5_000);
    // Revoking is once.
    expect((await admin.ask(REVOKE, { name: 'ci' })).body).toEqual(revoked.body);
    expect((await app.request('/admin/v1/tokens', { headers })).status).toBe(401);
    const taken = await admin.ask(TOKENS, {}, { name: 'ci', scope: 'admin' });
    expect(taken).toMatchObject(refusal(409, 'name_taken'));
    expect(await admin.ask(REVOKE, { name: 'nobody' })).toMatchObject(refusal(404, 'not_found'));
  });

  test.each([
    {},
    { name: 'a' },
    { name: 'a', scope: '' },
    { name: 'a', scope: 'fly' },
    { name: 'a', scope: 'admin  keys:read' },
    { name: 'a', scope: 'admin,keys:read' },
    { name: 'a', scope: 'admin admin2' },
    { name: 'two words', scope: 'admin' },
    { name: 'é', scope: 'admin' },
    { name: '', scope: 'admin' },
    { name: 'x'.repeat(65), scope: 'admin' },
    { name: 'a', scope: 'admin', expires_in: 0 },
    { name: 'a', scope: 'admin', expires_in: 1.5 },
    { name: 'a', scope: 'admin', expires_in: 1e12 },
    { name: 'a', scope: 'admin', namespace: 'other' },
    [],
    'no json',
    '{"name": "a", "scope": "admin"',
    '',
  ])('are not added from %j', async (body) => {
    const admin = await createAdminService().caller('team');
    expect(await admin.ask(TOKENS, {}, body)).toMatchObject(refusal(422, 'invalid_request'));
    expect(await admin.get(TokenList, '/tokens')).toHaveLength(1);
  });
});

describe('clients', () => {
  test('get access tokens until they are removed', async () => {
    const { caller, app } = createAdminService();
    const admin = await caller('team');
    const scope = 'jobs:submit jobs:claim';
    const added = await admin.ask(CLIENTS, {}, { name: 'agent', scope });
    expect(added).toMatchObject({ status: 201, body: { scope: 'jobs:claim jobs:submit' } });
    const { client_id, client_secret } = Object(added.body);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      ...{ client_id, client_secret },
    });
    const granted = await app.request('/api/v1/oauth/token', { method: 'POST', body });
    const { access_token } = Object(await granted.json());
    const headers = { authorization: `Bearer ${access_token}` };
    const jobs = async () => (await app.request('/api/v1/jobs', { headers })).status;
    expect(await jobs()).toBe(200);
    const listed = await admin.ask('GET /admin/v1/clients');
    expect(listed.body).toEqual([{ client_id, name: 'agent', scope: 'jobs:claim jobs:submit' }]);
    const removed = await admin.ask('DELETE /admin/v1/clients', { name: 'agent' });
    expect(removed).toMatchObject({ status: 200, body: { name: 'agent', removed: true } });
    expect(await jobs()).toBe(401);
    const again = await admin.ask('DELETE /admin/v1/clients', { name: 'agent' });
    expect(again).toMatchObject(refusal(404, 'not_found'));
  });

  test('have names of their own', async () => {
    const admin = await createAdminService().caller('team');
    const client = { name: 'agent', scope: 'jobs:claim' };
    expect((await admin.ask(CLIENTS, {}, client)).status).toBe(201);
    expect(await admin.ask(CLIENTS, {}, client)).toMatchObject(refusal(409, 'name_taken'));
  });
});

test('answers with secrets are kept by nobody on the way', async () => {
  const { caller, app } = createAdminService();
  const admin = await caller('team');
  const { token } = Object((await admin.ask(TOKENS, {}, { name: 'x', scope: 'admin' })).body);
  for (const path of ['/admin/v1/tokens', '/admin/v1/clients']) {
    const response = await app.request(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: 'y', scope: 'admin' }),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
  }
});

test('nobody administers without the scope for it', async () => {
  const { caller, app } = createAdminService();
  const some = await caller('team', ['keys:write', 'jobs:claim', 'runner-jobs']);
  const routes = app.routes.filter(({ path }) => path.startsWith('/admin/'));
  expect(routes.length).toBeGreaterThan(12);
  for (const { method, path } of routes) {
    expect(await some.ask(`${method} ${path}`)).toMatchObject(refusal(403, 'forbidden'));
    expect((await app.request(path, { method })).status).toBe(401);
  }
});
