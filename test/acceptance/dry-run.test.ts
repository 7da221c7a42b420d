import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { filesOf } from '../support/files-of.ts';
import { ACQUIRED, CANARY, HANDLE } from '../support/hosted-answers.ts';
import { away, bodyOf, keyOf, LOCK, ok, SUBMIT, withClaim } from '../support/hosted-jobs.ts';
import { addProfile, createSandbox, type Sandbox } from '../support/sandbox.ts';
import { type SeenRequest, startStub } from '../support/stub-server.ts';

const ACK = 'canary-ack-3e11';

/** Commands that ask a service and change nothing: reviewed when one is added. */
const LOOKING = [
  ...['admin:clients:list', 'admin:history', 'admin:leases:list', 'admin:leases:show'],
  ...['admin:tokens:list', 'doctor', 'jobs:list', 'jobs:why', 'ls', 'result', 'status', 'wait'],
  ...['watch', 'why'],
];

interface Invocation {
  readonly args: readonly string[];
  readonly input?: string;
}

/** How each changing command is tried out. A command that is not here fails the test. */
const INVOCATIONS: Readonly<Record<string, Invocation>> = {
  'admin:clients:add': { args: ['admin', 'clients', 'add', 'c', '--scope', 'jobs:claim'] },
  'admin:clients:remove': { args: ['admin', 'clients', 'remove', 'c'] },
  'admin:jobs:add': { args: ['admin', 'jobs', 'add', '--type', 't', '--count', '2'] },
  'admin:leases:break': { args: ['admin', 'leases', 'break', 'a/b', '--reason', 'r'] },
  'admin:runner-jobs:add': {
    args: ['admin', 'runner-jobs', 'add', '--file', '-'],
    input: JSON.stringify({ access_token: HANDLE }),
  },
  'admin:runner-jobs:cancel': { args: ['admin', 'runner-jobs', 'cancel', 'j/1'] },
  'admin:tokens:add': {
    args: ['admin', 'tokens', 'add', 'ci', '--scope', 'admin', '--expires', '90d'],
  },
  'admin:tokens:revoke': { args: ['admin', 'tokens', 'revoke', 'ci'] },
  api: {
    args: ['api', 'delete', '/v1/x?a=1', '-q', `token=${HANDLE}`, '-H', `X-Api-Key: ${HANDLE}`],
  },
  break: { args: ['break', 'k', '--reason', 'r'] },
  cancel: { args: ['cancel', 'k', '--lease-id', '-'], input: HANDLE },
  complete: { args: ['complete', 'k', '--lease-id', '-', '--result', '{"a":1}'], input: HANDLE },
  exec: { args: ['exec', 'k', '--status-file', 'EVENTS', '--', 'touch', 'CHILD'] },
  extend: { args: ['extend', 'k', '--lease-id', '-', '--ttl', '5m'], input: HANDLE },
  fail: { args: ['fail', 'k', '--lease-id', '-', '--error-code', 'e'], input: HANDLE },
  'jobs:claim': { args: ['jobs', 'claim', 'j/1'] },
  'jobs:exec': { args: ['jobs', 'exec', 'j/1', '--', 'touch', 'CHILD'] },
  'jobs:fail': {
    args: ['jobs', 'fail', 'j', '--error-code', 'e', '--handle-file', '-'],
    input: LOCK,
  },
  'jobs:heartbeat': { args: ['jobs', 'heartbeat', 'j', '--lock-token-stdin'], input: LOCK },
  'jobs:submit': {
    args: ['jobs', 'submit', 'j', '--facts', '{"a":1}', '--job-type', 't', '--lock-token-stdin'],
    input: LOCK,
  },
  lease: { args: ['lease', 'k', '--ttl', '60s', '--meta', `password=${HANDLE}`] },
  run: { args: ['run', '--agent', 'a', '--tool', 't', '--args', '{"x": 1}'] },
  'runner-jobs:complete': {
    args: ['runner-jobs', 'complete', '--status', 'PASSED', '--ack-stdin'],
    input: ACK,
  },
  'runner-jobs:exec': {
    args: ['runner-jobs', 'exec', '--runner-id', 'r', '--', 'touch', 'CHILD'],
  },
  'runner-jobs:lease': { args: ['runner-jobs', 'lease', '--runner-id', 'r', '--tag', 'a b'] },
  'runner-jobs:ping': { args: ['runner-jobs', 'ping', '--ack-stdin'], input: ACK },
};

/** What looks first, and is asked for that only by a dry run. */
const LOOKING_FIRST = ['break'];

const CHANGING = /^(POST|DELETE) local:\/((api|admin)\/)?v1\/\w/;

const manifest = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../oclif.manifest.json', import.meta.url)), 'utf8'),
);
const commands: readonly { readonly id: string; readonly flags: object }[] = Object.values(
  manifest.commands,
);

