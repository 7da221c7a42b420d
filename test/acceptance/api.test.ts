import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { describe, expect, test } from 'vitest';
import { bearer, CANARY, refusal } from '../support/hosted-answers.ts';
import { hangUp, ok } from '../support/hosted-jobs.ts';
import { withProfile } from '../support/profile-at-stub.ts';
import { BIN, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type Reply, startStub } from '../support/stub-server.ts';

/** Ends what a run shows. */
const END = '-- the end --';

/**
 * What a terminal shows of a run. node-pty gives up what it has not read some time after its program has
 * ended, so a shell stays there until all was read.
 */
function onTerminal(env: Sandbox['env'], args: readonly string[]): Promise<string> {
  const line = `"$@"; printf %s '${END}'; read -r _`;
  return new Promise((resolve) => {
    const terminal = spawn('/bin/sh', ['-c', line, 'sh', process.execPath, BIN, ...args], {
      env: { ...env },
    });
    let shown = '';
    terminal.onData((data) => {
      shown += data;
      if (!shown.endsWith(END)) return;
      resolve(shown.slice(0, -END.length).replaceAll('\r', ''));
      terminal.write('\n');
    });
  });
}

const EMBEDDED = ['--service', 'onceonly', '--profile', 'local'];

describe('a request has', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'])('the method %s', async (method) => {
    const { run, seen } = await withProfile('onceonly', '', ok({ ok: true }), ok({ ok: true }));
    for (const word of [method, method.toLowerCase()]) {
      const { code, stdout, stderr } = await run(['api', word, '/v1/x']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toBe(method === 'HEAD' ? '' : '{"ok":true}\n');
    }
    expect(seen).toMatchObject([
      { method, url: '/v1/x' },
      { method, url: '/v1/x' },
    ]);
  });

  test.each(['constructor', 'toString'])('a header named %s', async (name) => {
    const { run, seen } = await withProfile('onceonly', '', ok({}));
    const header = ['-H', `${name}: x`];
    expect((await run(['api', 'GET', '/x', ...header, ...header])).code).toBe(0);
    const sent = Object.entries(seen[0]?.headers ?? {});
    expect(sent).toContainEqual([name.toLowerCase(), 'x, x']);
    const { stdout } = await run(['api', 'GET', '/x', '--dry-run', ...header]);
    expect(stdout).toContain(`\n${name.toLowerCase()}: x\n`);
  });

  test('path, query, headers, body and token', async () => {
    const { run, seen } = await withProfile('retaia', '/api/v1', ok({}));
    const query = ['-q', 'limit=5', '--param', 'a=b&c=d', '-q', 'a='];
    const headers = ['-H', 'Idempotency-Key:7', '-H', 'accept: text/csv', '-H', 'Accept: a/b'];
    const body = ['--input', '{"n":12345678901234567890, "x": 1.0}'];
    await run(['api', 'POST', '/jobs/j%2F1/claim?first=ä', ...query, ...headers, ...body]);
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/api/v1/jobs/j%2F1/claim?first=%C3%A4&limit=5&a=b%26c%3Dd&a=',
        headers: {
          authorization: `Bearer ${CANARY}`,
          'idempotency-key': '7',
          accept: 'text/csv, a/b',
          'content-type': 'application/json',
        },
        body: '{"n":12345678901234567890, "x": 1.0}',
      },
    ]);
  });

  test('a body of another type, from stdin, where that is said', async () => {
    const { run, seen } = await withProfile('askui', '', ok({}));
    const args = ['api', 'POST', '/x', '--input', '-'];
    const refused = await run(args, { input: 'a,b' });
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--input is not valid JSON.');
    expect((await run([...args, '-H', 'Content-Type: text/csv'], { input: 'a,b' })).code).toBe(0);
    const basic = `Basic ${Buffer.from(CANARY).toString('base64')}`;
    expect(seen).toMatchObject([
      { body: 'a,b', headers: { 'content-type': 'text/csv', authorization: basic } },
    ]);
  });

  test('the access token of an OAuth 2.0 client', async () => {
    const token = { access_token: 'canary-access', token_type: 'Bearer', expires_in: 3600 };
    const stub = await startStub(ok(token), ok([]));
    const { run } = createSandbox();
    const credential = ['--client-id', 'agent-7', '--client-secret-stdin'];
    const url = `${stub.url}/api/v1`;
    await run(['profile', 'add', 'p', '--service', 'retaia', '--url', url, ...credential], {
      input: CANARY,
    });
    expect(await run(['api', 'GET', '/jobs'])).toMatchObject({ code: 0, stdout: '[]\n' });
    expect(stub.seen[1]).toMatchObject({ url: '/api/v1/jobs', ...bearer('canary-access') });
  });
});

