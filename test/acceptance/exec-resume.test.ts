import { describe, expect, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';
import { HANDLE, hostedExec, ID, KINDS, refused, resultFor } from '../support/exec-stub.ts';
import { hangUp } from '../support/hosted-client.ts';
import { keyOf } from '../support/hosted-jobs.ts';
import type { Reply } from '../support/stub-server.ts';

/** How the message says that what was not answered can be said again. */
const AGAIN = {
  onceonly: "leasectl complete 'it'\\''s one' --resume",
  retaia: "leasectl jobs submit 'it'\\''s one' --resume",
  askui: "leasectl runner-jobs complete 'it'\\''s one' --status PASSED",
};

test('when no answer comes to the end: 75, and --resume says the very same again', async () => {
  await Promise.all(
    KINDS.map(async ({ name, finish, replies }) => {
      const { stub, host, exec } = await hostedExec(name, 3, { [finish]: hangUp });
      const { code, stderr } = await exec([], 'sh', '-c', resultFor(name)).outcome;
      expect({ code, stderr }).toMatchObject({ code: 75 });
      expect(stderr).toContain('it is not known whether');
      expect(stderr).toContain(`${AGAIN[name]}\n`);
      expect(stderr).not.toContain(HANDLE);
      expect(host.held()).toEqual([ID]);
      const isKept = () => host.workFiles().some((file) => file.endsWith('result.json'));
      expect(isKept()).toBe(name !== 'askui');
      const before = stub.to(finish);
      expect(before.length).toBeGreaterThan(1);

      const lost = await host.bash(`${AGAIN[name]} --timeout 1s`, stub).outcome;
      expect(lost.code).toBe(75);
      expect(isKept()).toBe(name !== 'askui');
      stub.set(finish, replies[finish] ?? hangUp);
      expect(await host.bash(AGAIN[name], stub).outcome).toMatchObject({ code: 0, stderr: '' });
      const all = stub.to(finish);
      expect(all.length).toBeGreaterThan(before.length + 1);
      expect(new Set(all.map(({ url, body }) => url + body)).size).toBe(1);
      expect(new Set(all.map(keyOf)).size).toBe(1);
      expect(keyOf(all[0]) !== undefined).toBe(name === 'retaia');
      expect(host.held()).toEqual([]);
      expect(host.workFiles()).toEqual([]);
    }),
  );
});

test('when no answer comes to a failure the message says how to repeat it', async () => {
  const key = "leasectl fail 'it'\\''s one' --error-code exit:3";
  const job = "leasectl jobs fail 'it'\\''s one' --error-code exit:3";
  const runnerJob = "leasectl runner-jobs complete 'it'\\''s one' --status FAILED";
  const cases = [
    ['onceonly', [], key],
    ['retaia', [], job],
    ['retaia', ['--retryable-exit', '3'], `${job} --retryable`],
    ['askui', [], runnerJob],
  ] as const;
  await Promise.all(
    cases.map(async ([name, flags, again]) => {
      const endpoint = name === 'askui' ? 'complete' : 'fail';
      const { stub, host, exec, replies } = await hostedExec(name, 3, { [endpoint]: hangUp });
      const { code, stderr } = await exec(flags, 'sh', '-c', 'exit 3').outcome;
      expect({ code, stderr }).toMatchObject({ code: 75 });
      expect(stderr).toContain('The command ended with 3, but it is not known');
      expect(stderr).toContain(`${again}\n`);
      stub.set(endpoint, replies[endpoint] ?? hangUp);
      expect((await host.bash(again, stub).outcome).code).toBe(0);
      expect(new Set(stub.to(endpoint).map(({ url, body }) => url + body)).size).toBe(1);
      expect(new Set(stub.to(endpoint).map(keyOf)).size).toBe(1);
      expect(host.held()).toEqual([]);
    }),
  );
});

test('there is nothing to resume where nothing waits to be finished: 2', async () => {
  const host = createExecHost();
  await host.json(['lease', 'k']);
  const { code, stdout } = await host.run(['complete', 'k', '--resume']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(host.held()).toEqual(['k']);
});

describe('an end that is refused', () => {
  test('by a token that ran out: 4, and the handle and the result are kept', async () => {
    const { stub, host, exec, replies } = await hostedExec('onceonly', 3, { complete: refused });
    const { code, stderr } = await exec([], 'sh', '-c', resultFor('onceonly')).outcome;
    expect(code).toBe(4);
    expect(stderr).toMatch(/refused .* Its result is kept in \/\S+\.\n/);
    stub.set('complete', replies['complete'] ?? hangUp);
    const again = await host.run(['complete', ID, '--resume'], stub);
    expect(again.code).toBe(0);
    expect(JSON.parse(stub.to('complete').at(-1)?.body ?? '')).toMatchObject({
      result: { pages: 3 },
    });
  });

  test('because the lease is gone: 14, and never a second time', async () => {
    const gone: Reply = { status: 409, body: { detail: { error: 'lease_expired', message: 'x' } } };
    const { stub, host, exec } = await hostedExec('onceonly', 60, { complete: gone });
    const { code, stderr } = await exec([], 'sh', '-c', resultFor('onceonly')).outcome;
    expect(code).toBe(14);
    expect(stderr).toMatch(/refused .* Its result is kept in \/\S+\.\n/);
    expect(stub.to('complete')).toHaveLength(1);
    expect(host.workFiles().join()).toContain('result.json');
  });
});

test('a signal while its end is recorded: in less than five seconds it is told what is known', async () => {
  const { stub, host, exec } = await hostedExec('onceonly', 60, { complete: () => undefined });
  const running = exec([], 'sh', '-c', resultFor('onceonly'));
  await until(() => stub.to('complete').length > 0, 'the end');
  const begun = performance.now();
  running.kill('SIGTERM');
  const { code, signal, stderr } = await running.outcome;
  expect({ code, signal }).toEqual({ code: 75, signal: null });
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(stderr).toContain('--resume\n');
  expect(host.held()).toEqual([ID]);
});
