import { describe, expect, test } from 'vitest';
import { createExecHost, processState, until } from '../support/exec-host.ts';
import { expectDeadBefore, STUBBORN, script, ticksOf } from '../support/exec-journal.ts';
import { SERVED, serveWork } from '../support/exec-service.ts';
import { SERVICES, stored } from '../support/exec-services.ts';

const KEY = ['exec', 'k', '--'];

/** What is said when a signal came, with what that means for who wants to try again. */
const stopped = (signal: string, after = 'That ends k for good: to try again, name it anew.') =>
  `The command was stopped by ${signal}. ${after}\n`;
const AFTER: Readonly<Record<string, (id: string) => string>> = {
  onceonly: (id) => `That ends ${id} for good: to try again, name it anew.`,
  retaia: () => 'Others may have the job now.',
  askui: (id) => `That ends job ${id} for good.`,
};

/** Ends with this code half a second after the first signal of this name, and tells how many came. */
const counting = (signal: NodeJS.Signals, code: number) => {
  const name = signal.slice(3);
  const wait = 'until ((count)); do nap 0.02; done; for i in {1..10}; do nap 0.05; done';
  return script(`trap "((count++))" ${name}; echo ready; ${wait}; echo $count; exit ${code}`);
};

describe.each(SERVICES)('a command of $name', (service) => {
  test('that is interrupted: the lease ends as canceled, or the job goes to others', async () => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const exec = host.leasectl([...words, '--', 'sh', '-c', 'echo ready; exec sleep 60']);
    await exec.says(/ready/);
    exec.kill('SIGINT');
    expect(await exec.outcome).toMatchObject({
      code: 130,
      stdout: 'ready\n',
      stderr: stopped('SIGINT', AFTER[service.name]?.(id)),
    });
    expect(stored(host, id)).toMatchObject({ ending: service.canceled });
    expect(host.held()).toEqual([]);
    expect(host.workFiles()).toEqual([]);
    if (service.name !== 'retaia') return;
    expect(await host.json(['jobs', 'list'])).toMatchObject([{ job_id: id, status: 'pending' }]);
  });
});

describe('a signal', () => {
  test.each([
    ['SIGINT', 7, 7],
    ['SIGTERM', 0, 143],
    ['SIGHUP', 0, 129],
    ['SIGQUIT', 3, 3],
  ] as const)(
    '%s comes once, and the code is the command’s: %i, as %i',
    async (signal, own, code) => {
      const host = createExecHost();
      const exec = host.leasectl([...KEY, ...counting(signal, own)]);
      await exec.says(/ready/);
      exec.kill(signal);
      expect(await exec.outcome).toMatchObject({
        code,
        stdout: 'ready\n1\n',
        stderr: stopped(signal),
      });
      expect(stored(host, 'k')).toMatchObject({ ending: `cancel canceled:${signal}` });
    },
  );

  test.each(['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const)(
    '%s is the command’s own affair',
    async (signal) => {
      const host = createExecHost();
      const exec = host.leasectl([...KEY, ...counting(signal, 0)]);
      await exec.says(/ready/);
      exec.kill(signal);
      expect(await exec.outcome).toMatchObject({ code: 0, stdout: 'ready\n1\n', stderr: '' });
      expect(stored(host, 'k')).toMatchObject({ ending: 'complete' });
    },
  );

  test('reaches all of the command’s processes', async () => {
    const host = createExecHost();
    const inner = '(trap "echo inner; exit" TERM; tick grandchild) & trap "wait; exit 9" TERM';
    const exec = host.leasectl([...KEY, ...script(`${inner}; echo ready; tick child`)]);
    await exec.says(/ready/);
    await until(() => ticksOf(host, 'grandchild').length > 0, 'the inner process');
    exec.kill('SIGTERM');
    expect(await exec.outcome).toMatchObject({ code: 9, stdout: 'ready\ninner\n' });
  });

  test('reaches what is in another process group of its session', async () => {
    const host = createExecHost();
    const inner = 'set -m; (trap "echo inner; exit" TERM; tick grandchild) & set +m';
    const line = `${inner}; trap "wait; exit 9" TERM; echo ready; tick child`;
    const exec = host.leasectl([...KEY, ...script(line)]);
    await exec.says(/ready/);
    await until(() => ticksOf(host, 'grandchild').length > 0, 'the inner process');
    exec.kill('SIGTERM');
    expect(await exec.outcome).toMatchObject({ code: 9, stdout: 'ready\ninner\n' });
  });

  test('that comes again kills what does not end', async () => {
    const host = createExecHost();
    const exec = host.leasectl([...KEY, ...STUBBORN]);
    const command = await exec.says(/ready (\d+)/);
    await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
    exec.kill('SIGINT');
    const before = ticksOf(host, 'child').length;
    await until(() => ticksOf(host, 'child').length > before + 3, 'it to go on');
    const begun = Date.now();
    exec.kill('SIGINT');
    expect(await exec.outcome).toMatchObject({ code: 137 });
    expect(Date.now() - begun).toBeLessThan(1_500);
    expectDeadBefore(host, Date.now());
    expect(processState(command)).toBeUndefined();
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGINT' });
  });

  test.each([
    ['three seconds', [], 3_000],
    ['--grace', ['--grace', '1s'], 1_000],
    ['a third of the lease’s time', ['--ttl', '3s'], 1_000],
  ])('kills what does not end within %s', async (_, flags, patience) => {
    const host = createExecHost();
    const exec = host.leasectl(['exec', 'k', ...flags, '--', ...STUBBORN]);
    await exec.says(/ready/);
    await until(() => ticksOf(host, 'grandchild').length > 3, 'the inner process');
    const begun = performance.now();
    exec.kill('SIGTERM');
    expect((await exec.outcome).code).toBe(137);
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(patience - 100);
    expect(took).toBeLessThan(patience + 1_500);
    expect(stored(host, 'k')).toMatchObject({ ending: 'cancel canceled:SIGTERM' });
  });
});

test('with a service that does not answer any more all is over in less than five seconds', async () => {
  const host = createExecHost();
  await Promise.all(
    SERVED.map(async (name) => {
      const service = await serveWork(name, 60);
      const exec = host.leasectl([...service.words, '--', ...STUBBORN], service);
      await exec.says(/ready/);
      service.hang();
      const asked = service.asked.length;
      const begun = performance.now();
      exec.kill('SIGTERM');
      const { code, stderr } = await exec.outcome;
      expect(performance.now() - begun).toBeLessThan(5_000);
      expect(code).toBe(137);
      expect(stderr).toMatch(
        /^Warning: whether the lease was canceled is unknown; if not, it runs/,
      );
      expect(service.asked.length).toBeGreaterThan(asked);
      expect(service.stored()).toMatchObject({ ending: null });
    }),
  );
  // For whoever wants to try again.
  expect(host.held()).toEqual(['work', 'work', 'work']);
});
