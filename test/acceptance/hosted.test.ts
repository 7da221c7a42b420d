import { describe, expect, test } from 'vitest';
import {
  ACQUIRED,
  bearer,
  CANARY,
  HANDLE,
  IN_PROGRESS,
  refusal,
  STATE,
} from '../support/hosted-answers.ts';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { type Reply, startStub } from '../support/stub-server.ts';

describe('the service and the token come from', () => {
  test('the environment', async () => {
    const stub = await startStub(IN_PROGRESS, IN_PROGRESS);
    const { json } = createSandbox();
    const url = { LEASECTL_URL: stub.url };
    await json(['status', 'k'], { env: { ...url, LEASECTL_TOKEN: 'token-a' } });
    await json(['status', 'k'], { env: { ...url, ONCEONLY_API_KEY: 'token-b' } });
    expect(stub.seen).toMatchObject([bearer('token-a'), bearer('token-b')]);
  });

  test('the first profile, which becomes the default, and then from the one that is chosen', async () => {
    const [first, second] = [
      await startStub(IN_PROGRESS, IN_PROGRESS),
      await startStub(IN_PROGRESS, IN_PROGRESS, IN_PROGRESS),
    ];
    const { json, run } = createSandbox();
    const add = (name: string, url: string, input: string) =>
      run(['profile', 'add', name, '--service', 'onceonly', '--url', url, '--token-stdin'], {
        input,
      });
    expect(await add('one', first.url, 'token-1\n')).toMatchObject({ code: 0, stderr: '' });
    const added = await add('two', second.url, 'token-2');
    expect(added).toMatchObject({ code: 0 });
    expect(added.stderr).toContain('leasectl profile use two');

    await json(['status', 'k']);
    await json(['status', 'k', '--profile', 'two']);
    await json(['status', 'k'], { env: { LEASECTL_PROFILE: 'two' } });
    await json(['status', 'k', '--profile', 'one'], { env: { LEASECTL_PROFILE: 'two' } });
    await json(['profile', 'use', 'two']);
    await json(['status', 'k']);
    expect(first.seen).toMatchObject([bearer('token-1'), bearer('token-1')]);
    expect(second.seen).toMatchObject([bearer('token-2'), bearer('token-2'), bearer('token-2')]);

    await json(['profile', 'use', 'local']);
    expect((await run(['status', 'k'])).stderr).toContain('Nothing is known');
    expect((await run(['status', 'k', '--profile', 'local'])).code).toBe(3);
  });

  test('a profile, with a token from the environment instead of the stored one', async () => {
    const stub = await startStub(IN_PROGRESS);
    const sandbox = createSandbox();
    const { json } = sandbox;
    await addProfile(sandbox, 'p', stub.url, 'stored');
    await json(['status', 'k'], { env: { LEASECTL_TOKEN: 'given' } });
    expect(stub.seen).toMatchObject([bearer('given')]);
  });
});

describe('a stored token', () => {
  test('is not sent to another address than its own', async () => {
    const [own, other] = [await startStub(), await startStub()];
    const sandbox = createSandbox();
    await addProfile(sandbox, 'p', own.url, CANARY);
    const { code, stderr } = await sandbox.run(['status', 'k'], {
      env: { LEASECTL_URL: other.url },
    });
    expect(code).toBe(4);
    expect(stderr).toContain(`No token for ${other.url}`);
  });

  test('does not give way to the service’s own variable at another address', async () => {
    const stub = await startStub(IN_PROGRESS);
    const sandbox = createSandbox();
    const { json } = sandbox;
    await addProfile(sandbox, 'p', stub.url, 'stored');
    await json(['status', 'k'], { env: { ONCEONLY_API_KEY: CANARY } });
    expect(stub.seen).toMatchObject([bearer('stored')]);
  });
});

