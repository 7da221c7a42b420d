import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase, readValue } from '../../src/sqlite/database.ts';
import { LEASES } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

function pageSizeOf(file: string, kind = LEASES): unknown {
  const db = openDatabase(file, kind);
  try {
    return readValue(db, 'PRAGMA page_size');
  } finally {
    db.close();
  }
}

test('pages of new files are small, and those of a file that is there stay', () => {
  const file = (name: string) => join(temporaryDirectory(), name);
  const [fresh, old] = [file('fresh.db'), file('old.db')];
  const { pageSize: _, ...before } = LEASES;
  expect(pageSizeOf(fresh)).toBe(2048);
  expect(pageSizeOf(old, before)).toBe(4096);
  expect(pageSizeOf(old)).toBe(4096);
});
