import { describe, expect, test } from 'vitest';
import { ACQUIRED, STATUS } from '../support/hosted-client.ts';
import { createSandbox } from '../support/sandbox.ts';
import { type Reply, startStub } from '../support/stub-server.ts';

/*
 * An acquisition whose answer is lost is made again where the service says that it knows it again.
 */

const hangUp: Reply = (_, response) => void response.socket?.destroy();
const KNOWS = { 'leasectl-knows-acquisitions': '1' };

const until = new Date(Date.now() + 60_000).toISOString();
const CLAIMED = { job_id: 'k', status: 'claimed', lock_token: 'lock_1', locked_until: until };
const LEASED = { id: 'k', ack: 'ack_1', status: 'RUNNING', visible: until };

describe.each<[string, string[], Reply, object]>([
  ['lease', ['lease', 'k'], { status: 200, body: STATUS }, ACQUIRED],
  ['jobs claim', ['jobs', 'claim', 'k'], { status: 200, body: [] }, CLAIMED],
  ['runner-jobs lease', ['runner-jobs', 'lease', '--runner-id', 'r'], { status: 404 }, LEASED],
])('%s', (_, args, look, acquired) => {
  const env = (url: string) => ({ LEASECTL_URL: url, LEASECTL_TOKEN: 'canary' });

  test('is found again by its key where the service knows it again', async () => {
    const told = { ...Object(look), headers: KNOWS };
    const stub = await startStub(hangUp, told, { status: 200, body: acquired });
    const { run } = createSandbox();
    const { code, stderr } = await run(args, { env: env(stub.url) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, second, third] = stub.seen;
    expect(second?.method).toBe('GET');
    expect(third).toMatchObject({ method: 'POST', url: first?.url, body: first?.body });
    expect(third?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
  });

  test('is unknown elsewhere, and not made again', async () => {
    const stub = await startStub(hangUp, look);
    const { run } = createSandbox();
    const { code, stderr } = await run(args, { env: env(stub.url) });
    expect(code).toBe(75);
    expect(stderr).toMatch(/Whether it \w+( a job)? is unknown/);
  });
});
