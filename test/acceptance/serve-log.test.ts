import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';
import { startServe } from '../support/served.ts';

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** Serves with a stderr that a shell makes. @returns its URL */
async function serveInto(stderr: string): Promise<{ url: string; child: ChildProcess }> {
  const script = `exec "$0" "$@" ${stderr}`;
  const args = ['-c', script, process.execPath, BIN, 'serve', '--port', '0'];
  const child = spawn('bash', args, { env: createSandbox().env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { url: /http:\S+/.exec(String(line))?.[0] ?? '', child };
}

test.each([
  ['on a full disk', '2>/dev/full'],
  ['that nobody reads', '2> >(exec sleep 1000)'],
  ['that nobody has open any more', '2> >(exec true)'],
])('a log %s holds up nobody, nor the end', async (_, stderr) => {
  const { url, child } = await serveInto(stderr);
  for (let round = 0; round < 12; round++) {
    const asked = Array.from({ length: 50 }, () => fetch(`${url}/nothing/${'x'.repeat(9)}`));
    for (const answer of await Promise.all(asked)) expect(answer.status).toBe(404);
  }
  const begun = performance.now();
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test('SIGHUP is no end where there is no certificate to read again', async () => {
  const served = await startServe(createSandbox());
  served.kill('SIGHUP');
  await served.log('there is no certificate to read again');
  expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
});
