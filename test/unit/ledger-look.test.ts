import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { lookAtLedger } from '../../src/ledger/look.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const NOW = 1_000_000_000_000;

function ledgerWith(...ids: readonly [service: string, id: string, expiresAt: number][]): string {
  const file = join(temporaryDirectory(), 'handles.db');
  const ledger = openLedger(file, () => NOW);
  for (const [service, id, expiresAt] of ids) {
    const address = { service, profile: 'prod', location: 'x', id };
    ledger.remember(address, { handle: 'secret', acquiredAt: NOW, expiresAt });
  }
  ledger.close();
  return file;
}

test('the leases of a service, those that run longest first, without their handles', () => {
  const file = ledgerWith(['a', 'short', NOW + 1], ['a', 'long', NOW + 9], ['b', 'other', NOW + 5]);
  expect(lookAtLedger(file, 'a')).toEqual([
    { profile: 'prod', id: 'long', expiresAt: NOW + 9 },
    { profile: 'prod', id: 'short', expiresAt: NOW + 1 },
  ]);
  expect(lookAtLedger(file, 'a', 1)).toHaveLength(1);
});

test('where none is, none is made', () => {
  const directory = temporaryDirectory();
  expect(lookAtLedger(join(directory, 'handles.db'), 'a')).toEqual([]);
  writeFileSync(join(directory, 'empty.db'), '');
  expect(lookAtLedger(join(directory, 'empty.db'), 'a')).toEqual([]);
  expect(readdirSync(directory)).toEqual(['empty.db']);
});

test('one of another program, or another version, is as good as none', () => {
  const file = ledgerWith(['a', 'k', NOW]);
  const db = new Database(file);
  db.exec('PRAGMA user_version = 99');
  expect(lookAtLedger(file, 'a')).toEqual([]);
  db.exec('PRAGMA user_version = 2; PRAGMA application_id = 1');
  expect(lookAtLedger(file, 'a')).toEqual([]);
  db.close();
});

test('nothing is left beside it, and whoever writes does not hold it up', () => {
  const file = ledgerWith(['a', 'k', NOW]);
  const writer = new Database(file);
  writer.exec('BEGIN IMMEDIATE');
  const before = readdirSync(dirname(file));
  expect(lookAtLedger(file, 'a')).toHaveLength(1);
  expect(readdirSync(dirname(file))).toEqual(before);
  writer.exec('ROLLBACK');
  writer.close();
});

/** Has a log, and for a moment all of the file for itself: as whoever closes it last. */
const CLOSING = `
  const db = new (require('libsql'))(process.argv[1]);
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version = 3; BEGIN EXCLUSIVE');
  process.stdout.write('locked');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);
`;

test('whoever closes it is waited for', async () => {
  const open = ledgerWith(['a', 'k', NOW]);
  // libsql closes a file only when the statements are collected: nobody has a copy open.
  const file = join(temporaryDirectory(), 'handles.db');
  for (const side of ['', '-wal'])
    if (existsSync(open + side)) copyFileSync(open + side, file + side);
  const closing = spawn(process.execPath, ['-e', CLOSING, file], { cwd: import.meta.dirname });
  await once(closing.stdout, 'data');
  expect(lookAtLedger(file, 'a')).toHaveLength(1);
});
