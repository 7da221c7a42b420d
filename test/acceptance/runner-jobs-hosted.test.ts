import { describe, expect, test } from 'vitest';
import { addProfile, createSandbox } from '../support/sandbox.ts';
import { type Reply, startStub } from '../support/stub-server.ts';

const LEASE = ['runner-jobs', 'lease', '--runner-id', 'r'];
const WORKSPACE = '0b5c1f7e-9d1c-4b7e-a1f3-2d6a4f0c9e11';

describe('a server that is not ours', () => {
  const LEASED = { id: 'j', ack: 'canary-ack-1', status: 'RUNNING', visible: 4_070_908_800 };
  const ok = (body: unknown): Reply => ({ status: 200, body });

  async function withServer(...replies: Reply[]) {
    const stub = await startStub(...replies);
    const sandbox = createSandbox();
    await addProfile(sandbox, 'runners', stub.url, 'canary-access', 'askui');
    return { ...sandbox, seen: stub.seen };
  }

  test('gets what it knows: Basic, the token alone, and repeated tags', async () => {
    const { json, seen } = await withServer(ok({ ...LEASED, extra: 1 }), ok(null));
    const flags = ['--tag', 'a b', '--tag', 'c', '--workspace-id', WORKSPACE];
    expect(await json([...LEASE, ...flags])).toEqual({ ...LEASED, extra: 1 });
    const encoded = Buffer.from('canary-access').toString('base64');
    expect(seen[0]).toMatchObject({
      method: 'POST',
      url: `/api/v1/runner-jobs/lease?runner_host=SELF&runner_id=r&workspace_id=${WORKSPACE}&tags=a+b&tags=c`,
      headers: { authorization: `Basic ${encoded}` },
    });
    await expect(json(LEASE)).rejects.toThrow('ended with 12');
  });

  test('may tell moments as seconds, and its answers have fields of their own', async () => {
    const ping = { visible: 4_070_908_800, cancel_job: true, why: 'x' };
    const { json, run, seen } = await withServer(ok(LEASED), ok(ping), ok(ping), { status: 204 });
    const leased = await run(LEASE);
    // By the clock of the server, in whole seconds.
    const until = /Until\t(2098-12-31 23:59:5|2099-01-01 00:00:0)\d/;
    expect(leased.stdout).toMatch(until);
    expect(await json(['runner-jobs', 'ping'])).toEqual(ping);
    expect((await run(['runner-jobs', 'ping', 'j'])).stdout).toMatch(until);
    await json(['runner-jobs', 'complete', 'j', '--status', 'FAILED']);
    expect(seen[1]?.url).toBe('/api/v1/runner-jobs/ping?ack=canary-ack-1');
    expect(seen[3]).toMatchObject({
      url: '/api/v1/runner-jobs/complete?ack=canary-ack-1',
      body: '{"status":"FAILED"}',
    });
  });

  test.each<[string, Reply]>([
    ['404 in its words', { status: 404, body: { detail: 'Not Found' } }],
    ['404 in no words', { status: 404 }],
    ['409', { status: 409, body: { detail: 'taken canary-ack-1' } }],
    ['422', { status: 422, body: { detail: [{ loc: ['query', 'ack'], msg: 'x', type: 'y' }] } }],
  ])('that refuses an ack with %s: the lease is lost, 14', async (_, reply) => {
    const { run } = await withServer(ok(LEASED), reply, reply);
    await run(LEASE);
    for (const call of [['ping'], ['complete', '--status', 'PASSED']]) {
      const { code, stderr } = await run(['runner-jobs', ...call]);
      expect({ code, stderr }).toMatchObject({
        code: 14,
        stderr: expect.stringContaining('Stop what relied on it'),
      });
      expect(stderr).not.toContain('canary-ack');
    }
  });

  test('that refuses a lease with 422 was asked wrongly: 6', async () => {
    const detail = [{ loc: ['query', 'runner_id'], msg: 'No such runner', type: 'x' }];
    const { run } = await withServer({ status: 422, body: { detail } });
    const { code, stderr } = await run(LEASE);
    expect(code).toBe(6);
    expect(stderr).toContain('query.runner_id: No such runner');
  });

  test('that gives no answer to a lease: unknown, 75, and not asked again', async () => {
    const hangUp: Reply = (_, response) => void response.socket?.destroy();
    const { run, seen } = await withServer(hangUp, { status: 405 });
    const { code, stderr } = await run(LEASE);
    expect(code).toBe(75);
    // Any answer would tell whether the service knows an acquisition again.
    expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET']);
    expect(stderr).toContain('Whether it leased a job is unknown.');
  });

  test.each<[string, Reply]>([
    ['nothing', { status: 200 }],
    ['no ack', ok({ ...LEASED, ack: '' })],
    ['a page', { status: 200, body: '<html>' }],
  ])('that answers a lease with %s breaks the contract: 76', async (_, reply) => {
    const { run } = await withServer(reply);
    expect((await run(LEASE)).code).toBe(76);
  });

  test('is found by ASKUI_TOKEN, for its own address and LEASECTL_URL', async () => {
    const stub = await startStub(ok(null));
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, ASKUI_TOKEN: 'canary-vendor' };
    expect((await run(LEASE, { env })).code).toBe(12);
    const encoded = Buffer.from('canary-vendor').toString('base64');
    expect(stub.seen[0]?.headers.authorization).toBe(`Basic ${encoded}`);
  });
});
