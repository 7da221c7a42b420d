import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';
import { SERVED, serveWork } from '../support/exec-service.ts';
import { SERVICES, stored } from '../support/exec-services.ts';
import { hostedExec, refused } from '../support/exec-stub.ts';
import { hangUp } from '../support/hosted-client.ts';
import type { Reply } from '../support/stub-server.ts';

const numberOf = (signal: NodeJS.Signals) => constants.signals[signal];

describe('a signal that comes before there is a command', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    '%s ends a wait at once, and nothing is leased',
    async (signal) => {
      const host = createExecHost();
      await host.json(['lease', 'k']);
      const before = stored(host, 'k');
      const words = ['exec', 'k', '--wait', '1h', '--json', '--', 'echo', 'ran'];
      const exec = host.leasectl(words);
      await until(() => exec.stderr().includes('"waiting"'), 'it to wait');
      const begun = performance.now();
      exec.kill(signal);
      const { code, stdout } = await exec.outcome;
      expect({ code, stdout }).toEqual({ code: 128 + numberOf(signal), stdout: '' });
      expect(performance.now() - begun).toBeLessThan(1_000);
      expect(stored(host, 'k')).toEqual(before);
    },
  );

  test.each(SERVED)('gives back what %s grants afterwards', async (name) => {
    const host = createExecHost();
    const service = await serveWork(name, 60);
    const release = service.holdUp();
    const exec = host.leasectl([...service.words, '--', 'echo', 'ran'], service);
    await until(() => service.asked.some((path) => /lease|claim/.test(path)), 'the request');
    exec.kill('SIGTERM');
    release();
    expect(await exec.outcome).toMatchObject({ code: 143, stdout: '', stderr: '' });
    const ending = { onceonly: 'cancel canceled:SIGTERM', retaia: null, askui: 'cancel canceled' };
    expect(service.stored()).toMatchObject({ ending: ending[name], leases: 1 });
    expect(service.stored()?.expiresAt).toBeLessThan(Date.now() + (name === 'retaia' ? 0 : 61_000));
    expect(host.held()).toEqual([]);
  });

  test('ends a request that is never answered in less than five seconds', async () => {
    const host = createExecHost();
    const service = await serveWork('onceonly', 60);
    service.hang();
    const exec = host.leasectl([...service.words, '--', 'echo', 'ran'], service);
    await until(() => service.asked.length > 0, 'the request');
    const begun = performance.now();
    exec.kill('SIGINT');
    expect(await exec.outcome).toMatchObject({ code: 130, stdout: '' });
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test.each(SERVICES)('gives back a lease on $name that was just taken', async (service) => {
    const host = createExecHost();
    const { id, words } = await service.add(host);
    const exec = host.leasectl([...words, '--json', '--', 'sleep', '60']);
    // Told as soon as the lease is there, and before the command is started.
    exec.child.stderr?.once('data', () => exec.kill('SIGTERM'));
    const { code, signal } = await exec.outcome;
    expect({ code, signal }).toEqual({ code: 143, signal: null });
    const canceled = service.canceled?.replace('SIGINT', 'SIGTERM') ?? null;
    expect(stored(host, id)).toMatchObject({ ending: canceled, leases: 1 });
    expect(host.held()).toEqual([]);
  });
});

test('another signal while the lease is given back changes nothing', async () => {
  const host = createExecHost();
  const service = await serveWork('onceonly', 60);
  const line = 'echo ready; exec sleep 60';
  const exec = host.leasectl([...service.words, '--', 'sh', '-c', line], service);
  await exec.says(/ready/);
  service.hang();
  const begun = performance.now();
  exec.kill('SIGINT');
  await until(() => service.asked.some((path) => path.endsWith('cancel')), 'the end');
  exec.kill('SIGINT');
  const { code, signal, stderr } = await exec.outcome;
  expect({ code, signal }).toEqual({ code: 130, signal: null });
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(stderr).toMatch(/^Warning: whether the lease was canceled is unknown/);
});

test.each<[string, Reply, RegExp]>([
  ['is refused', refused, /^$/],
  ['is lost', hangUp, /^Warning: whether the lease was taken is unknown; /],
])('a signal ends an acquisition whose answer %s then', async (_, reply, told) => {
  let answer = (): void => undefined;
  const late: Reply = (request, response) => {
    answer = () => {
      if (typeof reply === 'function') return reply(request, response);
      response.writeHead(reply.status).end(JSON.stringify(reply.body));
    };
  };
  const { stub, exec } = await hostedExec('onceonly', 60, { lease: late });
  const running = exec([], 'echo', 'ran');
  await until(() => stub.to('lease').length > 0, 'the lease is asked for');
  running.kill('SIGTERM');
  // The signal is seen first: it is on its way already.
  setTimeout(() => answer(), 300);
  const { code, stdout, stderr } = await running.outcome;
  expect({ code, stdout }).toEqual({ code: 143, stdout: '' });
  expect(stderr).toMatch(told);
});
