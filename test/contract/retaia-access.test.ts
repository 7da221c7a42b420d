import { describe, expect, test } from 'vitest';
import { SCOPES, type Scope } from '../../src/engine/access.ts';
import {
  admit,
  failure,
  type Retaia,
  type RetaiaService,
  refusal,
  retaiaOf,
  startGuarded,
  submission,
} from './retaia-service.ts';

/** Milliseconds that an access token lasts. */
const HOUR = 3_600_000;
const UNAUTHORIZED = refusal(401, 'UNAUTHORIZED');

/** Every endpoint, with the scope it needs, and a request of the job's holder. */
const ENDPOINTS: readonly (readonly [
  string,
  Scope,
  (retaia: Retaia, id: string, lock: object) => Promise<{ status: number; body: unknown }>,
])[] = [
  ['list', 'jobs:claim', ({ list }) => list()],
  ['claim', 'jobs:claim', ({ claim }, id) => claim(id)],
  ['heartbeat', 'jobs:heartbeat', ({ heartbeat }, id, lock) => heartbeat(id, lock)],
  ['submit', 'jobs:submit', ({ submit }, id, lock) => submit(id, submission(lock))],
  ['fail', 'jobs:submit', ({ fail }, id, lock) => fail(id, failure(lock))],
];

/** A job that a claim can have, or, for all else, one that is held. */
async function startWithJob(endpoint: string) {
  const service = await startGuarded('holder', SCOPES);
  const id = await service.addJob();
  const lock = endpoint === 'claim' ? {} : await service.lock(id);
  return { service, id, lock };
}

