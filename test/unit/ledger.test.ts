import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { createClock } from '../support/embedded-server.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function setUp() {
  const clock = createClock('2025-01-15T10:30:00Z');
  const file = join(temporaryDirectory(), 'state', 'handles.db');
  const held = (handle: string, age = 0) => ({
    handle,
    acquiredAt: clock() - age,
    expiresAt: clock() - age + HOUR,
  });
  return { clock, file, held, ledger: openLedger(file, clock), other: openLedger(file, clock) };
}

const ADDRESS = { service: 'onceonly', profile: 'prod', location: 'https://a', id: 'k' };

test('a handle is found at its own address only, by every process', () => {
  const { ledger, other, held } = setUp();
  const lease = held('h');
  ledger.remember(ADDRESS, lease);
  expect(other.find(ADDRESS)).toEqual(lease);
  for (const change of [
    { service: 'x' },
    { profile: 'x' },
    { location: 'https://b' },
    { id: 'K' },
  ]) {
    expect(other.find({ ...ADDRESS, ...change })).toBeUndefined();
  }
});

test('a later acquisition replaces an earlier one, never the other way round', () => {
  const { ledger, held } = setUp();
  const [earlier, later] = [held('earlier', 1), held('later')];
  ledger.remember(ADDRESS, later);
  ledger.remember(ADDRESS, earlier);
  expect(ledger.find(ADDRESS)).toEqual(later);
});

test('a handle from a time that is yet to come is replaced: the clock was set back', () => {
  const { ledger, held, clock } = setUp();
  ledger.remember(ADDRESS, held('future'));
  clock.advance(-DAY);
  ledger.remember(ADDRESS, held('now'));
  expect(ledger.find(ADDRESS)).toEqual(held('now'));
});

test('only the handle that is meant is prolonged and forgotten', () => {
  const { ledger, other, held, clock } = setUp();
  ledger.remember(ADDRESS, held('h'));
  other.prolong(ADDRESS, 'another', 1);
  other.forget(ADDRESS, 'another');
  expect(ledger.find(ADDRESS)).toEqual(held('h'));
  other.prolong(ADDRESS, 'h', clock() + DAY);
  expect(ledger.find(ADDRESS)?.expiresAt).toBe(clock() + DAY);
  other.forget(ADDRESS, 'h');
  expect(ledger.find(ADDRESS)).toBeUndefined();
});

test('what ended more than seven days ago is dropped when the next lease is remembered', () => {
  const { ledger, held, clock, file } = setUp();
  ledger.remember(ADDRESS, held('old'));
  clock.advance(HOUR + 7 * DAY);
  ledger.remember({ ...ADDRESS, id: 'next' }, held('h'));
  expect(ledger.find(ADDRESS)).toBeDefined();
  clock.advance(1);
  ledger.remember({ ...ADDRESS, id: 'last' }, held('h'));
  const db = new Database(file);
  expect(db.prepare('SELECT id FROM handles ORDER BY id').all()).toEqual([
    { id: 'last' },
    { id: 'next' },
  ]);
  db.close();
});

test('the file is its owner’s alone', () => {
  const { file } = setUp();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
