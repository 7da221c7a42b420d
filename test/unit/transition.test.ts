import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lease, phaseOf, RETENTION, remembered } from '../../src/engine/lease.ts';
import { type Command, type Outcome, transition } from '../../src/engine/transition.ts';

const START = Date.parse('2025-01-15T10:30:00Z');

/** A command by one of a few callers, and how far the clock moves before it, also backwards. */
interface Step {
  readonly move: number;
  readonly kind: 'acquire' | 'extend' | 'complete' | 'fail' | 'cancel';
  /** Which of the handles given out so far is shown; beyond them, one never given. */
  readonly handle: number;
  readonly ttl: number;
  readonly idempotencyKey: string | null;
}

const step: fc.Arbitrary<Step> = fc.record({
  move: fc.oneof(
    fc.integer({ min: 0, max: 20_000 }),
    fc.integer({ min: -60_000, max: 60_000 }),
    fc.constantFrom(RETENTION, RETENTION + 1, -RETENTION, 365 * 24 * 3_600_000),
  ),
  kind: fc.constantFrom('acquire', 'acquire', 'extend', 'complete', 'fail', 'cancel'),
  handle: fc.nat(6),
  ttl: fc.constantFrom(1_000, 5_000, 30_000),
  idempotencyKey: fc.constantFrom(null, null, 'a', 'b'),
});

function commandOf(step: Step, handles: readonly string[], index: number): Command {
  const handle = handles.at(-1 - step.handle) ?? 'never-given';
  const { kind, ttl, idempotencyKey } = step;
  const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
  switch (kind) {
    case 'acquire':
      return {
        type: 'acquire',
        kind: 'key',
        id: 'k',
        ttl,
        handle: `handle-${index}`,
        metadata: null,
        idempotencyKey,
        requestHash: idempotencyKey && `ttl ${ttl}`,
        usage: index,
      };
    case 'extend':
      return { type: 'extend', handle, ttl: step.handle % 2 === 0 ? ttl : null };
    default:
      return { type: 'finish', way: kind, handle, ...nothing };
  }
}

interface Move {
  readonly before: Lease | undefined;
  readonly after: Lease | undefined;
  readonly command: Command;
  readonly outcome: Outcome;
  readonly now: number;
}

/** Plays a sequence and tells every move of it. */
function play(steps: readonly Step[]): Move[] {
  let lease: Lease | undefined;
  let now = START;
  const handles: string[] = [];
  return steps.map((step, index) => {
    now += step.move;
    const command = commandOf(step, handles, index);
    const before = lease;
    const result = transition(before, command, now);
    lease = result.lease;
    if (lease && lease.handle !== before?.handle) handles.push(lease.handle);
    return { before, after: lease, command, outcome: result.outcome, now };
  });
}

function always(holds: (move: Move, moves: readonly Move[]) => void): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const moves = play(steps);
      for (const move of moves) holds(move, moves);
    }),
    { numRuns: 2_000 },
  );
}

describe('over any sequence of commands and clock jumps', () => {
  test('a live lease is never taken from its holder', () => {
    always(({ before, after, now }) => {
      if (before && phaseOf(before, now) === 'held') expect(after?.handle).toBe(before.handle);
    });
  });

  test('only the current handle of a live lease changes it', () => {
    always(({ before, after, command, now }) => {
      if (after === before || !('handle' in command) || command.type === 'acquire') return;
      expect(before?.handle).toBe(command.handle);
      expect(before && phaseOf(before, now)).toBe('held');
    });
  });

  test('the version grows by one with every accepted change, and the fencing token never falls', () => {
    always(({ before, after, command, now }) => {
      if (!after || after === before) return;
      const known = remembered(before, now);
      expect(after.version).toBe((known?.version ?? 0) + 1);
      const step = command.type === 'acquire' ? 1 : 0;
      expect(after.fencingToken).toBe((before?.fencingToken ?? 0) + step);
    });
  });

  test('when it was first seen stays as long as it is known', () => {
    always(({ before, after, now }) => {
      const known = remembered(before, now);
      if (known && after) expect(after.firstSeenAt).toBe(known.firstSeenAt);
    });
  });

  test('a finished lease never changes while it is remembered', () => {
    always(({ before, after, now }) => {
      if (before?.finish && remembered(before, now)) expect(after).toBe(before);
    });
  });

  test('the same finish again answers the same, and another one is refused', () => {
    always(({ after, command, outcome, now }) => {
      if (command.type !== 'finish' || outcome.type !== 'finished') return;
      const again = transition(after, command, now + 1);
      expect(again).toEqual({ lease: after, outcome });
      for (const way of ['complete', 'fail', 'cancel'] as const) {
        if (way === command.way) continue;
        expect(transition(after, { ...command, way }, now + 1).outcome).toEqual({
          type: 'rejected',
          reason: 'already_finished',
        });
      }
    });
  });

  test('the same acquisition again answers the same while it is live, and changes nothing', () => {
    always(({ after, command, outcome, now }) => {
      if (command.type !== 'acquire' || outcome.type !== 'acquired' || outcome.replayed) return;
      if (command.idempotencyKey === null) return;
      const again = transition(
        after,
        { ...command, handle: 'another' },
        now + (command.ttl ?? 1) - 1,
      );
      expect(again).toEqual({ lease: after, outcome: { ...outcome, replayed: true } });
      const other = { ...command, requestHash: 'another' };
      expect(transition(after, other, now).outcome).toEqual({
        type: 'rejected',
        reason: 'idempotency_conflict',
      });
    });
  });

  test('a lease ends after it was last changed, and by its time to live', () => {
    always(({ after }) => {
      if (after && !after.finish) expect(after.expiresAt).toBe(after.changedAt + after.ttl);
      if (after?.finish) expect(after.finish.at).toBe(after.changedAt);
    });
  });

  test('nothing happens in the past of a lease', () => {
    always(({ before, after }) => {
      if (before && after) expect(after.changedAt).toBeGreaterThanOrEqual(before.changedAt);
    });
  });

  test('the sequences reach every outcome', () => {
    const seen = new Set<string>();
    always((_, moves) => {
      for (const { outcome } of moves) {
        seen.add(outcome.type === 'rejected' ? outcome.reason : outcome.type);
      }
    });
    expect([...seen].sort()).toEqual([
      'acquired',
      'already_finished',
      'expired',
      'extended',
      'finished',
      'held',
      'idempotency_conflict',
      'unknown',
      'wrong_handle',
    ]);
  });
});
