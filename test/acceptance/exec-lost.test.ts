import { describe, expect, test } from 'vitest';
import { createExecHost, processState, until, watchdogOf } from '../support/exec-host.ts';
import { expectDeadBefore, lastTick, STUBBORN, script, ticksOf } from '../support/exec-journal.ts';
import { SERVED, serveWork } from '../support/exec-service.ts';
import { SERVICES, stored } from '../support/exec-services.ts';

const KEY = ['exec', 'k', '--ttl', '3s'];

describe.each(SERVED)('a lease of %s whose service does not answer any more', (name) => {
  test('is lost: 14, and nothing works before it ends', async () => {
    const host = createExecHost();
    const service = await serveWork(name);
    const exec = host.leasectl([...service.words, '--json', '--', ...STUBBORN], service);
    await exec.says(/ready/);
    // Kept at least once, so that it is the renewed end that counts.
    const { version = 0 } = service.stored() ?? {};
    await until(() => Number(service.stored()?.version) > version, 'a renewal');
    service.hang();
    const { code, stdout, stderr } = await exec.outcome;
    const ended = Date.now();
    expect({ code, stdout: stdout.replace(/\d+/, 'N') }).toEqual({ code: 14, stdout: 'ready N\n' });
    const { expiresAt = 0, ending } = service.stored() ?? {};
    expectDeadBefore(host, expiresAt);
    expect(ended).toBeLessThan(expiresAt);
    expect(ending).toBeNull();
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-4)).toMatchObject({ event: 'lost', code: 'lease_lost' });
    expect(events.slice(-3)).toMatchObject([
      { event: 'child_exit', code: null, signal: 'SIGKILL' },
      { event: 'finished', status: 'lost', exit_code: 14 },
      { error: { code: 'lease_lost', retryable: false } },
    ]);
    // Nothing was said of an end.
    expect(service.asked.join()).not.toMatch(/complete|submit|fail|cancel/);
    expect(host.workFiles()).toEqual([]);
  });
});

describe('a lease that the service says is lost', () => {
  test('because another process finished it: the command is stopped at once, 14', async () => {
    const host = createExecHost();
    const line = 'trap "echo stopped; exit 0" TERM; echo ready; tick child';
    const exec = host.leasectl([...KEY, '--', ...script(line)]);
    await exec.says(/ready/);
    const begun = performance.now();
    await host.json(['complete', 'k', '--result', '{"by": "another"}']);
    const { code, stdout, stderr } = await exec.outcome;
    // After a third of the lease's time it is renewed.
    expect(performance.now() - begun).toBeLessThan(2_500);
    expect({ code, stdout }).toEqual({ code: 14, stdout: 'ready\nstopped\n' });
    expect(stderr).toMatch(/^Error: The lease on k is lost: the command was stopped\. /);
    expect(stored(host, 'k')).toMatchObject({ ending: 'complete', result: { by: 'another' } });
  });

  test('because the command itself canceled it: 7, for its result cannot be stored', async () => {
    const host = createExecHost();
    const line = 'leasectl cancel k && echo \'{"a": 1}\' > "$LEASECTL_RESULT_FILE"';
    const { code, stderr } = await host.run(['exec', 'k', '--shell', '--', line]);
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled' });
    expect({ code, stderr }).toMatchObject({
      code: 7,
      stderr: expect.stringMatching(/refused/),
    });
    expect(stderr).toMatch(/Its result is kept in \/\S+\/result\.json\./);
  });

  test.each([1, 2])(
    'to another holder of a job (%s): 14, and nothing is said for it',
    async (n) => {
      const host = createExecHost();
      const { id, words } = Object(await SERVICES[n]?.add(host, 2));
      const exec = host.leasectl([...words, '--', 'sh', '-c', 'echo ready $$; exec sleep 60']);
      const command = await exec.says(/ready (\d+)/);
      // While all of leasectl stands still the lease ends, and somebody else comes.
      const guard = await watchdogOf(exec.pid);
      for (const pid of [exec.pid, guard]) process.kill(pid, 'SIGSTOP');
      const claim = [
        ['jobs', 'claim', id],
        ['runner-jobs', 'lease', '--runner-id', 'x'],
      ][n - 1];
      await until(async () => (await host.run(claim ?? [])).code === 0, 'another holder');
      for (const pid of [exec.pid, guard]) process.kill(pid, 'SIGCONT');
      expect((await exec.outcome).code).toBe(14);
      expect(processState(command)).toBeUndefined();
      expect(stored(host, id)).toMatchObject({ ending: null, leases: 2 });
    },
  );
});

describe('when the command is over', () => {
  test('what it left running is ended, too, and only then is the lease', async () => {
    const host = createExecHost();
    const line = 'trap "" TERM; (tick grandchild) & sleep 0.2; exit 4';
    const outcome = await host.run([...KEY, '--', ...script(line)]);
    const ended = Date.now();
    expect(outcome).toMatchObject({ code: 4, stderr: '' });
    expect(ticksOf(host, 'grandchild').length).toBeGreaterThan(3);
    expect(lastTick(host, 'grandchild')).toBeLessThan(ended);
    expect(stored(host, 'k')).toMatchObject({ ending: 'fail exit:4' });
    const { stdout } = await host.run(['status', 'k', '--json']);
    // In whole seconds.
    const done = Date.parse(JSON.parse(stdout).done_at);
    expect(lastTick(host, 'grandchild')).toBeLessThan(done + 1_000);
  });

  test('what it left in another process group of its session is ended, too', async () => {
    const host = createExecHost();
    const line = 'set -m; (trap "" TERM; tick grandchild) & sleep 0.2; exit 4';
    expect((await host.run([...KEY, '--', ...script(line)])).code).toBe(4);
    const ended = Date.now();
    expect(ticksOf(host, 'grandchild').length).toBeGreaterThan(3);
    expect(lastTick(host, 'grandchild')).toBeLessThan(ended);
  });

  test('what it left running gets to end by itself', async () => {
    const host = createExecHost();
    const line = '(trap "sleep 0.2; echo 1 >$HOME/done; exit" TERM; tick child) & sleep 0.2';
    expect((await host.run([...KEY, '--', ...script(line)])).code).toBe(0);
    expect(ticksOf(host, 'done')).toHaveLength(1);
  });
});