test('every command that asks a service is tried out here, or known to change nothing', () => {
  const asking = commands.filter(({ flags }) => 'timeout' in flags).map(({ id }) => id);
  const withFlag = commands.filter(({ flags }) => 'dry-run' in flags).map(({ id }) => id);
  expect(asking.sort()).toEqual([...withFlag, ...LOOKING].sort());
  expect(Object.keys(INVOCATIONS).sort()).toEqual(withFlag.sort());
});

const SERVICES: readonly (readonly [RegExp, string])[] = [
  [/^admin:/, 'leasectl'],
  [/^jobs:/, 'retaia'],
  [/^runner-jobs:/, 'askui'],
  [/./, 'onceonly'],
];
const serviceOf = (id: string) => SERVICES.find(([pattern]) => pattern.test(id))?.[1] ?? '';

/** Puts the files that the commands would make into the sandbox. */
function argsIn({ directory }: Sandbox, { args }: Invocation): string[] {
  return args.map((word) => (/^(CHILD|EVENTS)$/.test(word) ? join(directory, word) : word));
}

/** In front of the command that `exec` would run. */
function withFlags(args: readonly string[], ...flags: string[]): string[] {
  const end = args.indexOf('--');
  return end < 0 ? [...args, ...flags] : [...args.slice(0, end), ...flags, ...args.slice(end)];
}

/** What the stub saw, as a dry run tells it. */
function told({ method, url, headers, body }: SeenRequest, base: string, told: object) {
  const hidden = (text: string) =>
    text.replaceAll(new RegExp(`${HANDLE}|${LOCK}|${ACK}`, 'g'), '***');
  return {
    method,
    url: base + hidden(url),
    headers: Object.fromEntries(
      Object.keys(told).map((name) => [name, hidden(String(headers[name]))]),
    ),
    body: body === '' ? null : JSON.parse(hidden(body)),
  };
}

/** What two processes tell of themselves is the same but for this. */
const ofAnyProcess = (request: object): unknown =>
  JSON.parse(JSON.stringify(request).replace(/(?<="(?:pid|started)":)\d+/g, '0'));

describe.each(Object.entries(INVOCATIONS))('%s --dry-run', (id, invocation) => {
  test('tells the request that is sent without it, sends none, and leaves nothing behind', async () => {
    const stub = await startStub({ status: 403, body: {} });
    const sandbox = createSandbox();
    await addProfile(sandbox, 'p', stub.url, CANARY, serviceOf(id));
    const { input = '' } = invocation;
    const args = [...argsIn(sandbox, invocation)];
    const before = filesOf(sandbox.directory);
    const text = await sandbox.run(withFlags(args, '--dry-run', '--profile', 'p'), { input });
    const { stdout, stderr, code } = await sandbox.run(
      withFlags(args, '--dry-run', '--json', '--profile', 'p'),
      { input, env: { LEASECTL_DEBUG: '1' } },
    );
    expect(filesOf(sandbox.directory)).toEqual(before);
    expect(stub.seen).toEqual([]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const note = LOOKING_FIRST.includes(id)
      ? expect.stringMatching(/^This request only looks/)
      : '';
    expect(text).toMatchObject({ stderr: note, code: 0 });
    expect(text.stdout + stdout).not.toMatch(/canary/);

    const dry = JSON.parse(stdout);
    expect(Object.keys(dry)).toEqual(['method', 'url', 'headers', 'body']);
    expect(text.stdout).toContain(`${dry.method} ${dry.url}\naccept: application/json\n`);
    const basic = serviceOf(id) === 'askui';
    expect(dry.headers.authorization).toBe(basic ? 'Basic ***' : 'Bearer ***');

    const confirmed = LOOKING_FIRST.includes(id) ? ['--yes'] : [];
    const sent = withFlags(args, '--profile', 'p', ...confirmed);
    expect((await sandbox.run(sent, { input })).code).toBe(4);
    const [seen] = stub.seen;
    if (!seen) throw new Error('nothing was sent');
    const { authorization, 'idempotency-key': key, ...headers } = dry.headers;
    expect(ofAnyProcess({ ...dry, headers })).toEqual(ofAnyProcess(told(seen, stub.url, headers)));
    expect(key === undefined).toBe(seen.headers['idempotency-key'] === undefined);
  });

  test('makes no database of the embedded service', async () => {
    const sandbox = createSandbox();
    const { input = '' } = invocation;
    const more = id === 'api' ? ['--service', 'askui'] : [];
    const args = withFlags(argsIn(sandbox, invocation), '--dry-run', ...more);
    const { code, stdout } = await sandbox.run(args, { input });
    expect({ code, line: stdout.split('\n')[0] }).toEqual({
      code: 0,
      line: expect.stringMatching(
        LOOKING_FIRST.includes(id) ? /^GET local:\/admin\/v1\/\w/ : CHANGING,
      ),
    });
    expect(filesOf(sandbox.directory)).toEqual({});
  });
});

describe('the ledger', () => {
  test('gives the handle, and is not changed', async () => {
    const stub = await startStub(ACQUIRED);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'p', stub.url, CANARY);
    await sandbox.json(['lease', 'k']);
    const before = filesOf(sandbox.directory);
    for (const args of [
      ['extend', 'k'],
      ['complete', 'k'],
      ['lease', 'k'],
      ['cancel', 'k'],
    ]) {
      const dry = await sandbox.json([...args, '--dry-run']);
      expect(dry).toMatchObject({ url: `${stub.url}/v1/ai/${args[0]}` });
      expect(JSON.stringify(dry)).not.toContain(HANDLE);
    }
    expect(filesOf(sandbox.directory)).toEqual(before);
  });

  test('gives the only runner job', async () => {
    const { json, run } = createSandbox();
    await json(['admin', 'runner-jobs', 'add']);
    await json(['runner-jobs', 'lease', '--runner-id', 'r']);
    const { stdout } = await run(['runner-jobs', 'ping', '--dry-run']);
    expect(stdout).toBe('POST local:/api/v1/runner-jobs/ping?ack=***\n');
  });

  test('has no attempt to submit after a dry run: another request can be made', async () => {
    const server = await withClaim(ok({ ok: true }));
    const { run, seen } = server;
    expect((await run([...SUBMIT, '--dry-run'])).code).toBe(0);
    expect((await run(['jobs', 'fail', 'j/1', '--error-code', 'e', '--dry-run'])).code).toBe(0);
    expect((await run(['jobs', 'submit', 'j/1', '--patch', '{"b":2}'])).code).toBe(0);
    expect(bodyOf(seen[1])).toMatchObject({ result: { facts_patch: { b: 2 } } });
  });

  test('tells the attempt that waits for its answer', async () => {
    const { run, json, seen } = await withClaim(away);
    expect((await run(SUBMIT)).code).toBe(75);
    expect(await json([...SUBMIT, '--dry-run'])).toMatchObject({
      url: expect.stringMatching(/\/jobs\/j%2F1\/submit$/),
      headers: { 'idempotency-key': keyOf(seen[1]) },
      body: { lock_token: '***', fencing_token: 5, result: { facts_patch: { a: 1 } } },
    });
    const other = await run(['jobs', 'submit', 'j/1', '--patch', '{"b":2}', '--dry-run']);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('got no answer, and was another one');
  });
});

