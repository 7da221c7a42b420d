import { describe, expect, test } from 'vitest';
import {
  commandLineOf,
  createExecHost,
  processState,
  until,
  watchdogOf,
} from '../support/exec-host.ts';
import { expectDeadBefore, STUBBORN, script, ticksOf } from '../support/exec-journal.ts';
import { stored } from '../support/exec-services.ts';

const KEY = ['exec', 'k', '--ttl', '2s'];

describe('while leasectl itself can do nothing, the watchdog ends the command:', () => {
  test('stopped for longer than the lease lasts, and then 14', async () => {
    const host = createExecHost();
    const exec = host.leasectl([...KEY, '--', ...STUBBORN]);
    const command = await exec.says(/ready (\d+)/);
    exec.kill('SIGSTOP');
    await until(() => processState(exec.pid) === 'T', 'leasectl to stop');
    const { expiresAt = 0 } = stored(host, 'k') ?? {};
    await until(() => processState(command) === undefined, 'the command to be gone');
    await until(() => Date.now() > expiresAt, 'the end of the lease');
    expectDeadBefore(host, expiresAt);
    // Somebody else takes it in the meantime.
    await host.json(['lease', 'k', '--ttl', '1h']);
    exec.kill('SIGCONT');
    expect(await exec.outcome).toMatchObject({
      code: 14,
      stderr: expect.stringMatching(/is lost/),
    });
    expect(stored(host, 'k')).toMatchObject({ ending: null, leases: 2 });
  });

  test('killed', async () => {
    const host = createExecHost();
    const line = 'trap "echo told >$HOME/told; exit" TERM; echo "ready $$"; tick child';
    const exec = host.leasectl([...KEY, '--', ...script(line)]);
    const command = await exec.says(/ready (\d+)/);
    const killed = performance.now();
    exec.kill('SIGKILL');
    await until(() => processState(command) === undefined, 'the command to be gone', 1_000);
    expect(performance.now() - killed).toBeLessThan(1_000);
    expect(ticksOf(host, 'told')).toHaveLength(1);
  });

  test('killed, with a command that does not end by itself', async () => {
    const host = createExecHost();
    const exec = host.leasectl([...KEY, '--', ...STUBBORN]);
    const command = await exec.says(/ready (\d+)/);
    exec.kill('SIGKILL');
    await until(() => processState(command) === undefined, 'the command to be gone');
    const { expiresAt = 0 } = stored(host, 'k') ?? {};
    await until(() => Date.now() > expiresAt, 'the end of the lease');
    expectDeadBefore(host, expiresAt);
  });

  test('killed, just after another watchdog took the place of the one before', async () => {
    const host = createExecHost();
    const exec = host.leasectl([...KEY, '--', ...STUBBORN]);
    const command = await exec.says(/ready (\d+)/);
    const first = await watchdogOf(exec.pid);
    process.kill(first, 'SIGKILL');
    await until(() => processState(first) === undefined, 'the watchdog to be gone');
    const second = await watchdogOf(exec.pid);
    expect(second).not.toBe(first);
    expect(commandLineOf(second)).toContain('guard.js');
    expect(processState(command)).toBeDefined();
    exec.kill('SIGKILL');
    await until(() => processState(command) === undefined, 'the command to be gone');
    const { expiresAt = 0 } = stored(host, 'k') ?? {};
    await until(() => Date.now() > expiresAt, 'the end of the lease');
    expectDeadBefore(host, expiresAt);
  });
});

test('a watchdog that cannot live is told of once, and the command goes on', async () => {
  const host = createExecHost();
  const line = 'trap "exit 6" USR1; echo "ready $$"; tick child';
  const exec = host.leasectl([...KEY, '--', ...script(line)]);
  const command = Number(await exec.says(/ready (\d+)/));
  for (let death = 1; death <= 5; death += 1) {
    const guard = await watchdogOf(exec.pid);
    process.kill(guard, 'SIGKILL');
    await until(() => processState(guard) === undefined, 'the watchdog to be gone');
  }
  await until(() => exec.stderr() !== '', 'a warning');
  process.kill(command, 'SIGUSR1');
  const { code, stderr } = await exec.outcome;
  expect(code).toBe(6);
  expect(stderr).toMatch(/^Warning: the watchdog does not run: [^\n]*\n$/);
});
