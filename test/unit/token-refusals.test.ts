import { describe, expect, test } from 'vitest';
import { silence } from '../support/hosted-client.ts';
import { closedUrl, startStub } from '../support/stub-server.ts';
import {
  type Answer,
  clientOf,
  error,
  failureOf,
  SECRET,
  stubbed,
  token,
} from '../support/token-endpoint.ts';

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
      hint: expect.stringContaining('and store them anew: leasectl profile edit'),
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
