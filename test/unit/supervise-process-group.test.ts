import { describe, expect, test, vi } from 'vitest';
import { systemClocks } from '../../src/supervise/moment.ts';
import { isAlive, isGone, killAll, signalAll } from '../../src/supervise/process-group.ts';
import { FakeClocks } from '../support/fake-clocks.ts';
import {
  eventually,
  NO_GROUP,
  signalsTo,
  startGroup,
  startStubborn,
  stateOf,
} from '../support/process-groups.ts';

vi.setConfig({ testTimeout: 30_000 });

const isLinux = process.platform === 'linux';

/** A process that goes on without its main thread. */
const THREAD = `exec python3 -uc "
import ctypes, threading, time
threading.Thread(target=lambda: (print('ready'), time.sleep(60))).start()
ctypes.CDLL(None).pthread_exit(None)"`;

/** Starts a group, and from it another session that nobody buries when it is dead. */
async function withUnburied(script: string) {
  // `exec` forgets that it has a child.
  const parent = await startGroup(`setsid ${script} & echo other $!; exec sleep 60`);
  const other = Number(await parent.says('other'));
  await eventually(() => stateOf(other) === 'S');
  return other;
}

describe('a process group', () => {
  test('is alive as long as its leader is', async () => {
    const { group, exited } = await startGroup('exec sleep 60');
    expect(isAlive(group)).toBe(true);
    process.kill(group, 'SIGKILL');
    await exited;
    expect(isAlive(group)).toBe(false);
  });

  test('is alive as long as any of it is', async () => {
    const { group, exited, says } = await startGroup('(sleep 60 & echo grandchild $!) & wait');
    const grandchild = Number(await says('grandchild'));
    await exited;
    expect(isAlive(group)).toBe(true);
    process.kill(grandchild, 'SIGKILL');
    await eventually(() => !isAlive(group));
  });

  test('is gone when all of it has ended', async () => {
    const { group, exited, says } = await startGroup('(sleep 60 & echo grandchild $!) & wait');
    const grandchild = Number(await says('grandchild'));
    await exited;
    expect(isGone(group)).toBe(false);
    process.kill(grandchild, 'SIGKILL');
    await eventually(() => isGone(group));
  });

  test('is alive while it is stopped', async () => {
    const { group } = await startGroup('exec sleep 60');
    process.kill(group, 'SIGSTOP');
    if (isLinux) await eventually(() => stateOf(group) === 'T');
    expect(isAlive(group)).toBe(true);
  });

  test.runIf(isLinux)('is not alive when only the dead are left of it', async () => {
    const group = await withUnburied('sleep 60');
    expect(isAlive(group)).toBe(true);
    process.kill(group, 'SIGKILL');
    await eventually(() => stateOf(group) === 'Z');
    // The system does not know the difference.
    expect(process.kill(-group, 0)).toBe(true);
    expect(isAlive(group)).toBe(false);
    expect(isGone(group)).toBe(false);
  });

  test.runIf(isLinux)('is alive when its leader is dead, unburied, and not alone', async () => {
    const group = await withUnburied("bash -c 'sleep 60 & wait'");
    await eventually(() => isAlive(group));
    process.kill(group, 'SIGKILL');
    await eventually(() => stateOf(group) === 'Z');
    expect(isAlive(group)).toBe(true);
    signalAll(group, 'SIGKILL');
    await eventually(() => !isAlive(group));
  });

  test.runIf(isLinux)('is known whatever its processes call themselves', async () => {
    const name = '1) Z 1 1 (x';
    const { group, says } = await startGroup(
      `printf '%s' '${name}' > /proc/$$/comm; echo ready; read x <> <(:)`,
    );
    await says('ready');
    expect(isAlive(group)).toBe(true);
  });

  test.runIf(isLinux)('is alive as long as any thread of it is', async () => {
    const { group, says } = await startGroup(THREAD);
    await says('ready');
    // For Linux its leader is dead.
    await eventually(() => stateOf(group) === 'Z');
    expect(isAlive(group)).toBe(true);
  });

  test('may never have been', () => {
    expect(isAlive(NO_GROUP)).toBe(false);
    expect(() => signalAll(NO_GROUP, 'SIGTERM')).not.toThrow();
  });
});

describe('a signal', () => {
  test('comes to all of a group', async () => {
    const { group, says } = await startGroup(
      `(trap 'echo child' USR1; echo one; while :; do sleep 0.02; done) &
      trap 'echo leader' USR1; echo two; while :; do sleep 0.02; done`,
    );
    await Promise.all([says('one'), says('two')]);
    signalAll(group, 'SIGUSR1');
    await Promise.all([says('child'), says('leader')]);
  });

  test.runIf(isLinux)('comes to other groups of its session, which count, too', async () => {
    const script = 'set -m; sleep 60 & echo other $!; sleep 60 & echo another $!';
    const { group, exited, says } = await startGroup(script);
    const others = [Number(await says('other')), Number(await says('another'))];
    await exited;
    expect(() => process.kill(-group, 0)).toThrow('ESRCH');
    expect(isAlive(group)).toBe(true);
    signalAll(group, 'SIGKILL');
    await eventually(() => !isAlive(group));
    expect(others.map(stateOf).filter((state) => state !== undefined && state !== 'Z')).toEqual([]);
  });

  test('comes to no other session', async () => {
    const { group } = await startGroup('exec sleep 60');
    const other = await startStubborn();
    signalAll(group, 'SIGKILL');
    await eventually(() => !isAlive(group));
    expect(isAlive(other.group)).toBe(true);
  });

  test('that is none is a bug', () => {
    // @ts-expect-error: there is no such signal
    expect(() => signalAll(NO_GROUP, 'SIGNOTHING')).toThrow(TypeError);
  });
});

describe('killing a group', () => {
  test('ends whatever it does', async () => {
    const { group, exited } = await startStubborn();
    await killAll(group, systemClocks);
    expect(isAlive(group)).toBe(false);
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('is done at once, and again as long as something is left', async () => {
    const clocks = new FakeClocks();
    const { group } = await startStubborn();
    const sent = signalsTo(group);
    const killed = killAll(group, clocks);
    expect(sent).toEqual(['SIGKILL']);
    await eventually(() => !isAlive(group));
    await clocks.until(killed);
    expect(sent).toEqual(['SIGKILL']);
  });

  test('is given up in the end', async () => {
    // A signal to a group that does not get it leaves it as it is, as where the kernel hangs.
    const clocks = new FakeClocks();
    const start = clocks.now();
    const { group } = await startStubborn();
    const sent = signalsTo(group, () => true);
    await clocks.until(killAll(group, clocks));
    expect(clocks.now().steady - start.steady).toBe(2_000);
    expect(sent).toHaveLength(40);
    expect(isAlive(group)).toBe(true);
  });
});
