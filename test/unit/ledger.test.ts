import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
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
    renewals: 0,
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

test('where a lease was taken is told of it, and how often and when it was renewed', () => {
  const { ledger, other, held, clock } = setUp();
  const origin = { host: 'laptop', pid: 4711, ci: { job: 'deploy' } };
  ledger.remember(ADDRESS, { ...held('h'), origin });
  expect(other.find(ADDRESS)).toEqual({ ...held('h'), origin });
  clock.advance(20_000);
  other.prolong(ADDRESS, 'h', clock() + DAY);
  clock.advance(20_000);
  other.prolong(ADDRESS, 'h', undefined, 7);
  const renewed = { renewedAt: clock(), renewals: 2, fencingToken: 7, origin };
  expect(ledger.find(ADDRESS)).toMatchObject(renewed);
  expect(ledger.all()).toMatchObject([{ address: ADDRESS, handle: 'h', ...renewed }]);
  clock.advance(20_000);
  other.prolong(ADDRESS, 'h', clock(), 6);
  other.prolong(ADDRESS, 'another', clock());
  expect(ledger.find(ADDRESS)).toMatchObject(renewed);
  ledger.remember(ADDRESS, held('next'));
  expect(ledger.find(ADDRESS)).toEqual(held('next'));
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

test('what is known by its own name is found under the new name of its profile, too', () => {
  const { ledger, other, held, clock } = setUp();
  ledger.remember(ADDRESS, held('h'));
  ledger.renameProfile('prod', 'production');
  const renamed = { ...ADDRESS, profile: 'production' };
  for (const change of [{ service: 'x' }, { location: 'https://b' }, { id: 'K' }]) {
    other.prolong({ ...ADDRESS, ...change }, 'h', 1);
    other.forget({ ...ADDRESS, ...change }, 'h');
  }
  expect(ledger.find(renamed)).toEqual(held('h'));
  other.prolong(ADDRESS, 'h', clock() + DAY);
  expect(ledger.find(renamed)?.expiresAt).toBe(clock() + DAY);
  other.forget(ADDRESS, 'h');
  expect(ledger.find(renamed)).toBeUndefined();
  const attempt = { requestHash: 'r', handle: 'h', fencingToken: undefined };
  ledger.begin(renamed, { ...attempt, idempotencyKey: 'i' });
  other.settle(ADDRESS, 'another');
  expect(ledger.waiting(renamed)).toBeDefined();
  other.settle(ADDRESS, 'i');
  expect(ledger.waiting(renamed)).toBeUndefined();
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

describe('a fencing token', () => {
  test('is replaced by a higher one only, whichever comes last', () => {
    const { ledger, other, held, clock } = setUp();
    ledger.remember(ADDRESS, { ...held('h'), fencingToken: 5, jobType: 't' });
    other.prolong(ADDRESS, 'h', clock() + 7, 7);
    ledger.prolong(ADDRESS, 'h', clock() + 6, 6);
    expect(ledger.find(ADDRESS)).toMatchObject({ fencingToken: 7, expiresAt: clock() + 7 });
    ledger.prolong(ADDRESS, 'h', clock() + 8);
    expect(ledger.find(ADDRESS)).toMatchObject({ fencingToken: 7, expiresAt: clock() + 8 });
    ledger.prolong(ADDRESS, 'h', undefined, 9);
    ledger.prolong(ADDRESS, 'another', undefined, 10);
    expect(ledger.find(ADDRESS)).toMatchObject({
      fencingToken: 9,
      expiresAt: clock() + 8,
      jobType: 't',
    });
  });

  test('begins where there was none', () => {
    const { ledger, held } = setUp();
    ledger.remember(ADDRESS, held('h'));
    expect(ledger.find(ADDRESS)?.fencingToken).toBeUndefined();
    ledger.prolong(ADDRESS, 'h', undefined, 1);
    expect(ledger.find(ADDRESS)?.fencingToken).toBe(1);
  });

  test('goes with the lease that it was of', () => {
    const { ledger, held } = setUp();
    ledger.remember(ADDRESS, { ...held('h', 1), fencingToken: 5, jobType: 't' });
    ledger.remember(ADDRESS, held('next'));
    expect(ledger.find(ADDRESS)).toEqual(held('next'));
  });
});

test('the ids of live leases at one place are told, else of those that were, in order', () => {
  const { ledger, held, clock } = setUp();
  for (const id of ['b', 'a']) ledger.remember({ ...ADDRESS, id }, held(id));
  ledger.remember({ ...ADDRESS, id: 'over' }, held('over', HOUR));
  ledger.remember({ ...ADDRESS, profile: 'other', id: 'c' }, held('c'));
  expect(ledger.idsAt(ADDRESS)).toEqual(['a', 'b']);
  clock.advance(HOUR);
  expect(ledger.idsAt(ADDRESS)).toEqual(['a', 'b', 'over']);
  expect(ledger.idsAt({ ...ADDRESS, profile: 'none' })).toEqual([]);
});

describe('an attempt', () => {
  const attempt = (idempotencyKey: string, change: object = {}) => ({
    idempotencyKey,
    requestHash: 'r',
    handle: 'h',
    fencingToken: 3,
    ...change,
  });

  test('that waits for its answer is gone on with, by every process', () => {
    const { ledger, other } = setUp();
    expect(ledger.begin(ADDRESS, attempt('a'))).toEqual(attempt('a'));
    expect(other.begin(ADDRESS, attempt('b', { requestHash: 's', fencingToken: 4 }))).toEqual(
      attempt('a'),
    );
    const elsewhere = { ...ADDRESS, id: 'other' };
    expect(other.begin(elsewhere, attempt('b'))).toEqual(attempt('b'));
  });

  test('is over when it is settled, replaced, or of an earlier lease', () => {
    const { ledger } = setUp();
    ledger.begin(ADDRESS, attempt('a'));
    ledger.settle(ADDRESS, 'another');
    expect(ledger.begin(ADDRESS, attempt('b')).idempotencyKey).toBe('a');
    ledger.settle(ADDRESS, 'a');
    expect(ledger.begin(ADDRESS, attempt('b')).idempotencyKey).toBe('b');
    ledger.replace(ADDRESS, attempt('c', { fencingToken: undefined }));
    expect(ledger.begin(ADDRESS, attempt('d'))).toEqual(attempt('c', { fencingToken: undefined }));
    const next = attempt('e', { handle: 'next' });
    expect(ledger.begin(ADDRESS, next)).toEqual(next);
  });

  test('is dropped after seven days', () => {
    const { ledger, held, clock } = setUp();
    ledger.begin(ADDRESS, attempt('a'));
    clock.advance(7 * DAY + 1);
    ledger.remember({ ...ADDRESS, id: 'next' }, held('h'));
    expect(ledger.begin(ADDRESS, attempt('b')).idempotencyKey).toBe('b');
  });
});