describe('an answer', () => {
  test('is its very text in a pipe, with --json too', async () => {
    const body = '{ "n": 12345678901234567890,\n  "x": 1.0 }';
    const { run } = await withProfile('onceonly', '', ...Array(2).fill({ status: 200, body }));
    for (const more of [[], ['--json']]) {
      expect((await run(['api', 'GET', '/x', ...more])).stdout).toBe(`${body}\n`);
    }
  });

  test('is indented on a terminal', async () => {
    const { env } = await withProfile('onceonly', '', ok({ a: [1] }));
    const screen = await onTerminal(env, ['api', 'get', '/x']);
    expect(screen).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });

  test('without content prints nothing', async () => {
    const { run } = await withProfile('askui', '', { status: 204 }, { status: 204 });
    for (const more of [[], ['--json']]) {
      const outcome = await run(['api', 'DELETE', '/x', ...more]);
      expect(outcome).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
  });

  test.each(['null', '7', '"text"', 'false', '[]'])('of %s is printed', async (body) => {
    const { run } = await withProfile('onceonly', '', ...Array(2).fill({ status: 200, body }));
    for (const more of [[], ['--json']]) {
      expect((await run(['api', 'GET', '/x', ...more])).stdout).toBe(`${body}\n`);
    }
  });

  test('that is no JSON cannot act on the terminal, and does not repeat the token', async () => {
    const body = `a\tb\r\n\u001b]52;c;cm0=\u0007 ${CANARY}\u202e\rc`;
    const { run } = await withProfile('onceonly', '', ...Array(2).fill({ status: 200, body }));
    expect((await run(['api', 'GET', '/x'])).stdout).toBe(
      'a\tb\n\\u001b]52;c;cm0=\\u0007 ***\\u202e\\u000dc\n',
    );
    const { stdout } = await run(['api', 'GET', '/x', '--json']);
    expect(JSON.parse(stdout)).toBe(body.replace(CANARY, '***'));
  });

  test('that is nested without end is passed on as text', async () => {
    const body = '['.repeat(100_000) + ']'.repeat(100_000);
    const { run, env } = await withProfile('onceonly', '', ...Array(2).fill({ status: 200, body }));
    expect(await run(['api', 'GET', '/x'])).toMatchObject({ code: 0, stdout: `${body}\n` });
    expect(await onTerminal(env, ['api', 'GET', '/x'])).toBe(`${body}\n`);
  });

  test('is shown with status and headers, but no cookie, with --include', async () => {
    const headers = { 'set-cookie': 'sid=canary-session', 'x-a': `b ${CANARY}` };
    const { run } = await withProfile('onceonly', '', { ...ok({ a: 1 }), headers } as Reply);
    const { stdout } = await run(['api', 'GET', '/x', '-i']);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\n(.+: .+\n)+\n\{"a":1\}\n$/);
    expect(stdout).toContain('\nset-cookie: ***\n');
    expect(stdout).toContain('\nx-a: b ***\n');
  });
});

describe('a status other than success has its body on stdout, and the exit code it means', () => {
  const body = (status: number, body: object): Reply => ({ status, body });
  test.each<[string, number, Reply, string]>([
    ['onceonly', 3, refusal(404, 'not_found'), 'GET /x: No (onceonly 404 not_found).'],
    ['onceonly', 14, refusal(409, 'lease_expired'), '(onceonly 409 lease_expired)'],
    ['onceonly', 5, refusal(402, 'over_limit'), '402'],
    ['onceonly', 4, refusal(403, 'forbidden'), '403'],
    ['onceonly', 3, { status: 404, body: 'nope' }, '(onceonly 404)'],
    ['onceonly', 6, body(422, { detail: [{ loc: ['body', 'key'], msg: 'missing' }] }), 'body.key'],
    ['retaia', 14, body(423, { code: 'LOCK_INVALID', message: 'No.' }), 'LOCK_INVALID'],
    ['retaia', 11, body(409, { code: 'STATE_CONFLICT', details: { state: 'claimed' } }), '409'],
    ['retaia', 7, body(409, { code: 'STATE_CONFLICT', message: 'No.' }), '409'],
    ['askui', 3, body(404, { detail: 'Not Found' }), 'Not Found'],
    ['askui', 76, { status: 302, headers: { location: 'https://x.example/' } }, 'not followed'],
  ])('%s: %i', async (service, code, reply, words) => {
    const { run } = await withProfile(service, '', reply, reply);
    const sent = 'body' in reply ? reply.body : undefined;
    const text = typeof sent === 'object' ? JSON.stringify(sent) : sent;
    const plain = await run(['api', 'GET', '/x']);
    expect(plain).toMatchObject({ code, stdout: text ? `${text}\n` : '' });
    expect(plain.stderr).toContain(words);
    const json = await run(['api', 'GET', '/x', '--json']);
    expect(json.code).toBe(code);
    if (typeof sent === 'object') expect(JSON.parse(json.stdout)).toEqual(sent);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { service } });
  });
});