test('a lease is taken, kept and finished, with the handle from the ledger', async () => {
  const done = { ok: true, status: 'completed', key: 'k', version: 3, plan: 'pro' };
  const extended = { ok: true, status: 'extended', key: 'k', ttl: 60, version: 2 };
  const stub = await startStub(
    ACQUIRED,
    { status: 200, body: extended },
    { status: 200, body: done },
  );
  const { json, run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
  const lease = await run(['lease', 'k', '--ttl', '60s'], { env });
  expect(lease).toMatchObject({ code: 0, stderr: '' });
  expect(lease.stdout).toContain('Charged\t1 (12 of 3,000 used)\nProfile\tLEASECTL_URL\n');
  await json(['extend', 'k'], { env });
  expect(await json(['complete', 'k', '--result-hash', 'h'], { env })).toEqual(done);
  const bodies = stub.seen.map(({ body }) => JSON.parse(body));
  expect(bodies).toEqual([
    { key: 'k', ttl: 60, metadata: { leasectl: expect.objectContaining({ command: 'lease' }) } },
    { key: 'k', lease_id: HANDLE },
    { key: 'k', lease_id: HANDLE, result_hash: 'h' },
  ]);
});

test('a handle is not sent to another service than the one that gave it', async () => {
  const [giver, other] = [await startStub(ACQUIRED), await startStub(IN_PROGRESS)];
  const { json, run } = createSandbox();
  await json(['lease', 'k'], { env: { LEASECTL_URL: giver.url, LEASECTL_TOKEN: 't' } });
  const env = { LEASECTL_URL: other.url, LEASECTL_TOKEN: 't' };
  expect((await run(['complete', 'k'], { env })).code).toBe(2);
  expect(other.seen).toMatchObject([{ method: 'GET', url: '/v1/ai/status?key=k' }]);
});

test('a handle is kept while it is not known that the lease ended', async () => {
  const down = refusal(503, 'unavailable');
  const done = { ok: true, status: 'completed', key: 'k', version: 2 };
  const away: Reply = { ...down, headers: { 'retry-after': '60' } } as Reply;
  const stub = await startStub(ACQUIRED, away, { status: 200, body: done });
  const { json, run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  await json(['lease', 'k'], { env });
  expect((await run(['complete', 'k'], { env })).code).toBe(75);
  expect(await json(['complete', 'k'], { env })).toEqual(done);
});

describe('a refusal of the hosted service has its exit code', () => {
  test.each([
    [401, 'invalid_api_key', 4],
    [402, 'over_limit', 5],
    [403, 'forbidden', 4],
    [404, 'not_found', 3],
    [409, 'idempotency_conflict', 7],
    [422, 'bad', 6],
    [429, 'rate_limited', 75],
    [500, 'internal', 75],
  ])('%i %s: %i', async (status, error, code) => {
    const reply = { ...refusal(status, error), headers: { 'retry-after': '60' } } as Reply;
    // Whether a 500 was an acquisition all the same is asked for.
    const more = status === 500 ? [IN_PROGRESS] : [];
    const stub = await startStub(reply, ...more, reply, ...more);
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
    expect(await run(['lease', 'k'], { env })).toMatchObject({ code, stdout: '' });
    expect(await run(['lease', 'k', '--json'], { env })).toMatchObject({ code, stdout: '' });
  });
});

test('an acquisition without an answer is unknown: 75, and what the key is now', async () => {
  const hangUp: Reply = (_, response) => void response.socket?.destroy();
  const stub = await startStub(hangUp, IN_PROGRESS);
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  const { code, stderr } = await run(['lease', 'k'], { env });
  expect(code).toBe(75);
  expect(stderr).toMatch(
    /Whether it acquired is unknown; the key is now in progress for 1m 30s more\./,
  );
});

test('an answer that breaks the contract: 76, with the field and what was expected', async () => {
  const reply: Reply = { status: 200, body: { ...STATE, ttl_left: 'soon' } };
  const stub = await startStub(reply, reply);
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  const text = await run(['status', 'k'], { env });
  expect(text).toMatchObject({ code: 76, stdout: '' });
  expect(text.stderr).toMatch(/breaks the contract: ttl_left: .*expected number, received string/);
  const json = await run(['status', 'k', '--json'], { env });
  expect(json).toMatchObject({ code: 76, stdout: '' });
  expect(JSON.parse(json.stderr).error).toMatchObject({ code: 'bad_response', retryable: false });
});

test('large numbers arrive as they were sent', async () => {
  const body =
    '{"ok":true,"status":"completed","key":"k","result":{"n":12345678901234567890,"x":1.0}}';
  const stub = await startStub({ status: 200, body });
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  expect((await run(['result', 'k', '--json'], { env })).stdout).toBe(`${body}\n`);
});

test('a service that blocks a tool call: 4, and why', async () => {
  const body = { ok: true, allowed: false, decision: 'blocked', policy_reason: 'over budget' };
  const executed = { ok: true, allowed: true, decision: 'executed', result: { sent: true } };
  const stub = await startStub({ status: 200, body }, { status: 200, body: executed });
  const { run, json } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  const args = ['run', '--agent', 'a', '--tool', 't', '--args', '{"x": 1}', '--spend', '0.5'];
  const blocked = await run(args, { env });
  expect(blocked.code).toBe(4);
  expect(blocked.stdout).toContain('Decision\tblocked\nAllowed\tno\nReason\tover budget\n');
  expect(blocked.stderr).toContain('a may not call t (blocked): over budget.');
  expect(await json(args, { env })).toEqual(executed);
  expect(JSON.parse(stub.seen[0]?.body ?? '')).toEqual({
    agent_id: 'a',
    tool: 't',
    args: { x: 1 },
    spend_usd: 0.5,
  });
});
