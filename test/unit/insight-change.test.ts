import { describe, expect, test } from 'vitest';
import { type Change, changeSince, type Seen } from '../../src/insight/change.ts';
import type { Sighting } from '../../src/insight/sighting.ts';

const AT = 1_000_000;

function seen(change: Partial<Sighting> = {}, handle?: string): Seen {
  const held = { kind: 'key', id: 'k', state: 'held', at: AT, endsAt: AT + 60_000 } as const;
  return { sighting: { ...held, ...change }, handle };
}

describe('what became of a lease that was held', () => {
  test.each<[Change, string, Seen, Seen]>([
    ['none', 'nothing at all', seen(), seen()],
    ['none', 'only time', seen({ version: 3 }), seen({ version: 3, at: AT + 9_000 })],
    ['renewed', 'another version', seen({ version: 3 }), seen({ version: 4 })],
    [
      'renewed',
      'one that ends earlier',
      seen({ version: 3 }),
      seen({ version: 4, endsAt: AT + 1 }),
    ],
    ['renewed', 'a later end', seen(), seen({ endsAt: AT + 63_000 })],
    [
      'renewed',
      'a later end of the same version',
      seen({ version: 3 }),
      seen({ version: 3, endsAt: AT + 99_000 }),
    ],
    ['none', 'an end that moves by rounding', seen(), seen({ endsAt: AT + 61_999 })],
    ['none', 'an end that is not told any more', seen(), seen({ endsAt: undefined })],
    ['none', 'an end that was not told before', seen({ endsAt: undefined }), seen()],
    [
      'none',
      'that it is to stop',
      seen({ version: 3, isCancelRequested: false }),
      seen({ version: 4, isCancelRequested: true }),
    ],
    [
      'renewed',
      'that it is to stop, and goes on',
      seen({ version: 3, isCancelRequested: false }),
      seen({ version: 5, isCancelRequested: true }),
    ],
    ['taken', 'another acquisition', seen({ fencingToken: 1 }), seen({ fencingToken: 2 })],
    ['taken', 'another handle', seen({ version: 3 }, 'a'), seen({ version: 3 }, 'b')],
    ['none', 'a handle that is told once', seen({}, 'a'), seen()],
    ['ended', 'that it ran out', seen(), seen({ state: 'expired' })],
    ['ended', 'that it waits', seen(), seen({ state: 'waiting' })],
    ['ended', 'that nobody knows it', seen(), seen({ state: 'never_seen' })],
    ['finished', 'that its tries are used up', seen(), seen({ state: 'expired', isClosed: true })],
    ['finished', 'that it is completed', seen(), seen({ state: 'completed' })],
    ['finished', 'that it failed', seen(), seen({ state: 'failed' })],
    ['untold', 'that nothing is told', seen(), seen({ state: 'untold' })],
  ])('%s: %s', (change, _, first, next) => {
    expect(changeSince(first, next)).toBe(change);
  });
});
