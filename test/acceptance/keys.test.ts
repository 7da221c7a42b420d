import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';

/** Lets a lease run out without waiting for it. */
function runOut(databaseFile: string, key: string): void {
  const db = new Database(databaseFile);
  db.prepare('UPDATE leases SET expires_at = expires_at - 3600000 WHERE id = ?').run(key);
  db.close();
}

describe('a lease from beginning to end', () => {
  test('with the handle from the ledger', async () => {
    const { run, json } = createSandbox();
    const lease = await run(['lease', 'deploy', '--ttl', '60s']);
    expect(lease.code).toBe(0);
    expect(lease.stderr).toBe('');
    expect(lease.stdout).toMatch(
      /^Key\tdeploy\nStatus\tacquired\nUntil\t\S+ \S+ \+00:00 \((1m|59s) left\)\nVersion\t1\nCharged\t1 \(1 of 1,000,000,000 used\)\nProfile\tlocal\n$/,
    );
    expect(await json(['status', 'deploy'])).toMatchObject({ status: 'in_progress', version: 1 });
    expect(await json(['extend', 'deploy', '--ttl', '1h30m'])).toEqual({
      ok: true,
      status: 'extended',
      key: 'deploy',
      ttl: 5400,
      version: 2,
    });
    const complete = await run(['complete', 'deploy', '--result', '{"commit": "abc"}']);
    expect(complete).toMatchObject({
      code: 0,
      stdout: 'Key\tdeploy\nStatus\tcompleted\nVersion\t3\nProfile\tlocal\n',
    });
    expect(await run(['result', 'deploy', '--raw'])).toMatchObject({
      code: 0,
      stdout: '{"commit":"abc"}\n',
    });
    const result = await run(['result', 'deploy']);
    expect(result.stdout).toContain('Status\tcompleted');
    expect(result.stdout).toContain('{\n  "commit": "abc"\n}\n');
  });

  test('with the handle given', async () => {
    const alice = createSandbox();
    const { lease_id } = Object(await alice.json(['lease', 'k']));
    const bob = { env: { XDG_STATE_HOME: join(alice.directory, 'elsewhere') } };
    const without = await alice.run(['cancel', 'k'], bob);
    expect(without).toMatchObject({ code: 2, stdout: '' });
    expect(without.stderr).toMatch(
      /^Error: This machine holds no lease on k \(profile local\); it is in progress for (5m|4m 5\ds) more\.\n/,
    );
    expect(without.stderr).toContain('or wait for the work to end: leasectl wait k\n');
    expect(
      await alice.json(['extend', 'k', '--lease-id', '-'], { ...bob, input: lease_id }),
    ).toMatchObject({
      version: 2,
    });
    const file = join(alice.directory, 'lease-id');
    writeFileSync(file, `${lease_id}\n`);
    expect(await alice.json(['cancel', 'k', '--lease-id', `@${file}`], bob)).toMatchObject({
      status: 'failed',
    });
    expect(await alice.json(['status', 'k'])).toMatchObject({ error_code: 'canceled' });
  });

  test('that failed', async () => {
    const { run, json } = createSandbox();
    await json(['lease', 'k']);
    const args = ['fail', 'k', '--error-code', 'connection_lost', '--error-hash', 'e1'];
    expect(await json(args)).toEqual({ ok: true, status: 'failed', key: 'k', version: 2 });
    expect(await json(['result', 'k'])).toMatchObject({ error_code: 'connection_lost' });
    expect((await run(['status', 'k'])).stdout).toContain('Error\tconnection_lost\n');
  });

  test('with metadata from everywhere', async () => {
    const { json, databaseFile } = createSandbox();
    await json(['lease', 'k', '--metadata', '-', '--meta', 'a=1', '--meta', 'b=x=y'], {
      input: '{"a": 0, "c": [true]}',
    });
    const db = new Database(databaseFile);
    const [row] = db.prepare('SELECT metadata FROM leases').all();
    db.close();
    expect(JSON.parse(Object(row).metadata)).toEqual({
      leasectl: expect.anything(),
      a: '1',
      b: 'x=y',
      c: [true],
    });
  });

  test('by run', async () => {
    const { json } = createSandbox();
    expect(await json(['run', 'k', '--ttl', '2d'])).toMatchObject({
      status: 'acquired',
      ttl: 172_800,
    });
    expect(await json(['complete', 'k'])).toMatchObject({ status: 'completed' });
  });
});

