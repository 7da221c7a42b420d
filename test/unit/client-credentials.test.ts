import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withAuthorizer } from '../../src/http/authorizer.ts';
import { removeTokens } from '../../src/tokens/token-cache.ts';
import { hangUp, NOW } from '../support/hosted-client.ts';
import { type Reply, startStub } from '../support/stub-server.ts';
import {
  clientOf,
  error,
  failureOf,
  SECOND,
  SECRET,
  stubbed,
  token,
  transportTo,
} from '../support/token-endpoint.ts';

describe('the request', () => {
  test('is a form with the credential and the scope, for which the product stands', async () => {
    const { seen, credentials } = await stubbed(token('one'));
    expect(await credentials.header()).toBe('Bearer one');
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: '/oauth/token',
      headers: {
        'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        accept: 'application/json',
        'user-agent': 'leasectl/test',
      },
    });
    expect(seen[0]?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: SECRET,
      scope: 'read write',
    });
  });

  test('has no scope when none is wanted', async () => {
    const { seen, open } = await stubbed(token('one'));
    await open({ scope: undefined }).header();
    expect(new URLSearchParams(seen[0]?.body).has('scope')).toBe(false);
  });

  test.each(['/', '/o/token/', '/token?tenant=a', '/token/?tenant=a'])(
    'goes to the very URL: %s',
    async (path) => {
      const { url, seen } = await startStub(token('one'));
      await clientOf(url + path).credentials.header();
      expect(seen[0]?.url).toBe(path);
    },
  );

  test('is repeated when the server does not answer, or not now', async () => {
    const { credentials } = await stubbed(hangUp, { status: 503, ...NOW }, token('one'));
    expect(await credentials.header()).toBe('Bearer one');
  });
});

describe('a token', () => {
  test('is kept for later, told before it is used, and nobody else may read it', async () => {
    const { credentials, open, remembered, options } = await stubbed(token('one'));
    await credentials.header();
    expect(remembered).toContain('one');
    remembered.length = 0;
    expect(await open().header()).toBe('Bearer one');
    expect(remembered).toEqual(['one']);
    const files = readdirSync(options.directory);
    expect(files.filter((file) => file.endsWith('.db'))).toHaveLength(1);
    for (const file of files) {
      expect(statSync(join(options.directory, file)).mode & 0o777).toBe(0o600);
      expect(file).not.toMatch(/client|canary/);
    }
  });

  test('is of one URL, client and scope', async () => {
    const { url, open, options } = await stubbed(...['1', '2', '3', '4', '5'].map((t) => token(t)));
    const tokenUrl = new URL(`${url}/other`);
    const variants = [
      {},
      { tokenUrl, transport: transportTo(tokenUrl) },
      { clientId: 'other' },
      { scope: 'read' },
      { scope: undefined },
    ];
    const headers = [];
    for (const variant of variants) headers.push(await open(variant).header());
    expect(headers).toEqual(['1', '2', '3', '4', '5'].map((value) => `Bearer ${value}`));
    expect(await open().header()).toBe('Bearer 1');
    expect(readdirSync(options.directory).filter((file) => file.endsWith('.db'))).toHaveLength(5);
  });

  test.each([
    ['of an hour', { expires_in: 3600 }, 3570],
    ['of a minute', { expires_in: 60 }, 54],
    ['of a time in words', { expires_in: '100' }, 90],
    ['of a time in fractions', { expires_in: 100.5 }, 90.45],
    ['of no known end', {}, 270],
    ['of no end to speak of', { expires_in: 1e300 }, 366 * 86_400 - 30],
  ])('%s is used until shortly before its end', async (_, more, seconds) => {
    const { open, clock } = await stubbed(token('one', more), token('two'));
    expect(await open().header()).toBe('Bearer one');
    clock.advance(seconds * SECOND - 1);
    expect(await open().header()).toBe('Bearer one');
    clock.advance(1);
    expect(await open().header()).toBe('Bearer two');
  });

  test('that ends at once is used once', async () => {
    const { open } = await stubbed(token('one', { expires_in: 0 }), token('two'));
    expect(await open().header()).toBe('Bearer one');
    expect(await open().header()).toBe('Bearer two');
  });

  test('from a time to come is not trusted: the clock was set back', async () => {
    const { open, clock } = await stubbed(token('one'), token('two'));
    await open().header();
    clock.advance(-1);
    expect(await open().header()).toBe('Bearer two');
  });

  test('is asked for once, however many want it at once', async () => {
    const { credentials, open } = await stubbed(token('one'));
    const others = Array.from({ length: 10 }, () => open());
    const headers = [credentials, credentials, ...others].map((one) => one.header());
    expect(new Set(await Promise.all(headers))).toEqual(new Set(['Bearer one']));
  });

  test('is gone, and what was beside it, when it is removed', async () => {
    const { credentials, open, options } = await stubbed(token('one'), token('two'));
    await credentials.header();
    expect(readdirSync(options.directory).length).toBeGreaterThan(1);
    const credential = { ...options, secret: options.clientSecret };
    removeTokens(options.directory, credential);
    expect(readdirSync(options.directory)).toEqual([]);
    expect(await open().header()).toBe('Bearer two');
    removeTokens(options.directory, { ...credential, clientId: 'unknown' });
    removeTokens(join(options.directory, 'missing'), credential);
  });

  test('that is on its way when the cache is closed still comes, and is kept', async () => {
    const { credentials, open } = await stubbed(token('one'));
    const header = credentials.header();
    const closed = credentials.close();
    expect(await header).toBe('Bearer one');
    await closed;
    expect(await open().header()).toBe('Bearer one');
  });
});

