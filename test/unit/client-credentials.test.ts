import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { withAuthorizer } from '../../src/http/authorizer.ts';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import {
  type ClientCredentialsOptions,
  createClientCredentials,
} from '../../src/tokens/client-credentials.ts';
import { removeTokens } from '../../src/tokens/token-cache.ts';
import { createClock } from '../support/embedded-server.ts';
import { hangUp, NOW, silence } from '../support/hosted-client.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

const SECRET = 'canary secret+/é';
const SECOND = 1_000;

const transportTo = (baseUrl: URL, timeout = 10_000) =>
  createKyTransport({
    service: 'test',
    baseUrl,
    userAgent: 'leasectl/test',
    timeout,
    firstDelay: 2,
  });

/** A client on a machine of its own, whose token endpoint has this URL. */
function clientOf(url: string, { timeout }: { timeout?: number } = {}) {
  const clock = createClock('2025-01-15T10:30:00Z');
  const remembered: string[] = [];
  const tokenUrl = new URL(url);
  const options = {
    service: 'test',
    tokenUrl,
    clientId: 'client',
    clientSecret: SECRET,
    scope: 'read write',
    directory: join(temporaryDirectory(), 'tokens'),
    now: clock,
    transport: transportTo(tokenUrl, timeout),
    remember: (secret: string) => {
      remembered.push(secret);
      return secret;
    },
  };
  /** As another process would: with a connection of its own. */
  const open = (change: Partial<ClientCredentialsOptions> = {}) => {
    const credentials = createClientCredentials({ ...options, ...change });
    onTestFinished(() => credentials.close());
    return credentials;
  };
  return { clock, options, remembered, open, credentials: open() };
}

async function stubbed(...replies: readonly Reply[]) {
  const stub = await startStub(...replies);
  return { ...stub, ...clientOf(`${stub.url}/oauth/token`) };
}

type Answer = Extract<Reply, { status: number }>;
const token = (value: string, more: object = { expires_in: 3600 }): Answer => ({
  status: 200,
  body: { access_token: value, token_type: 'Bearer', ...more },
});
const error = (status: number, code: string, description?: string): Answer => ({
  status,
  body: { error: code, error_description: description },
});

/** How it fails. Whatever it is, no secret is in its words, and nothing is left in doubt. */
async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const failure = await promise.then(
    () => expect.unreachable('it succeeded'),
    (reason: unknown) => reason,
  );
  if (!(failure instanceof Failure)) throw failure;
  const words = `${failure.message} ${failure.hint} ${failure.reason}`;
  expect(words).not.toMatch(/canary|undefined \(|\(undefined/);
  expect(failure.outcomeUnknown).toBe(false);
  expect(failure.service).toBe('test');
  return failure;
}

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
    removeTokens(options.directory, options);
    expect(readdirSync(options.directory)).toEqual([]);
    expect(await open().header()).toBe('Bearer two');
    removeTokens(options.directory, { ...options, clientId: 'unknown' });
    removeTokens(join(options.directory, 'missing'), options);
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
    const transport = withAuthorizer(transportTo(new URL(service.url)), client.credentials);
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

describe('a token endpoint that refuses', () => {
  test.each<[string, Answer, string]>([
    ['invalid_client', error(401, 'invalid_client'), 'invalid_client'],
    ['invalid_client with 400', error(400, 'invalid_client'), 'invalid_client'],
    ['unauthorized_client', error(400, 'unauthorized_client'), 'unauthorized_client'],
    [
      'in a header too',
      { ...error(401, 'invalid_client'), headers: { 'www-authenticate': 'Basic realm="x"' } },
      'invalid_client',
    ],
    ['in no words', { status: 401, body: '<p>No</p>' }, '401'],
  ])('the client: %s', async (_, reply, code) => {
    const { credentials } = await stubbed(reply);
    expect(await failureOf(credentials.header())).toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining(`the client id or secret was refused (${code})`),
      hint: expect.stringContaining('leasectl profile remove, and add'),
    });
  });

  test('the scope names it', async () => {
    const { credentials, open } = await stubbed(
      error(400, 'invalid_scope'),
      error(400, 'invalid_scope', 'One is needed.'),
    );
    expect(await failureOf(credentials.header())).toMatchObject({
      code: 'unauthorized',
      status: 400,
      message: 'test: the scope "read write" was refused (invalid_scope).',
    });
    expect(await failureOf(open({ scope: undefined }).header())).toMatchObject({
      message: 'test: a request without a scope was refused (invalid_scope): One is needed.',
    });
  });

  test.each([
    [400, 'invalid_request'],
    [400, 'invalid_grant'],
    [400, 'unsupported_grant_type'],
    [403, 'access_denied'],
  ])('for another reason tells it: %i %s', async (status, code) => {
    const { credentials } = await stubbed(error(status, code, 'Because.'));
    expect(await failureOf(credentials.header())).toMatchObject({
      code: 'unauthorized',
      status,
      reason: code,
      message: `test: the token endpoint refused to give a token (${code}): Because.`,
    });
  });

  test('in too many words is cut short', async () => {
    const { credentials } = await stubbed(error(400, 'x'.repeat(9_999), 'y'.repeat(9_999)));
    const { message } = await failureOf(credentials.header());
    expect(message.length).toBeLessThan(1_200);
  });

  test('and repeats the secret is not quoted', async () => {
    const form = new URLSearchParams({ client_secret: SECRET });
    const said = `${SECRET} ${form} ${encodeURIComponent(SECRET)} ${JSON.stringify(SECRET)}`;
    const { credentials } = await stubbed(error(400, SECRET, `${said} ${'-'.repeat(470)} ${said}`));
    expect((await failureOf(credentials.header())).message).toContain('client_secret=***');
  });

  test('with a description that is none is understood', async () => {
    const body = { error: 'invalid_grant', error_description: { a: 1 } };
    const { credentials } = await stubbed({ status: 400, body });
    expect((await failureOf(credentials.header())).message).toMatch(/\(invalid_grant\)\.$/);
  });
});

