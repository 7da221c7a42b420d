import { describe, expect, test } from 'vitest';
import { createExecHost, until } from '../support/exec-host.ts';
import { stored } from '../support/exec-services.ts';
import { away, hosted, hostedExec, ID } from '../support/exec-stub.ts';
import type { Reply } from '../support/stub-server.ts';

const WAIT = ['--wait', '1m', '--json'];
const RAN = ['--', 'echo', 'ran'];

/** How one that waits gets what it waits for. */
const CASES = [
  {
    what: 'a key, when the lease of another ends',
    hold: ['lease', 'k', '--ttl', '2s'],
    exec: ['exec', 'k'],
    let: [],
  },
  {
    what: 'a job that has an id, when another gives it back',
    hold: ['jobs', 'claim', 'JOB'],
    exec: ['jobs', 'exec', 'JOB'],
    let: ['jobs', 'fail', 'JOB', '--error-code', 'e', '--retryable'],
  },
  {
    what: 'any job, when one is added',
    hold: ['jobs', 'claim', 'JOB'],
    exec: ['jobs', 'exec', '--next'],
    let: ['admin', 'jobs', 'add', '--type', 'plain'],
  },
  {
    what: 'a runner job, when one is added',
    hold: ['jobs', 'claim', 'JOB'],
    exec: ['runner-jobs', 'exec', '--runner-id', 'r'],
    let: ['admin', 'runner-jobs', 'add'],
  },
];

describe('--wait gets', () => {
  test.each(CASES)('$what', async ({ hold, exec, let: release }) => {
    const host = createExecHost();
    const [job] = Object(await host.json(['admin', 'jobs', 'add', '--type', 'plain']));
    const named = (words: string[]) => words.map((word) => (word === 'JOB' ? job.job_id : word));
    await host.json(named(hold));
    const waiting = host.leasectl([...named(exec), ...WAIT, ...RAN]);
    await until(() => waiting.stderr().includes('"waiting"'), 'it to wait');
    expect(waiting.stdout()).toBe('');
    if (release.length > 0) await host.json(named(release));
    expect(await waiting.outcome).toMatchObject({ code: 0, stdout: 'ran\n' });
  });

  test('nothing of a key that another finishes: 7, as soon as it is known', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k', '--ttl', '3s']);
    const waiting = host.leasectl(['exec', 'k', ...WAIT, ...RAN]);
    await until(() => waiting.stderr().includes('"waiting"'), 'it to wait');
    await host.json(['complete', 'k']);
    expect(await waiting.outcome).toMatchObject({ code: 7, stdout: '' });
  });

  test('one of many at a time, and all of them in the end', async () => {
    const host = createExecHost();
    const line = 'mkdir "$HOME/busy" && sleep 0.1 && rmdir "$HOME/busy" && exit 75';
    const [job] = Object(await host.json(['admin', 'jobs', 'add', '--type', 'plain']));
    const flags = ['--wait', '1m', '--retryable-exit', '75', '--shell', '--', line];
    const all = Array.from({ length: 4 }, () => host.run(['jobs', 'exec', job.job_id, ...flags]));
    const outcomes = await Promise.all(all);
    expect(outcomes.map(({ code }) => code)).toEqual([75, 75, 75, 75]);
    expect(stored(host, job.job_id)).toMatchObject({ ending: null, leases: 4 });
  });
});

test('others wait for the end, and get the result', async () => {
  const host = createExecHost();
  const line =
    'echo ready; read -r go <"$HOME/gate"; echo "{\\"a\\": 1}" > "$LEASECTL_RESULT_FILE"';
  await host.bash(`mkfifo '${host.file('gate')}'`).outcome;
  const exec = host.leasectl(['exec', 'k', '--shell', '--', line]);
  await exec.says(/ready/);
  const others = Array.from({ length: 2 }, () => host.run(['wait', 'k', '--raw']));
  await host.bash(`echo go >'${host.file('gate')}'`).outcome;
  for (const other of others) {
    expect(await other).toMatchObject({ code: 0, stdout: '{"a":1}\n' });
  }
  expect((await exec.outcome).code).toBe(0);
});

describe('what is waited for', () => {
  test('is said once, after two seconds, where nobody can see it change', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k', '--ttl', '1h']);
    const exec = (wait: string) => host.leasectl(['exec', 'k', '--wait', wait, ...RAN]);
    const [short, long] = [exec('1s'), exec('3s')];
    const begun = performance.now();
    await until(() => long.stderr() !== '', 'a line');
    const took = performance.now() - begun;
    expect(took).toBeGreaterThan(1_900);
    const { code, stderr } = await long.outcome;
    expect(code).toBe(10);
    expect(stderr).toMatch(
      /^Waiting: k is held by this machine already, for 59m \d\ds more\.\nError: k is held .* It was waited for 3s\.\nHint: .*\n$/,
    );
    const quick = await short.outcome;
    expect(quick).toMatchObject({ code: 10, stdout: '' });
    expect(quick.stderr).toMatch(/^Error: [^\n]* It was waited for 1s\.\nHint: [^\n]*\n$/);
  });

  test('is not said of a short wait', async () => {
    const host = createExecHost();
    await host.json(['lease', 'k', '--ttl', '1s']);
    const outcome = await host.run(['exec', 'k', '--wait', '1m', ...RAN]);
    expect(outcome).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
  });
});

describe('a hosted service', () => {
  const held = (retry_after_sec: number | null): Reply => ({
    status: 200,
    body: { ok: true, key: ID, status: 'polling', lease_id: 'x', ttl_left: 9, retry_after_sec },
  });
  const acquired = hosted(60)[0]?.replies['lease'] ?? away;

  test('is asked again when it wants to be, and soon where it does not say', async () => {
    const { stub, exec } = await hostedExec('onceonly', 60, {
      lease: [held(2), held(null), acquired],
    });
    const { code, stdout, stderr } = await exec(WAIT, 'echo', 'ran').outcome;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'ran\n' });
    const times = stub.to('lease').map(({ at }) => at);
    const [first = 0, second = 0, ...others] = times.slice(1).map((at, index) => {
      return at - (times[index] ?? 0);
    });
    expect(others).toEqual([]);
    expect(first).toBeGreaterThan(1_990);
    expect(first).toBeLessThan(3_500);
    expect(second).toBeLessThan(1_500);
    const pauses = stderr.split('\n').flatMap((line) => {
      const { event, retry_after } = JSON.parse(line || '{}');
      return event === 'waiting' ? [retry_after] : [];
    });
    expect(pauses).toHaveLength(2);
    expect(pauses[0]).toBeGreaterThanOrEqual(2);
    expect(pauses[0]).toBeLessThanOrEqual(2.5);
  });

  test('that asks for more patience than there is: 10, after one last look', async () => {
    const { stub, exec } = await hostedExec('onceonly', 60, { lease: held(3_600) });
    const begun = performance.now();
    expect((await exec(['--wait', '1s'], 'echo', 'ran').outcome).code).toBe(10);
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(stub.to('lease')).toHaveLength(2);
  });

  test('that has no job yet is asked again', async () => {
    const { stub, exec } = await hostedExec('askui', 60, {
      lease: [{ status: 200, body: 'null' }, hosted(60)[2]?.replies['lease'] ?? away],
    });
    expect(await exec(WAIT, 'echo', 'ran').outcome).toMatchObject({ code: 0, stdout: 'ran\n' });
    expect(stub.to('lease')).toHaveLength(2);
  });
});
