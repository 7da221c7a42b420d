import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { createSecretStore } from '../../src/secrets/secret-store.ts';
import { buildReader } from '../support/build-reader.ts';
import { canSkipKeyring, startMessageBus } from '../support/message-bus.ts';
import { commandOf, listProcesses } from '../support/processes.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/keyring.js', import.meta.url));
const SECRET = 'sk_live_0123456789abcdef';

let ids = 0;
const newId = () => {
  ids += 1;
  return `id-${ids}`;
};

function storeFor(env: Readonly<Record<string, string>>, timeout = 3_000, program = PROGRAM) {
  return createSecretStore({ env, withhold: [], newId, timeout, program });
}

/** The processes of this one that ask the keyring. */
function asking(): number[] {
  return listProcesses()
    .filter((seen) => seen.parent === process.pid && commandOf(seen).includes(PROGRAM))
    .map(({ pid }) => pid);
}

async function nobodyAsks(): Promise<void> {
  await vi.waitFor(() => expect(asking()).toEqual([]));
}

describe.skipIf(canSkipKeyring)('the keyring', () => {
  test('keeps, gives, and forgets', async () => {
    const { env } = await startMessageBus();
    const store = storeFor(env);
    const kept = await store.keep(SECRET, undefined);
    expect(kept).toEqual({
      stored: { keyring: `id-${ids}`, tail: '…cdef' },
      fellBack: false,
    });
    const other = await store.keep('another "quoted" ü\n', 'keyring');
    expect(await store.read(kept.stored)).toBe(SECRET);
    expect(await store.read(other.stored)).toBe('another "quoted" ü\n');

    await store.forget(kept.stored);
    await store.forget(kept.stored);
    await expect(store.read(kept.stored, 'prod')).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'The keyring does not have the token of profile prod any more.',
      hint: 'Store it again: leasectl profile edit prod --token-stdin',
    });
    expect(await store.read(other.stored)).toBe('another "quoted" ü\n');
    await nobodyAsks();
  });

  test('shows others neither the secret nor its name', async () => {
    const { env, keyring } = await startMessageBus();
    const store = storeFor(env, 1_000);
    keyring.kill('SIGSTOP');
    const keeping = store.keep(SECRET, 'keyring').catch(() => undefined);
    await vi.waitFor(() => expect(asking()).toHaveLength(1));
    const [pid] = asking();
    const { stdout } = await promisify(execFile)('cat', [
      `/proc/${pid}/cmdline`,
      `/proc/${pid}/environ`,
    ]);
    expect(stdout).toContain(PROGRAM);
    expect(stdout).not.toContain(SECRET);
    await keeping;
  });

  test('is known by its name, and left as it was', async () => {
    const { env } = await startMessageBus();
    expect(await storeFor(env).probe()).toEqual({ available: true, name: 'Secret Service' });
    const lookedFor = storeFor(env).read({ keyring: `id-${ids}` });
    await expect(lookedFor).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('gives to many at once', async () => {
    const { env } = await startMessageBus();
    const store = storeFor(env, 20_000);
    const values = Array.from({ length: 8 }, (_, index) => `value-${index}`);
    const kept = await Promise.all(values.map((value) => store.keep(value, 'keyring')));
    expect(await Promise.all(kept.map(({ stored }) => store.read(stored)))).toEqual(values);
  });

  test.each(['daemon', 'keyring'] as const)('that hangs is not waited for: %s', async (part) => {
    const { env, [part]: process } = await startMessageBus();
    const store = storeFor(env, 400);
    const { stored } = await storeFor(env).keep(SECRET, 'keyring');
    process.kill('SIGSTOP');
    const silent = {
      code: 'unavailable',
      message: 'The keyring did not answer within 0.4 s.',
      hint: expect.stringContaining('profile edit prod --storage file'),
    };
    await expect(store.read(stored, 'prod')).rejects.toMatchObject(silent);
    await expect(storeFor(env).read(stored, 'prod', 200)).rejects.toMatchObject({
      message: 'The keyring did not answer within 0.2 s.',
    });
    const { code, message } = silent;
    await expect(store.keep(SECRET, 'keyring')).rejects.toMatchObject({ code, message });
    await expect(store.forget(stored)).rejects.toMatchObject({ code, message });
    expect(await store.keep(SECRET, undefined)).toEqual({
      stored: SECRET,
      fellBack: true,
      why: 'it did not answer within 0.4 s',
    });
    expect(await store.probe()).toMatchObject({ available: false });
    await nobodyAsks();

    process.kill('SIGCONT');
    expect(await storeFor(env).read(stored)).toBe(SECRET);
  });

  // Longer than the 2 s after which the library takes it for dead.
  test('that hangs for a while is waited for', async () => {
    const { env, keyring } = await startMessageBus();
    const store = storeFor(env, 30_000);
    const { stored } = await store.keep(SECRET, 'keyring');
    keyring.kill('SIGSTOP');
    const reading = store.read(stored);
    setTimeout(() => keyring.kill('SIGCONT'), 2_500);
    expect(await reading).toBe(SECRET);
  });

  test('that is locked, where nobody can be asked, refuses', async () => {
    const first = await startMessageBus();
    const { stored } = await storeFor(first.env).keep(SECRET, 'keyring');
    const { env } = await startMessageBus({ home: first.env['HOME'] ?? '', password: 'wrong' });
    const store = storeFor(env);
    await expect(store.read(stored)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^The keyring refuses: .+[^.]\.$/),
    });
    const kept = await store.keep(SECRET, undefined);
    expect(kept).toMatchObject({ stored: SECRET, fellBack: true });
    expect(await store.probe()).toMatchObject({ available: false });
  });

  test('that waits to be unlocked is not waited for', async () => {
    const first = await startMessageBus();
    const { stored } = await storeFor(first.env).keep(SECRET, 'keyring');
    const { env } = await startMessageBus({
      home: first.env['HOME'] ?? '',
      password: 'wrong',
      prompter: true,
    });
    await expect(storeFor(env, 500).read(stored)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The keyring did not answer within 0.5 s.',
    });
    await nobodyAsks();
  });

  test('that does not run is none', async () => {
    const { env, keyring } = await startMessageBus();
    const store = storeFor(env);
    const { stored } = await store.keep(SECRET, 'keyring');
    const ended = new Promise((resolve) => keyring.on('exit', resolve));
    keyring.kill('SIGKILL');
    await ended;
    await expect(store.read(stored)).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(store.keep(SECRET, 'keyring')).rejects.toMatchObject({ code: 'usage' });
    await expect(store.forget(stored)).rejects.toMatchObject({ code: 'unavailable' });
    const kept = await store.keep(SECRET, undefined);
    expect(kept).toMatchObject({ stored: SECRET, fellBack: true });
  });

  test('that hangs does not hold up the end of the process', async () => {
    const { env, daemon } = await startMessageBus();
    const reader = await buildReader();
    daemon.kill('SIGSTOP');
    const args = [reader, PROGRAM, '{"keyring":"id"}', '300'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      env,
      timeout: 20_000,
    });
    expect(stdout).toContain('did not answer within 0.3 s.');
    expect(Number(stderr) - Number.parseFloat(stdout)).toBeLessThan(200);
  });

  test('is not asked for longer than somebody waits', async () => {
    const { env, keyring } = await startMessageBus();
    const reader = await buildReader();
    keyring.kill('SIGSTOP');
    const child = execFile(process.execPath, [reader, PROGRAM, '{"keyring":"id"}', '60000'], {
      env,
    });
    const isAsked = () =>
      listProcesses().some(
        (seen) => commandOf(seen).includes(PROGRAM) && !commandOf(seen).includes(reader),
      );
    await vi.waitFor(() => expect(isAsked()).toBe(true), { timeout: 10_000 });
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(isAsked()).toBe(false), { timeout: 10_000 });
  });
});

test('whatever its process does, an answer comes', async () => {
  const env = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
  const dead = storeFor(env, 20_000, '/nonexistent/keyring.js');
  await expect(dead.read({ keyring: 'x' })).rejects.toMatchObject({
    code: 'unavailable',
    message: 'The keyring refuses: its process ended with 1.',
  });
  const absent = storeFor(env, 20_000);
  await expect(absent.read({ keyring: 'x' })).rejects.toMatchObject({ code: 'unauthorized' });
});