describe('lease tells apart', () => {
  test('a key held by somebody else: 11', async () => {
    const { run, json } = createSandbox();
    const first = Object(await json(['lease', 'a b', '--ttl', '1h']));
    const bob = { env: { XDG_STATE_HOME: createSandbox().directory } };
    const text = await run(['lease', 'a b'], bob);
    expect(text.code).toBe(11);
    expect(text.stdout).toContain('Status\tpolling\n');
    expect(text.stderr).toMatch(
      /^Error: a b is held by somebody else, for 59m 5\ds more\.\nHint: Try again in 5s, or see what keeps it: leasectl why 'a b'\n$/,
    );
    const json_ = await run(['lease', 'a b', '--json', '--idempotent'], bob);
    expect(json_).toMatchObject({ code: 11, stderr: '' });
    expect(JSON.parse(json_.stdout)).toMatchObject({ status: 'polling', lease_id: first.lease_id });
  });

  test('a key held by this machine: 11, or 0 with --idempotent', async () => {
    const { run, json } = createSandbox();
    const { lease_id } = Object(await json(['lease', 'k']));
    const again = await run(['lease', 'k']);
    expect(again.code).toBe(11);
    expect(again.stderr).toContain('k is held by this machine already');
    expect(await json(['lease', 'k', '--idempotent'])).toMatchObject({ lease_id, charged: 0 });
  });

  test('a key that is finished: 7, also with --idempotent', async () => {
    const { run, json } = createSandbox();
    await json(['lease', 'k']);
    await json(['complete', 'k']);
    for (const args of [
      ['lease', 'k'],
      ['lease', 'k', '--idempotent'],
      ['run', 'k'],
    ]) {
      const { code, stderr } = await run(args);
      expect(code).toBe(7);
      expect(stderr).toContain('k is already finished (completed).');
    }
  });
});

describe('a lease that was lost', () => {
  test.each([['extend'], ['complete'], ['cancel'], ['fail', '--error-code', 'e']])(
    'ends %s with 14, and with what the key is now',
    async (command, ...more) => {
      const { run, json, databaseFile } = createSandbox();
      await json(['lease', 'k']);
      runOut(databaseFile, 'k');
      const lost = await run([command, 'k', ...more]);
      expect(lost).toMatchObject({ code: 14, stdout: '' });
      expect(lost.stderr).toBe(
        'Error: k: The lease ran out (onceonly 409 lease_expired). k is now failed (expired).\n' +
          'Hint: Stop what relied on it. To take it again: leasectl lease k\n',
      );
      expect(await run([command, 'k', ...more])).toEqual(lost);
    },
  );

  test('to somebody else says until when', async () => {
    const { run, json, databaseFile } = createSandbox();
    const { lease_id } = Object(await json(['lease', 'k']));
    runOut(databaseFile, 'k');
    await json(['lease', 'k', '--ttl', '1h']);
    const lost = await run(['complete', 'k', '--lease-id', lease_id, '--json']);
    expect(lost).toMatchObject({ code: 14, stdout: '' });
    const { error } = JSON.parse(lost.stderr);
    expect(error).toMatchObject({ code: 'lease_lost', status: 409, retryable: false });
    // What is held cannot be taken.
    expect(error.hint).toBe(
      'Stop what relied on it. Another lease is in force. To wait for the work to end: leasectl wait k',
    );
    expect(error.message).toMatch(
      /lease_mismatch\)\. k is now in progress for (1h|59m 5\ds) more\.$/,
    );
    expect(await json(['extend', 'k'])).toMatchObject({ version: 3 });
  });

  test('is no more lost when it was finished in another way: 7', async () => {
    const { run, json } = createSandbox();
    const { lease_id } = Object(await json(['lease', 'k']));
    await json(['complete', 'k']);
    const late = await run(['cancel', 'k', '--lease-id', lease_id]);
    expect(late.code).toBe(7);
    expect(late.stderr).toContain('k is now completed.');
    const without = await run(['cancel', 'k']);
    expect(without.code).toBe(7);
    expect(without.stderr).toContain(
      'This machine holds no lease on k (profile local); it is completed.',
    );
    expect(await json(['complete', 'k', '--lease-id', lease_id])).toMatchObject({ version: 2 });
  });
});