describe.each(ENDPOINTS)('%s', (endpoint, scope, ask) => {
  test.each([
    ['no authorization', {}],
    ['a token that nobody was given', { authorization: 'Bearer token_0' }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['credentials in place of a token', { authorization: 'Basic Y2xpZW50OnNlY3JldA==' }],
  ] as const)('is refused with %s', async (_, headers: Record<string, string>) => {
    const { service, id, lock } = await startWithJob(endpoint);
    const stranger = retaiaOf(service, headers);
    expect(await ask(stranger, id, lock)).toEqual(UNAUTHORIZED);
    expect(await ask(stranger, 'job_unknown', {})).toEqual(UNAUTHORIZED);
    // Nothing happened to the job.
    expect((await ask(service, id, lock)).status).toBe(200);
  });

  test(`is refused without the scope ${scope}`, async () => {
    const { service, id, lock } = await startWithJob(endpoint);
    const others = SCOPES.filter((other) => other !== scope);
    const { headers } = await admit(service, 'limited', others);
    const limited = retaiaOf(service, headers);
    expect(await ask(limited, id, lock)).toEqual(refusal(403, 'FORBIDDEN_SCOPE'));
    expect(await ask(limited, 'job_unknown', {})).toEqual(refusal(403, 'FORBIDDEN_SCOPE'));
    expect((await ask(service, id, lock)).status).toBe(200);
  });

  test(`needs no other scope than ${scope}`, async () => {
    const { service, id, lock } = await startWithJob(endpoint);
    const { headers } = await admit(service, 'limited', [scope]);
    expect((await ask(retaiaOf(service, headers), id, lock)).status).toBe(200);
  });
});

test('a claim tells the name of the client that made it', async () => {
  const service = await startGuarded('render-farm', SCOPES);
  const [first = '', second = ''] = await service.addJobs([{}, {}]);
  const { headers } = await admit(service, 'Läufer 2', SCOPES);
  expect((await service.claim(first, 'key-1')).body['claimed_by']).toBe('render-farm');
  expect((await service.claim(first, 'key-1')).body['claimed_by']).toBe('render-farm');
  expect((await retaiaOf(service, headers).claim(second)).body['claimed_by']).toBe('Läufer 2');
});

test('a claim is not told to another client that happens to use its Idempotency-Key', async () => {
  const service = await startGuarded('render-farm', SCOPES);
  const id = await service.addJob();
  const { headers } = await admit(service, 'laptop', SCOPES);
  const { body } = await service.claim(id, '1');
  const reply = await retaiaOf(service, headers).claim(id, '1');
  expect(reply.status).toBe(409);
  expect(JSON.stringify(reply.body)).not.toContain(body['lock_token']);
});

describe('the token endpoint', () => {
  const GRANT = { grant_type: 'client_credentials' };

  async function start(scopes: readonly Scope[] = SCOPES) {
    const service = await startGuarded('agent', scopes);
    const { id, secret } = service.client;
    return { ...service, form: { ...GRANT, client_id: id, client_secret: secret } };
  }

  /** The service as somebody with this token sees it. */
  function as(service: RetaiaService, token: unknown): Retaia {
    return retaiaOf(service, { authorization: `Bearer ${token}` });
  }

  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  });

  test('gives a token for credentials in the form, for all that the client may', async () => {
    const service = await start(['jobs:claim', 'jobs:submit']);
    const { status, body } = await service.token(service.form);
    expect(status).toBe(200);
    expect(String(body['scope']).split(' ').toSorted()).toEqual(['jobs:claim', 'jobs:submit']);
    const agent = as(service, body['access_token']);
    expect((await agent.list()).status).toBe(200);
    expect((await agent.heartbeat('j', {})).status).toBe(403);
  });

  test('gives a token for credentials in a Basic header, form-encoded or not', async () => {
    const service = await start();
    const { id, secret } = service.client;
    for (const name of [id, id.replace('_', '%5F')]) {
      const { status, body } = await service.token(GRANT, basic(name, secret));
      expect(status).toBe(200);
      expect((await as(service, body['access_token']).list()).status).toBe(200);
    }
  });

  test('gives another token each time, and takes none of them back', async () => {
    const service = await start();
    const replies = [await service.token(service.form), await service.token(service.form)];
    const tokens = replies.map(({ body }) => body['access_token']);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) expect((await as(service, token).list()).status).toBe(200);
  });

  test('gives a token that lasts as long as it tells', async () => {
    const service = await start();
    const { body } = await service.token(service.form);
    expect(body['expires_in']).toBe(HOUR / 1000);
    const agent = as(service, body['access_token']);
    service.clock.advance(HOUR - 1);
    expect((await agent.list()).status).toBe(200);
    service.clock.advance(1);
    expect(await agent.list()).toEqual(UNAUTHORIZED);
    const { body: next } = await service.token(service.form);
    expect((await as(service, next['access_token']).list()).status).toBe(200);
    expect(await agent.list()).toEqual(UNAUTHORIZED);
  });

  test('gives a token for a part of what the client may', async () => {
    const service = await start();
    const { body } = await service.token({ ...service.form, scope: 'jobs:heartbeat jobs:claim' });
    expect(String(body['scope']).split(' ').toSorted()).toEqual(['jobs:claim', 'jobs:heartbeat']);
    const agent = as(service, body['access_token']);
    expect((await agent.list()).status).toBe(200);
    expect((await agent.heartbeat('j', {})).status).toBe(423);
    expect((await agent.submit('j', {})).status).toBe(403);
  });

  // RFC 6749, section 3.2: parameters without a value are as if they were left out.
  test('takes an empty scope for none', async () => {
    const { token, form } = await start();
    const { status, body } = await token({ ...form, scope: '' });
    expect(status).toBe(200);
    expect(String(body['scope']).split(' ').toSorted()).toEqual(SCOPES.toSorted());
  });

  test.each([
    ['one that the client may not have', 'jobs:submit'],
    ['one that it may not have, beside one that it may', 'jobs:claim jobs:submit'],
    ['one that there is not', 'jobs:everything'],
  ])('refuses a scope: %s', async (_, scope) => {
    const { token, form } = await start(['jobs:claim']);
    expect(await token({ ...form, scope })).toMatchObject({
      status: 400,
      body: { error: 'invalid_scope' },
    });
  });

  test.each([
    ['no grant_type', {}, 'invalid_request'],
    ['an empty grant_type', { grant_type: '' }, 'invalid_request'],
    ['the grant_type password', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('refuses %s', async (_, wrong: Record<string, string>, error) => {
    const { token, form } = await start();
    const { grant_type: _type, ...credentials } = form;
    const { status, body } = await token({ ...credentials, ...wrong });
    expect({ status, error: body['error'] }).toEqual({ status: 400, error });
  });

  test('refuses wrong credentials, wherever they are', async () => {
    const { token, form, client } = await start();
    const { client_secret: _, ...withoutSecret } = form;
    const { client_id: __, ...withoutId } = form;
    const forms = [
      GRANT,
      withoutSecret,
      withoutId,
      { ...form, client_secret: 'secret_0' },
      { ...form, client_secret: '' },
      { ...form, client_id: 'client_0' },
      { ...form, client_id: 'agent' },
    ];
    const headers = [
      basic(client.id, 'secret_0'),
      basic('client_0', client.secret),
      basic(client.id, ''),
      { authorization: `Basic ${Buffer.from(client.id).toString('base64')}` },
      { authorization: 'Basic !' },
    ];
    const refused = { status: 401, body: { error: 'invalid_client' } };
    for (const wrong of forms) expect(await token(wrong)).toMatchObject(refused);
    for (const wrong of headers) expect(await token(GRANT, wrong)).toMatchObject(refused);
  });
});
