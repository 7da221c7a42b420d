import { expect, test, vi } from 'vitest';
import { PLAIN, USUAL_LAYOUT } from '../../src/output/style.ts';
import {
  pastTime,
  serviceTime,
  shownEnd,
  shownPast,
  shownTime,
  timeAgo,
  timeLeft,
} from '../../src/output/time.ts';

const LOCAL = { isUtc: false };
const UTC = { isUtc: true };
const NOON = Date.UTC(2026, 0, 15, 12, 0, 5);

test.each([
  ['UTC', '2026-01-15 12:00:05 +00:00'],
  ['Asia/Kolkata', '2026-01-15 17:30:05 +05:30'],
  ['America/St_Johns', '2026-01-15 08:30:05 -03:30'],
])('in %s', (zone, shown) => {
  vi.stubEnv('TZ', zone);
  try {
    expect(shownTime(NOON, LOCAL)).toBe(shown);
    expect(shownTime(NOON, UTC)).toBe('2026-01-15 12:00:05Z');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('the end of a lease has the time that is left', () => {
  expect(timeLeft(NOON, NOON - 90_000, UTC)).toBe('2026-01-15 12:00:05Z (1m 30s left)');
  expect(timeLeft(NOON, NOON + 1, UTC)).toBe('2026-01-15 12:00:05Z (over)');
});

test('what was is so long ago', () => {
  expect(timeAgo(NOON, NOON + 90_061_000)).toBe('1d 1h ago');
  expect(timeAgo(NOON, NOON + 999)).toBe('now');
  expect(timeAgo(NOON, NOON - 5_000)).toBe('now');
});

test("a service's time is shown as all are, and what is none as it came", () => {
  expect(serviceTime('2026-01-15T13:00:05.123+01:00', UTC)).toBe('2026-01-15 12:00:05Z');
  expect(serviceTime('soon', UTC)).toBe('soon');
  expect(serviceTime(null, UTC)).toBeUndefined();
});

test('what no calendar has is told as such', () => {
  for (const zone of [LOCAL, UTC]) expect(shownTime(1e300, zone)).toBe('beyond all times');
});

test('in a list a person reads how far a moment is, and a program which one', () => {
  const base = { ...USUAL_LAYOUT, columns: 80, paint: PLAIN, clean: (text: string) => text };
  const person = { ...base, isInteractive: true };
  const others = [
    { ...base, isInteractive: false, isUtc: true },
    { ...person, isUtc: true },
  ];
  const text = new Date(NOON).toISOString();
  expect(shownPast(text, NOON + 90_000, person)).toBe('1m 30s ago');
  expect(shownEnd(text, NOON - 90_000, person)).toBe('1m 30s left');
  for (const other of others) {
    expect(shownPast(text, NOON + 90_000, other)).toBe('2026-01-15 12:00:05Z');
    expect(shownEnd(text, NOON - 90_000, other)).toBe('2026-01-15 12:00:05Z (1m 30s left)');
  }
  expect(shownPast(null, NOON, person)).toBe('');
  for (const shown of [shownPast, shownEnd]) expect(shown('soon', NOON, person)).toBe('soon');
  expect(pastTime(text, NOON + 90_000, UTC)).toBe('2026-01-15 12:00:05Z (1m 30s ago)');
  expect(pastTime('soon', NOON, UTC)).toBe('soon');
});
