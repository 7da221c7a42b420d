import { describe, expect, test } from 'vitest';
import { STATUS } from '../support/hosted-client.ts';
import { createSandbox } from '../support/sandbox.ts';
import { type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

const ok = (body: object): Reply => ({ status: 200, body });
const IN_PROGRESS = ok({ ...STATUS, retry_after_sec: 1 });
const COMPLETED = { ...STATUS, status: 'completed', ttl_left: null, retry_after_sec: null };
const RESULT = { ...COMPLETED, result: { a: 1 } };

const hosted = (url: string) => ({ LEASECTL_URL: url, LEASECTL_TOKEN: 'canary' });

describe('wait', () => {
  test('ends with 0 and the result when the work is completed', async () => {
    const { json, start, run } = createSandbox();
    await json(['lease', 'k', '--ttl', '1m']);
    const waiting = start(['wait', 'k', '--raw', '--interval', '1s']);
    const ended = new Promise<[string, number | null]>((resolve) => {
      let stdout = '';
      waiting.stdout?.on('data', (chunk) => {
        stdout += chunk;
      });
      waiting.on('close', (code) => resolve([stdout, code]));
    });
    await json(['complete', 'k', '--result', '{"a": 1}']);
    expect(await ended).toEqual(['{"a":1}\n', 0]);
    const { stdout } = await run(['wait', 'k']);
    expect(stdout).toContain('Status\tcompleted\n');
    expect(await json(['wait', 'k'])).toMatchObject({ status: 'completed', result: { a: 1 } });
  });

  test.each([
    ['failed', ['fail', 'k', '--error-code', 'exit:3'], 'exit:3'],
    ['canceled', ['cancel', 'k', '--reason', 'user'], 'canceled:user'],
  ])('ends with 8 when the work is %s, and shows how', async (_, end, error) => {
    const { json, run } = createSandbox();
    await json(['lease', 'k']);
    await json(end);
    const { code, stdout, stderr } = await run(['wait', 'k']);
    expect(code).toBe(8);
    expect(stdout).toContain(`Error\t${error}\n`);
    expect(stderr).toContain(`Error: The work on k has failed (${error}).\n`);
    const told = await run(['wait', 'k', '--json']);
    expect(told).toMatchObject({ code: 8, stderr: '' });
    expect(JSON.parse(told.stdout)).toMatchObject({ status: 'failed', error_code: error });
  });

  test.each([
    ['is in progress', ['--ttl', '1m']],
    ['is not leased yet', undefined],
  ])('ends with 10 when the time is over and the key %s', async (words, lease) => {
    const { json, run } = createSandbox();
    if (lease) await json(['lease', 'k', ...lease]);
    const { code, stdout, stderr } = await run(['wait', 'k', '--timeout', '1s']);
    expect({ code, stdout }).toEqual({ code: 10, stdout: '' });
    expect(stderr).toContain(`Error: k ${words}. It was waited for 1s.\n`);
  });

  test('goes on when a lease ran out, until somebody else has done the work', async () => {
    const expired = { ...STATUS, status: 'failed', error_code: 'expired', retry_after_sec: null };
    const stub = await startStub(ok(expired), IN_PROGRESS, ok(COMPLETED), ok(RESULT));
    const { run } = createSandbox();
    const { code, stdout } = await run(['wait', 'k', '--raw'], { env: hosted(stub.url) });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"a":1}\n' });
  });

  test('asks again when the service wants it, and not sooner', async () => {
    const times: number[] = [];
    const timed =
      (body: object): Reply =>
      (_, response) => {
        times.push(performance.now());
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
    const later = { ...STATUS, retry_after_sec: 2 };
    const stub = await startStub(timed(later), timed(COMPLETED), timed(RESULT));
    const { run } = createSandbox();
    const args = ['wait', 'k', '--interval', '1s'];
    expect((await run(args, { env: hosted(stub.url) })).code).toBe(0);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThan(1_990);
  });

  test('says once in a pipe what it waits for, after two seconds', async () => {
    const { json, run } = createSandbox();
    await json(['lease', 'k', '--ttl', '1m']);
    const { stderr } = await run(['wait', 'k', '--timeout', '4s', '--interval', '1s']);
    expect(stderr.match(/Waiting: k is in progress\./g)).toHaveLength(1);
  });

  test('waits for a service that is out of reach, and keeps its time where that is silent', async () => {
    const failing: Reply = { status: 503 };
    const stub = await startStub(failing, ok(COMPLETED), ok(RESULT));
    const { run } = createSandbox();
    expect((await run(['wait', 'k'], { env: hosted(stub.url) })).code).toBe(0);
    const silent = await startLastingStub(() => undefined);
    const begun = performance.now();
    const args = ['wait', 'k', '--timeout', '2s'];
    expect((await run(args, { env: hosted(silent.url) })).code).toBe(10);
    expect(performance.now() - begun).toBeLessThan(8_000);
  });

  test('does not wait where it may not look', async () => {
    const stub = await startStub({ status: 401, body: { detail: { error: 'invalid_api_key' } } });
    const { run } = createSandbox();
    expect((await run(['wait', 'k'], { env: hosted(stub.url) })).code).toBe(4);
  });
});