test('a first request that only looks is told as such', async () => {
  const { run } = createSandbox();
  const { code, stdout, stderr } = await run(['jobs', 'claim', '--next', '--dry-run']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'GET local:/api/v1/jobs\n' });
  expect(stderr).toMatch(/^This request only looks; /);
  const json = await run(['jobs', 'claim', '--next', '--dry-run', '--json']);
  expect(json.stderr).toBe('');
  const api = await run(['api', 'GET', '/jobs', '--service', 'retaia', '--dry-run']);
  expect(api).toMatchObject({ code: 0, stderr: '' });
});

test('a body keeps its digits, and is no JSON where it is none', async () => {
  const { run } = createSandbox();
  const api = ['api', 'POST', '/x', '--service', 'askui', '--dry-run', '--json'];
  const digits = await run([...api, '--input', '{"n":12345678901234567890,"x":1.0}']);
  expect(digits.stdout).toContain('"body":{"n":12345678901234567890,"x":1.0}}\n');
  const text = await run([...api, '--input', '-', '-H', 'Content-Type: text/plain'], {
    input: 'a\u001b]52;\u0007b\n',
  });
  expect(text.stdout).not.toMatch(/\p{Cc}(?!$)/u);
  expect(JSON.parse(text.stdout)).toMatchObject({ body: 'a\u001b]52;\u0007b\n' });
});

describe('what the user gives wrongly fails as usual', () => {
  const far = { LEASECTL_URL: 'http://far.example', LEASECTL_TOKEN: 'token' };
  test.each<[number, string, string[], Record<string, string>?]>([
    [2, '--ttl', ['lease', 'k', '--ttl', 'soon']],
    [2, 'no profile nope', ['lease', 'k', '--profile', 'nope']],
    [2, 'holds no lease on k (profile local); it is not looked at', ['extend', 'k']],
    [2, 'holds no lease on job j', ['jobs', 'submit', 'j', '--patch', '{}']],
    [2, 'holds no job', ['runner-jobs', 'ping']],
    [2, 'unencrypted', ['lease', 'k'], far],
    [4, 'No token', ['lease', 'k'], { LEASECTL_URL: 'https://far.example' }],
    [127, 'no command', ['exec', 'k', '--', '/nowhere/x']],
  ])('%i: %s', async (code, words, args, env = {}) => {
    const sandbox = createSandbox();
    const outcome = await sandbox.run(withFlags(args, '--dry-run'), { env });
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toContain(words);
    expect(filesOf(sandbox.directory)).toEqual({});
  });
});

test('it is for commands that change something', async () => {
  const { run } = createSandbox();
  const { code, stderr } = await run(['status', 'k', '--dry-run']);
  expect(code).toBe(2);
  expect(stderr).toContain('There is no flag --dry-run.');
});