describe('a token endpoint that cannot be asked now', () => {
  test.each([429, 500, 503])('answers %i', async (status) => {
    const { credentials } = await stubbed({
      ...error(status, 'invalid_client'),
      headers: { 'retry-after': '120' },
    });
    expect(await failureOf(credentials.header())).toMatchObject({
      code: 'unavailable',
      status,
      hint: 'Try again in 2m.',
    });
  });

  test('is not there, or silent', async () => {
    const nobody = clientOf(await closedUrl(), { timeout: 900 });
    expect(await failureOf(nobody.credentials.header())).toMatchObject({ code: 'unavailable' });
    const { url } = await startStub(silence, silence, silence);
    const silent = clientOf(url, { timeout: 900 });
    expect(await failureOf(silent.credentials.header())).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no answer'),
    });
  });

  test('may break in a way that nobody foresaw', async () => {
    const { open } = await stubbed();
    const bug = Object.assign(new Error('a bug'), { code: 'ECONNRESET' });
    const transport = () => Promise.reject(bug);
    await expect(open({ transport }).header()).rejects.toBe(bug);
  });

  test('leaves nothing behind: the next call asks anew', async () => {
    const busy = { status: 503, headers: { 'retry-after': '120' } };
    const { credentials } = await stubbed(busy, token('one'));
    await failureOf(credentials.header());
    expect(await credentials.header()).toBe('Bearer one');
  });
});

describe('an answer that is no token response', () => {
  const canary = 'canary-token';
  test.each<[string, Answer]>([
    ['no JSON', { status: 200, body: `access_token=${canary}&token_type=bearer` }],
    ['nothing', { status: 200, body: '' }],
    ['a list', { status: 200, body: [canary] }],
    ['null', { status: 200, body: 'null' }],
    ['without a token', { status: 200, body: { token_type: 'Bearer' } }],
    ['with an empty token', token('')],
    ['with a token that is a number', { status: 200, body: { access_token: 1, token_type: 'x' } }],
    ['without a type', { status: 200, body: { access_token: canary } }],
    ['with another type', token(canary, { token_type: 'mac' })],
    ['with DPoP', token(canary, { token_type: 'DPoP' })],
    ['with a life in words', token(canary, { expires_in: 'soon' })],
    ['with a negative life', token(canary, { expires_in: -1 })],
    ['with an ID token that is none', token(canary, { id_token: canary })],
    ['with a line break in the token', token(`${canary}\r\nx: y`)],
    ['with a space in the token', token(`${canary} x`)],
    ['with a token that is not ASCII', token(`${canary}é`)],
    ['with an error and 200', { status: 200, body: { error: 'invalid_client' } }],
    ['of another success', { ...token(canary), status: 201 }],
    ['of no content', { status: 204 }],
    ['of a redirect', { status: 307, headers: { location: `https://a.example/?${canary}` } }],
    ['of a page that is not there', { status: 404, body: `<p>${canary}</p>` }],
    ['of an error that is no code', { status: 400, body: { error: { message: canary } } }],
  ])('%s', async (_, reply) => {
    const { credentials } = await stubbed(reply);
    const failure = await failureOf(credentials.header());
    expect(failure).toMatchObject({
      code: 'bad_response',
      status: reply.status,
      hint: expect.stringContaining('token URL'),
    });
    expect(failure.cause).toBeUndefined();
  });

  test.each<[string, Answer]>([
    ['with another spelling of the type', token('one', { token_type: 'bEARER' })],
    ['with more than is needed', token('one', { scope: 'read', refresh_token: 'r', extra: {} })],
    ['of another content type', { ...token('one'), headers: { 'content-type': 'text/plain' } }],
  ])('is another thing than one %s', async (_, reply) => {
    const { credentials } = await stubbed(reply);
    expect(await credentials.header()).toBe('Bearer one');
  });
});
