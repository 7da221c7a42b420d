import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createSecretStore } from '../../src/secrets/secret-store.ts';
import { buildReader } from '../support/build-reader.ts';
import { listProcesses } from '../support/processes.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const ENV = { PATH: process.env['PATH'] ?? '', KEPT: 'kept', LEASECTL_TOKEN: 'own', VENDOR: 'own' };

function run(command: string, { profile = 'prod', commandTimeout = 20_000 } = {}): Promise<string> {
  const withhold = ['LEASECTL_TOKEN', 'VENDOR'];
  const store = createSecretStore({ env: ENV, withhold, newId: () => 'unused', commandTimeout });
  return store.read({ command }, profile);
}

const isGone = (pid: number) => listProcesses().every((seen) => seen.pid !== pid);

test.each([
  ['echo token-1', 'token-1'],
  ['printf token-1', 'token-1'],
  ["printf '  token-1\\r\\nsecond line\\n'", 'token-1'],
  ["printf '\\n\\ntoken-1\\n'", 'token-1'],
  ['echo token-1; echo noise >&2', 'token-1'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's.
  ['echo "${LEASECTL_TOKEN-none}/${VENDOR-none}/$KEPT/$LEASECTL_TOKEN_FOR"', 'none/none/kept/prod'],
  ['cat; echo stdin-is-empty', 'stdin-is-empty'],
  ['head -c 65536 /dev/zero | tr "\\0" x', 'x'.repeat(65_536)],
])('%s', async (command, token) => {
  expect(await run(command)).toBe(token);
});

test.each([
  ['true', 'printed no token.'],
  ['echo', 'printed no token.'],
  ['echo two words', 'printed no token.'],
  ["printf 'caf\\303\\251'", 'printed no token.'],
  ["printf 'to\\033ken'", 'printed no token.'],
  ['head -c 1000 /dev/urandom', 'printed no token.'],
  ['head -c 10000000 /dev/zero', 'printed more than 64 kB.'],
  ['yes', 'printed more than 64 kB.'],
  ['exit 3', 'failed with exit code 3.'],
  ['echo token-1; exit 3', 'failed with exit code 3.'],
  ['printf "first\\nlocked: log in.\\n" >&2; exit 1', 'failed with exit code 1: locked: log in.'],
  ['kill -TERM $$', 'was ended by SIGTERM.'],
])('%s fails', async (command, message) => {
  await expect(run(command)).rejects.toMatchObject({
    code: 'unauthorized',
    message: `The token command of profile prod ${message}`,
    hint: expect.stringMatching(/\.$/),
  });
});

test('what it says last is told, cut, and without what it printed', async () => {
  const failure = await run('set -x; echo token-1; exit 3').catch((error: Error) => error);
  expect(failure).toMatchObject({ message: expect.stringContaining(': + exit 3.') });
  const traced = await run('set -x; echo token-1 && false').catch((error: Error) => error);
  expect(String(traced)).not.toContain('token-1');
  const long = await run('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 3').catch(String);
  expect(long.length).toBeLessThan(400);
  await expect(run('no-such-program')).rejects.toMatchObject({
    message: expect.stringMatching(/failed with exit code 127: .*not found\.$/),
  });
});

test('all of one that hangs is killed', async () => {
  const file = join(temporaryDirectory(), 'pids');
  const command = `trap '' TERM INT HUP; (sleep 60 & echo $! >>${file}; wait) & echo $! $$ >>${file}; wait`;
  await expect(run(command, { commandTimeout: 500 })).rejects.toMatchObject({
    code: 'unavailable',
    message: 'The token command of profile prod did not end within 0.5 s.',
  });
  const pids = readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);
  expect(pids).toHaveLength(3);
  for (const pid of pids) await vi.waitFor(() => expect(isGone(pid)).toBe(true));
});

test('one that leaves something running is not waited for', async () => {
  const file = join(temporaryDirectory(), 'pid');
  expect(await run(`sleep 60 & echo $! >${file}; echo token-1`)).toBe('token-1');
  const pid = Number(readFileSync(file, 'utf8'));
  expect(isGone(pid)).toBe(false);
  process.kill(pid, 'SIGKILL');
});

test.each([
  ['SIGINT', null],
  ['SIGTERM', null],
  ['SIGHUP', null],
  // By process.exit.
  ['SIGUSR2', 0],
] as const)('when %s ends this process, it is ended too', async (signal, code) => {
  const file = join(temporaryDirectory(), 'pid');
  const command = `echo $$ >${file}; sleep 60; true`;
  const args = [await buildReader(), '', JSON.stringify({ command }), '1'];
  const reader = execFile(process.execPath, args);
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toMatch(/\n/), { timeout: 10_000 });
  const pid = Number(readFileSync(file, 'utf8'));
  const sleeping = listProcesses().filter(({ parent }) => parent === pid);
  reader.kill(signal);
  expect(await once(reader, 'exit')).toEqual([code, code === null ? signal : null]);
  for (const gone of [pid, ...sleeping.map(({ pid }) => pid)]) {
    await vi.waitFor(() => expect(isGone(gone)).toBe(true));
  }
});

test('it leaves no listeners behind', async () => {
  const count = () => ['SIGINT', 'exit'].map((event) => process.listenerCount(event));
  const before = count();
  await run('echo token-1');
  expect(count()).toEqual(before);
});