describe('what may change something is sent once', () => {
  const away: Reply = { status: 503, body: { detail: 'away' } };

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s', async (method) => {
    const { run } = await withProfile('onceonly', '', hangUp, away);
    const lost = await run(['api', method, '/x']);
    expect(lost).toMatchObject({ code: 75, stdout: '' });
    expect(lost.stderr).toContain('Whether the service took the request is unknown.');
    expect(await run(['api', method, '/x'])).toMatchObject({
      code: 75,
      stdout: '{"detail":"away"}\n',
    });
  });

  test.each(['GET', 'HEAD'])('but %s again', async (method) => {
    const { run, seen } = await withProfile('onceonly', '', hangUp, away, ok({}));
    expect((await run(['api', method, '/x'])).code).toBe(0);
    expect(seen.map((request) => request.method)).toEqual([method, method, method]);
  });
});

describe('the embedded service', () => {
  test('answers in this process, as each of the services', async () => {
    const { run, json } = createSandbox();
    const lease = await run(['api', 'POST', '/v1/ai/lease', ...EMBEDDED, '--input', '{"key":"k"}']);
    expect(JSON.parse(lease.stdout)).toMatchObject({ key: 'k', status: 'acquired' });
    expect(await json(['status', 'k'])).toMatchObject({ status: 'in_progress' });
    expect(await json(['api', 'GET', '/jobs', '--service', 'retaia'])).toEqual([]);
    const query = ['-q', 'runner_id=r', '-q', 'runner_host=SELF'];
    const path = '/api/v1/runner-jobs/lease';
    const none = await run(['api', 'POST', path, ...query, '--service', 'askui']);
    expect(none).toMatchObject({ code: 0, stdout: 'null\n' });
  });

  test('knows HEAD, and no other endpoint than the contracts’', async () => {
    const { run } = createSandbox();
    await run(['lease', 'k']);
    const head = await run(['api', 'HEAD', '/v1/ai/status?key=k', '-i', ...EMBEDDED]);
    expect(head).toMatchObject({ code: 0, stderr: '' });
    expect(head.stdout).toMatch(/^HTTP\/1\.1 200 OK\ncontent-type: application\/json\n\n$/);
    for (const [method, path] of [
      ['GET', '/nope'],
      ['DELETE', '/v1/ai/status'],
      ['GET', '/%ff'],
      ['GET', '/v1/ai/status/?key=k'],
    ]) {
      const outcome = await run(['api', `${method}`, `${path}`, ...EMBEDDED]);
      expect(outcome.code).toBe(3);
      expect(JSON.parse(outcome.stdout)).toMatchObject({ detail: { error: 'no_such_endpoint' } });
    }
    const bad = await run(['api', 'POST', '/jobs/%ff/claim', '--service', 'retaia']);
    expect(bad.code).toBe(7);
  });
});

test.each([
  ['a method that is none', ['FETCH', '/x'], 'METHOD is none'],
  ['a body of a GET', ['GET', '/x', '--input', '{}'], 'has no body'],
  ['a parameter without a name', ['GET', '/x', '-q', 'x'], '--param is no NAME=VALUE'],
  ['both --include and --json', ['GET', '/x', '-i', '--json'], '--include'],
])('%s is refused', async (_, args, words) => {
  const { run } = createSandbox();
  const { code, stdout, stderr } = await run(['api', ...args, ...EMBEDDED]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(words);
});

test.each([['../x'], ['https://elsewhere.example/x'], ['//x']])(
  '%s is refused before a token is got, and before the profile counts as used',
  async (path) => {
    const sandbox = createSandbox();
    const { url } = await startStub();
    const add = ['profile', 'add', 'p', '--service', 'onceonly', '--url', url];
    const witness = join(sandbox.directory, 'ran');
    await sandbox.json([...add, '--token-command', `echo ran > '${witness}'; echo token`]);
    const { code, stderr } = await sandbox.run(['api', 'GET', path]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('Error: PATH ') });
    expect(existsSync(witness)).toBe(false);
    expect(await sandbox.json(['profile', 'show', 'p'])).toMatchObject({ last_used_at: null });
  },
);
