import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { createSandbox } from '../support/sandbox.ts';
import { startStub } from '../support/stub-server.ts';

test('a handle that should have run out is shown to the service all the same', async () => {
  const { json, ledgerFile } = createSandbox();
  await json(['lease', 'k']);
  const db = new Database(ledgerFile);
  db.prepare('UPDATE handles SET expires_at = 1').run();
  db.close();
  expect(await json(['extend', 'k'])).toMatchObject({ status: 'extended' });
  expect(await json(['complete', 'k'])).toMatchObject({ status: 'completed' });
});

describe('the ledger', () => {
  const handlesIn = (file: string) => {
    const db = new Database(file);
    const rows = db.prepare('SELECT id, expires_at FROM handles ORDER BY id').all().map(Object);
    db.close();
    return rows;
  };

  test('knows what is held, until when, and nothing that is finished', async () => {
    const { json, ledgerFile } = createSandbox();
    await json(['lease', 'a', '--ttl', '60s']);
    await json(['lease', 'b']);
    const before = Date.now();
    await json(['extend', 'a', '--ttl', '1h']);
    const [a] = handlesIn(ledgerFile);
    expect(a?.expires_at).toBeGreaterThanOrEqual(before + 3_600_000);
    await json(['complete', 'a']);
    expect(handlesIn(ledgerFile)).toMatchObject([{ id: 'b' }]);
    const { lease_id } = Object(await json(['status', 'b']));
    await json(['cancel', 'b', '--lease-id', lease_id]);
    expect(handlesIn(ledgerFile)).toEqual([]);
    expect(statSync(ledgerFile).mode & 0o777).toBe(0o600);
  });

  test('that is damaged stops what needs it before anything is changed, and nothing else', async () => {
    const { json, run, ledgerFile } = createSandbox();
    const { lease_id } = Object(await json(['lease', 'k']));
    writeFileSync(
      ledgerFile,
      'no database, but as long as the header of one would be. '.repeat(20),
    );
    for (const args of [
      ['lease', 'other'],
      ['complete', 'k'],
    ]) {
      const { code, stderr } = await run(args);
      expect(code).toBe(2);
      expect(stderr).toContain(`${ledgerFile} is damaged`);
    }
    expect((await run(['status', 'other'])).code).toBe(3);
    const complete = await run(['complete', 'k', '--lease-id', lease_id]);
    expect(complete).toMatchObject({ code: 0, stdout: expect.stringContaining('completed') });
    expect(complete.stderr).toMatch(/^Warning: the ledger of this machine .* is damaged/);
  });

  test('is looked at again, with --idempotent, for what a sibling has just taken', async () => {
    const { run, ledgerFile } = createSandbox();
    const state = {
      ok: true,
      status: 'polling',
      key: 'k',
      ttl_left: 60,
      lease_id: 'lease_sibling',
    };
    const { url } = await startStub((_, response) => {
      response.end(JSON.stringify(state));
      // Later than the command can look for the first time, and sooner than it gives up.
      setTimeout(() => {
        const ledger = openLedger(ledgerFile, Date.now);
        const address = {
          service: 'onceonly',
          profile: 'LEASECTL_URL',
          location: `${url}/`,
          id: 'k',
        };
        const expiresAt = Date.now() + 60_000;
        ledger.remember(address, { handle: 'lease_sibling', acquiredAt: 1, expiresAt });
        ledger.close();
      }, 60);
    });
    const env = { LEASECTL_URL: url, LEASECTL_TOKEN: 'token' };
    expect(await run(['lease', 'k', '--idempotent'], { env })).toMatchObject({ code: 0 });
  });

  test('makes all of many at once on one machine holders, with --idempotent', async () => {
    const { run } = createSandbox();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => run(['lease', 'k', '--idempotent'])),
    );
    expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 0));
  });
});

test('a handle may come in the answer that it came in, and nothing else is sent', async () => {
  const { json, run, directory } = createSandbox();
  const lease = await json(['lease', 'k']);
  const file = join(directory, 'lease.json');
  writeFileSync(file, JSON.stringify(lease));
  expect((await run(['extend', 'k', '--lease-id', `@${file}`])).code).toBe(0);
  expect(
    (await run(['extend', 'k', '--lease-id', '-'], { input: JSON.stringify(lease) })).code,
  ).toBe(0);
  writeFileSync(file, '{"job_id": "j", "lock_token": "lock_1"}');
  const other = await run(['extend', 'k', '--lease-id', `@${file}`]);
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('--lease-id holds no lease_id.');
  expect((await run(['extend', 'k', '--lease-id', 'two words'])).code).toBe(2);
});