describe('status', () => {
  test('tells people that this machine holds the lease', async () => {
    const { run, json, directory, ledgerFile } = createSandbox();
    await json(['lease', 'k']);
    const shown = async (state: string, ...more: string[]) =>
      (await run(['status', 'k', ...more], { env: { XDG_STATE_HOME: state } })).stdout;
    const here = dirname(dirname(ledgerFile));
    expect(await shown(here)).toContain('Status\tin_progress (held by this machine)\n');
    expect(await shown(here, '--field', 'status')).toBe('in_progress\n');
    expect(JSON.parse(await shown(here, '--json'))).toMatchObject({ status: 'in_progress' });
    const elsewhere = join(directory, 'elsewhere');
    expect(await shown(elsewhere)).toContain('Status\tin_progress\n');
    expect(existsSync(elsewhere)).toBe(false);
  });

  test('does not where it is lost, or the ledger cannot be read', async () => {
    const { run, json, databaseFile, ledgerFile } = createSandbox();
    await json(['lease', 'k']);
    runOut(databaseFile, 'k');
    expect((await run(['status', 'k'])).stdout).toContain('Status\tfailed\n');
    const elsewhere = { env: { XDG_STATE_HOME: join(dirname(ledgerFile), 'elsewhere') } };
    await json(['lease', 'k'], elsewhere);
    expect((await run(['status', 'k'])).stdout).toContain('Status\tin_progress\n');
    writeFileSync(ledgerFile, 'no ledger');
    const { code, stdout } = await run(['status', 'k']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('Status\tin_progress\n'),
    });
  });
});

describe('result', () => {
  test('of work in progress: 9', async () => {
    const { run, json } = createSandbox();
    await json(['lease', 'k']);
    const text = await run(['result', 'k']);
    expect(text.code).toBe(9);
    expect(text.stdout).toContain('Status\tin_progress');
    expect(text.stderr).toContain('The work on k is still in progress.');
    expect(await run(['result', 'k', '--raw'])).toMatchObject({ code: 9, stdout: '' });
    const json_ = await run(['result', 'k', '--json']);
    expect(json_).toMatchObject({ code: 9, stderr: '' });
    expect(JSON.parse(json_.stdout)).toMatchObject({ status: 'in_progress' });
  });

  test('without a stored one is null', async () => {
    const { run, json } = createSandbox();
    await json(['lease', 'k']);
    await json(['complete', 'k']);
    expect(await run(['result', 'k', '--raw'])).toMatchObject({ code: 0, stdout: 'null\n' });
  });
});

test('the handle is shown in --json only', async () => {
  const { run, json, env } = createSandbox();
  const debug = { env: { LEASECTL_DEBUG: '1' } };
  const { lease_id } = Object(await json(['lease', 'k']));
  const commands = [
    ['status', 'k'],
    ['lease', 'k'],
    ['lease', 'k', '--idempotent'],
    ['extend', 'k'],
  ];
  const wrong = [
    ['fail', 'k', '--error-code', 'x', '--lease-id', 'wrong'],
    ['result', 'k'],
  ];
  for (const args of [...commands, ...wrong, ['complete', 'k']]) {
    const { stdout, stderr } = await run(args, debug);
    expect(stdout + stderr).not.toContain(lease_id);
  }
  expect(JSON.stringify(env)).not.toContain(lease_id);
});

test('a canceled lease reads so', async () => {
  const { run, json } = createSandbox();
  await json(['lease', 'k']);
  expect((await run(['cancel', 'k'])).stdout).toContain('Status\tfailed (canceled)\n');
});

test('in a pipe --json is the very text that the service answered', async () => {
  const { run } = createSandbox();
  await run(['lease', 'k']);
  expect((await run(['status', 'k', '--json'])).stdout).toMatch(/^\{"ok":true,"status":.*\}\n$/);
});

test('keys of every kind reach the service as they are', async () => {
  const { json } = createSandbox();
  for (const key of ['a/b:c d', '100%', 'a+b&c=d', '🎉 grüße', "it's", '{"a":1}', '$(id)']) {
    await json(['lease', key]);
    expect(await json(['status', key])).toMatchObject({ key, status: 'in_progress' });
    expect(await json(['complete', key])).toMatchObject({ key });
  }
});