describe('a service that answers 401', () => {
  const request = {
    method: 'POST',
    path: '/work',
    query: new URLSearchParams(),
    headers: { 'x-own': 'kept' },
    body: '{}',
  } as const;
  const refused: Reply = { status: 401, body: 'no' };

  async function guarded(tokens: readonly Reply[], answers: readonly Reply[]) {
    const client = await stubbed(...tokens);
    const service = await startStub(...answers);
    const transport = withAuthorizer(transportTo(new URL(service.url)), client.credentials, 10_000);
    const sent = () => service.seen.map(({ headers }) => headers.authorization);
    return { ...client, service, sent, send: () => transport(request, { repeatable: false }) };
  }

  test('gets the same request once more, with another token', async () => {
    const { send, sent, service, open } = await guarded(
      [token('one'), token('two')],
      [refused, { status: 200, body: 'yes' }],
    );
    expect(await send()).toMatchObject({ status: 200, body: 'yes' });
    expect(sent()).toEqual(['Bearer one', 'Bearer two']);
    for (const { method, url, headers, body } of service.seen) {
      expect({ method, url, own: headers['x-own'], body }).toEqual({
        method: 'POST',
        url: '/work',
        own: 'kept',
        body: '{}',
      });
    }
    expect(await open().header()).toBe('Bearer two');
  });

  test('is not asked a third time: its answer is what counts', async () => {
    const { send, sent } = await guarded(
      [token('one'), token('two')],
      [refused, { status: 401, body: 'still no' }],
    );
    expect(await send()).toMatchObject({ status: 401, body: 'still no' });
    expect(sent()).toEqual(['Bearer one', 'Bearer two']);
  });

  test('is not asked again with the same token', async () => {
    const { send, sent } = await guarded([token('one'), token('one')], [refused]);
    expect(await send()).toMatchObject({ status: 401 });
    expect(sent()).toEqual(['Bearer one']);
  });

  test.each([200, 403, 404, 429])(
    'is another one than a service that answers %i',
    async (status) => {
      const { send } = await guarded(
        [token('one')],
        [{ status, headers: { 'retry-after': '99' } }],
      );
      expect(await send()).toMatchObject({ status });
    },
  );

  test('gets a token that somebody else renewed meanwhile', async () => {
    const { credentials, open } = await stubbed(token('one'), token('two'));
    const [mine, others] = [await credentials.header(), open()];
    expect(await others.renew(mine)).toBe('Bearer two');
    expect(await credentials.renew(mine)).toBe('Bearer two');
    expect(await credentials.renew('Bearer unheard of')).toBe('Bearer two');
  });

  test('gets one new token, however many requests it refused at once', async () => {
    const { credentials, open } = await stubbed(token('one'), token('two'));
    const mine = await credentials.header();
    const renewed = [credentials, credentials, open(), open()].map((one) => one.renew(mine));
    expect(new Set(await Promise.all(renewed))).toEqual(new Set(['Bearer two']));
  });

  test('keeps the old token when there is no new one', async () => {
    const { credentials, open } = await stubbed(token('one'), error(401, 'invalid_client'));
    const mine = await credentials.header();
    await failureOf(credentials.renew(mine));
    expect(await open().header()).toBe(mine);
  });
});
