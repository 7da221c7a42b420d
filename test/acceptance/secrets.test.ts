import { describe, expect, test } from 'vitest';
import { buildVariant } from '../support/build-variant.ts';
import { bearer, CANARY, HANDLE, refusal, STATE } from '../support/hosted-answers.ts';
import { createSandbox, temporaryDirectory } from '../support/sandbox.ts';
import { closedUrl, type Reply, startStub } from '../support/stub-server.ts';

test('debug output cannot act on the terminal either', async () => {
  const stub = await startStub(refusal(403, 'forbidden', 'a\u001b]52;c;cm0=\u0007b'));
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't', LEASECTL_DEBUG: '1' };
  const { stderr } = await run(['status', 'k'], { env });
  expect(stderr).toMatch(/^\s+at /m);
  expect(stderr.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('a token is sent without the line break that came with it, and is not shown either', async () => {
  const echo = refusal(401, 'invalid_api_key', `no such key: ${CANARY}`);
  const stub = await startStub(echo);
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: ` ${CANARY}\r\n` };
  const { code, stderr } = await run(['status', 'k'], { env });
  expect(code).toBe(4);
  expect(stderr).toContain('no such key: *** (onceonly 401 invalid_api_key)');
  expect(stub.seen).toMatchObject([bearer(CANARY)]);
});

test('a secret that a service puts into its answer is not in the table', async () => {
  const body = { ...STATE, status: 'failed', error_code: `used ${CANARY}` };
  const stub = await startStub({ status: 200, body });
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY };
  expect((await run(['status', 'k'], { env })).stdout).toContain('Error\tused ***\n');
});

describe('no secret is shown', () => {
  const echo = `the key ${CANARY} is not known, nor ${HANDLE}`;

  test.each<[string, Reply[]]>([
    ['a refusal that quotes it', [refusal(401, 'invalid_api_key', echo)]],
    ['an error page that quotes it', [{ status: 403, body: `<html>${echo}</html>` }]],
    ['an answer that breaks the contract', [{ status: 200, body: echo }]],
    [
      'a redirect that quotes it',
      [{ status: 302, headers: { location: `https://x/?k=${CANARY}` } }],
    ],
  ])('%s', async (_, replies) => {
    const stub = await startStub(...replies, ...replies);
    const { run } = createSandbox();
    const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: CANARY, LEASECTL_DEBUG: '1' };
    for (const more of [[], ['--json']]) {
      const args = ['extend', 'k', '--lease-id', '-', ...more];
      const { code, stdout, stderr } = await run(args, { env, input: HANDLE });
      expect(code).not.toBe(0);
      expect(stdout + stderr).not.toContain(CANARY);
      expect(stdout + stderr).not.toContain(HANDLE);
      expect(stderr).toMatch(/\*\*\*|characters of/);
    }
  });

  test('when the service cannot be reached', async () => {
    const { run } = createSandbox();
    const env = { LEASECTL_URL: await closedUrl(), LEASECTL_TOKEN: CANARY, LEASECTL_DEBUG: '1' };
    const { code, stderr } = await run(['status', 'k', '--timeout', '1'], { env });
    expect(code).toBe(75);
    expect(stderr).toMatch(/^\s+at /m);
    expect(stderr).not.toContain(CANARY);
  });
});

test('what a service says cannot act on the terminal', async () => {
  const nasty = '\u001b]52;c;cm0=\u0007\u001b[2J\u009b31m\u202egnp';
  const body = { ...STATE, status: 'failed', error_code: nasty, result: { [nasty]: nasty } };
  const stub = await startStub(
    { status: 200, body },
    { status: 200, body },
    { status: 200, body },
    { status: 200, body },
    refusal(403, 'forbidden', nasty),
    refusal(403, 'forbidden', nasty),
  );
  const { run } = createSandbox();
  const env = { LEASECTL_URL: stub.url, LEASECTL_TOKEN: 't' };
  for (const command of ['status', 'result', 'result --raw', 'status --json']) {
    const { stdout } = await run([...command.split(' '), 'k'], { env });
    expect(stdout.replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
    if (command.includes('--json')) expect(JSON.parse(stdout)).toEqual(body);
  }
  for (const more of [[], ['--json']]) {
    const { stderr } = await run(['status', 'k', ...more], { env });
    expect(stderr.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  }
});

test('no secret is in the words of what fails after a command', async () => {
  const module = 'src/commands/capabilities.ts';
  const bin = await buildVariant(temporaryDirectory(), module, 'failing-end.ts');
  const env = { LEASECTL_DEBUG: '1' };
  const { code, stderr } = await createSandbox().run(['capabilities'], { bin, env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/the end of \*\*\*.*because of \*\*\*/s);
  expect(stderr).not.toContain('canary');
});
