import { describe, expect, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';

/** What is told of the lease, once it is so. */
async function becomes(host: ReturnType<typeof createExecHost>, expected: object): Promise<void> {
  let told: unknown;
  await until(async () => {
    [told] = [await host.json(['ls'])].flat();
    try {
      expect(told).toMatchObject(expected);
      return true;
    } catch {
      return undefined;
    }
  }, JSON.stringify(expected));
}

describe('the process that holds a lease', () => {
  test('runs, is suspended, and is gone; or is none', async () => {
    const host = createExecHost();
    await host.json(['lease', 'by-hand', '--ttl', '1h']);
    const exec = host.leasectl([
      'exec',
      'k',
      '--ttl',
      '30s',
      '--',
      'sh',
      '-c',
      'echo ready; sleep 60',
    ]);
    await exec.says(/ready/);
    await becomes(host, { id: 'k', diagnosis: 'healthy', holder: { process: 'running' } });
    exec.kill('SIGSTOP');
    await becomes(host, { id: 'k', diagnosis: 'suspended', stuck: true });
    exec.kill('SIGKILL');
    await becomes(host, { id: 'k', diagnosis: 'gone', holder: { process: 'gone' } });
    expect(await host.json(['ls', '--stuck'])).toMatchObject([{ id: 'k' }]);
    expect(await host.json(['ls', '--offline', '--stuck'])).toMatchObject([{ id: 'k' }]);
    expect(await host.json(['ls', '--sort', 'taken'])).toMatchObject([
      { id: 'by-hand', stuck: false, holder: { process: null, command: 'lease' } },
      { id: 'k', holder: { command: 'exec' } },
    ]);
  });
});
