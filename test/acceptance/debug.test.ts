import { describe, expect, test } from 'vitest';
import { ACQUIRED, CANARY, HANDLE, STATE } from '../support/hosted-answers.ts';
import { createSandbox } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

const HTTP = { LEASECTL_DEBUG: 'http' };
const hosted = (url: string, debug = 'http') => ({
  LEASECTL_URL: url,
  LEASECTL_TOKEN: CANARY,
  LEASECTL_DEBUG: debug,
});

describe('LEASECTL_DEBUG=http', () => {
  test('shows a request and its answer, and no secret', async () => {
    const stub = await startStub(ACQUIRED);
    const { run } = createSandbox();
    const request = ['lease', 'k', '--ttl', '60s', '--no-context', '--json'];
    const { code, stdout, stderr } = await run(request, { env: hosted(stub.url) });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ lease_id: HANDLE });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.every((line) => /^[<>]( |$)/.test(line))).toBe(true);
    expect(stderr).toContain(`> POST ${stub.url}/v1/ai/lease (#1)\n`);
    expect(stderr).toContain('\n> authorization: Bearer ***\n');
    expect(stderr).toContain('\n> idempotency-key: ');
    expect(stderr).toContain('\n>\n> {\n>   "key": "k",\n>   "ttl": 60\n> }\n');
    expect(stderr).toMatch(/^< 200 OK \(#1, \d+ ms\)$/m);
    expect(stderr).toContain('\n<   "lease_id": "***",\n');
    expect(stderr).not.toMatch(/canary/);
  });

  test('shows every attempt, and what became of those without an answer', async () => {
    const hangUp: Reply = (_, response) => void response.socket?.destroy();
    const busy: Reply = { status: 503, headers: { 'retry-after': '0' }, body: 'later' };
    const stub = await startStub(hangUp, busy, { status: 200, body: STATE });
    const { run } = createSandbox();
    const { code, stderr } = await run(['status', 'k'], { env: hosted(stub.url) });
    expect(code).toBe(0);
    const heads = stderr
      .match(/^([*<]|> GET) .*\(#.*$/gm)
      ?.map((line) => line.replace(/\d+ ms/, ''));
    expect(heads).toEqual([
      `> GET ${stub.url}/v1/ai/status?key=k (#1)`,
      '* no answer: ECONNRESET (#1, )',
      `> GET ${stub.url}/v1/ai/status?key=k (#2, attempt 2)`,
      '< 503 Service Unavailable (#2, )',
      `> GET ${stub.url}/v1/ai/status?key=k (#3, attempt 3)`,
      '< 200 OK (#3, )',
    ]);
  });

  test('shows what the embedded service is asked', async () => {
    const { run } = createSandbox();
    await run(['lease', 'k', '--ttl', '60s']);
    const { stderr } = await run(['complete', 'k', '--result', '{"password":"canary-1"}'], {
      env: HTTP,
    });
    expect(stderr).toContain('> POST local:/v1/ai/complete (#1)\n');
    expect(stderr).toContain('"lease_id": "***"');
    expect(stderr).toContain('"password": "***"');
    expect(stderr).toMatch(/^< 200 OK /m);
    expect(stderr).not.toMatch(/lease_[0-9a-f]{8}|canary/);
    const claim = await run(['jobs', 'list'], { env: HTTP });
    expect(claim.stderr).toContain('> GET local:/api/v1/jobs (#1)\n');
  });

  test('keeps the events of exec on lines of their own', async () => {
    const { run } = createSandbox();
    const { code, stdout, stderr } = await run(
      ['exec', 'k', '--ttl', '60s', '--json', '--', 'echo', 'hello'],
      { env: HTTP },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello\n' });
    const [traced, others] = [/^[<>*]( |$)/, /^\{.*\}$/];
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => !traced.test(line) && !others.test(line))).toEqual([]);
    const events = lines.filter((line) => others.test(line)).map((line) => JSON.parse(line));
    expect(events.length).toBeGreaterThan(1);
    expect(stderr).toContain('> POST local:/v1/ai/complete (#2)');
  });

  test('cuts what is long, and acts on no terminal', async () => {
    const nasty = '\u001b]52;c;cm0=\u0007\u202e';
    const body = { ...STATE, error_code: nasty, more: 'x'.repeat(100_000) };
    const stub = await startStub({ status: 200, headers: { 'x-own': 'a\u009bb' }, body });
    const { run } = createSandbox();
    const { code, stderr } = await run(['status', 'k'], { env: hosted(stub.url) });
    expect(code).toBe(0);
    expect(stderr.length).toBeLessThan(12_000);
    expect(stderr).toMatch(/^< … \(of \d{6} characters in all\)$/m);
    expect(stderr).toContain('\\u001b]52');
    expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

test.each([
  ['http', false, true],
  ['1', true, false],
  ['1,http', true, true],
  ['http, 1', true, true],
  ['', false, false],
  ['0', false, false],
  ['https', false, false],
])('LEASECTL_DEBUG=%s: stacks %j, requests %j', async (debug, hasStack, hasRequests) => {
  const env = hosted(await closedUrl(), debug);
  const { code, stderr } = await createSandbox().run(['status', 'k', '--timeout', '1s'], { env });
  expect(code).toBe(75);
  expect(/^\s+at /m.test(stderr)).toBe(hasStack);
  expect(/^> GET/m.test(stderr)).toBe(hasRequests);
  expect(stderr).not.toContain(CANARY);
});
