import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isClosed,
  isTriedOut,
  type Lease,
  phaseOf,
  RETENTION,
  remembered,
} from '../../src/engine/lease.ts';
import { type Command, type Outcome, transition } from '../../src/engine/transition.ts';
import { workOf } from '../support/store-suite.ts';

const START = Date.parse('2025-01-15T10:30:00Z');
const TTL = 10_000;

/** A command by one of a few callers, and how far the clock moves before it, also backwards. */
interface Step {
  readonly move: number;
  readonly type: 'add' | 'acquire' | 'extend' | 'finish' | 'release' | 'request_cancel';
  /** Which of the handles given out so far is shown; beyond them, one never given. */
  readonly handle: number;
  /** How far the fencing token that is shown is off; null to show none. */
  readonly fencing: number | null;
  readonly way: 'complete' | 'fail' | 'cancel';
  readonly idempotencyKey: string | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  move: fc.oneof(
    fc.integer({ min: 0, max: 8_000 }),
    fc.integer({ min: -30_000, max: 30_000 }),
    fc.constantFrom(RETENTION, -RETENTION),
  ),
  type: fc.constantFrom(
    'add',
    'acquire',
    'acquire',
    'acquire',
    'extend',
    'finish',
    'release',
    'release',
    'request_cancel',
  ),
  handle: fc.constantFrom(0, 0, 0, 1, 5),
  fencing: fc.constantFrom(null, 0, 0, -1, 1),
  way: fc.constantFrom('complete', 'fail', 'cancel'),
  idempotencyKey: fc.constantFrom(undefined, 'i'),
});

function commandOf(
  { type, way, ...step }: Step,
  lease: Lease | undefined,
  handles: readonly string[],
  maxTries: number | null,
): Command {
  const kind = 'job' as const;
  const fresh = `handle-${handles.length}`;
  const fencingToken =
    step.fencing === null ? undefined : (lease?.fencingToken ?? 0) + step.fencing;
  const proof = { handle: handles.at(-1 - step.handle) ?? 'never-given', fencingToken };
  const idempotency = step.idempotencyKey && { key: step.idempotencyKey, requestHash: 'h' };
  const once = idempotency ? { idempotency } : {};
  switch (type) {
    case 'add':
      return { type, kind, id: 'j', ttl: TTL, handle: fresh, work: workOf({ maxTries }) };
    case 'acquire':
      return {
        type,
        kind,
        id: 'j',
        ttl: null,
        handle: fresh,
        metadata: null,
        idempotencyKey: null,
        requestHash: null,
        usage: 0,
      };
    case 'extend':
      return { type, ...proof, ttl: null };
    case 'finish': {
      const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
      return { type, way, ...proof, ...nothing, ...once };
    }
    case 'release':
      return { type, ...proof, ...once };
    case 'request_cancel':
      return { type };
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
function play(steps: readonly Step[], maxTries: number | null): Move[] {
  let lease: Lease | undefined;
  let now = START;
  const handles: string[] = [];
  return steps.map((step) => {
    now += step.move;
    const command = commandOf(step, lease, handles, maxTries);
    const before = lease;
    const result = transition(before, command, now);
    lease = result.lease;
    if (lease && lease.handle !== before?.handle) handles.push(lease.handle);
    return { before, after: lease, command, outcome: result.outcome, now };
  });
}

function always(holds: (move: Move, maxTries: number | null) => void): void {
  const sequence = fc.array(step, { maxLength: 40 });
  fc.assert(
    fc.property(sequence, fc.constantFrom(null, 1, 2), (steps, maxTries) => {
      for (const move of play(steps, maxTries)) holds(move, maxTries);
    }),
    { numRuns: 2_000 },
  );
}

const isHeld = (lease: Lease | undefined, now: number) =>
  lease !== undefined && phaseOf(lease, now) === 'held';

describe('over any sequence of commands on work, and of clock jumps', () => {
  test('it is there once it was added, and never again', () => {
    always(({ before, after, command, outcome }) => {
      if (command.type === 'add') {
        expect(outcome.type).toBe(before ? 'rejected' : 'added');
      } else if (!before) {
        expect(after).toBeUndefined();
        expect(outcome).toEqual({ type: 'rejected', reason: 'unknown' });
      }
    });
  });

  test('a live lease is never taken from its holder', () => {
    always(({ before, after, now }) => {
      if (isHeld(before, now)) expect(after?.handle).toBe(before?.handle);
    });
  });

  test('only the current handle and fencing token extend, finish and give back', () => {
    always(({ before, after, command, now }) => {
      const isOfHolder = 'handle' in command && 'fencingToken' in command;
      if (after === before || !isOfHolder) return;
      expect(isHeld(before, now)).toBe(true);
      expect(command.handle).toBe(before?.handle);
      expect([undefined, before?.fencingToken]).toContain(command.fencingToken);
    });
  });

  test('the fencing token counts the acquisitions', () => {
    always(({ before, after, outcome }) => {
      const step = outcome.type === 'acquired' ? 1 : 0;
      expect(after?.fencingToken ?? 0).toBe((before?.fencingToken ?? 0) + step);
    });
  });

  test('it is not acquired more often than its tries allow, nor once it is to be canceled', () => {
    always(({ before, after, outcome }, maxTries) => {
      if (maxTries !== null) expect(after?.fencingToken ?? 0).toBeLessThanOrEqual(maxTries);
      if (outcome.type === 'acquired') expect(before?.isCancelRequested).toBe(false);
    });
  });

  test('what waits, or ran out, goes to whoever comes first, unless it is closed', () => {
    always(({ before, command, outcome, now }) => {
      const known = remembered(before, now);
      if (command.type !== 'acquire' || !known || phaseOf(known, now) !== 'expired') return;
      expect(outcome).toMatchObject(
        isClosed(known) ? { type: 'rejected', reason: 'closed' } : { type: 'acquired' },
      );
    });
  });

  test('what was given back waits from that moment on, and its handle is good for nothing', () => {
    always(({ after, command, outcome, now }) => {
      if (outcome.type !== 'released' || !after || command.type !== 'release') return;
      expect(phaseOf(after, now)).toBe('expired');
      expect(after.expiresAt).toBe(after.changedAt);
      const again = transition(after, command, now).outcome;
      expect(again).toEqual({ type: 'rejected', reason: 'expired' });
    });
  });

  test('with an idempotency key, a second finish is refused, also the same', () => {
    always(({ after, command, outcome, now }) => {
      if (command.type !== 'finish' || outcome.type !== 'finished') return;
      const again = transition(after, command, now + 1).outcome;
      expect(again).toEqual(
        command.idempotency ? { type: 'rejected', reason: 'already_finished' } : outcome,
      );
    });
  });

  test('to be canceled: at once if nobody holds it, else its holder goes on', () => {
    always(({ before, after, command, outcome, now }) => {
      const known = remembered(before, now);
      if (command.type !== 'request_cancel' || !known || known.finish) return;
      if (isHeld(known, now)) {
        expect(outcome.type).toBe('cancel_requested');
        expect(after).toMatchObject({ handle: known.handle, expiresAt: known.expiresAt });
      } else if (isTriedOut(known)) {
        expect(outcome).toEqual({ type: 'rejected', reason: 'closed' });
      } else {
        expect(after?.finish?.way).toBe('cancel');
      }
    });
  });

  test('a lease lasts what the work was added with', () => {
    always(({ after, outcome }) => {
      if (outcome.type !== 'acquired' && outcome.type !== 'extended') return;
      expect(after?.expiresAt).toBe((after?.changedAt ?? 0) + TTL);
    });
  });

  test('the sequences reach every outcome', () => {
    const seen = new Set<string>();
    always(({ outcome }) => {
      seen.add(outcome.type === 'rejected' ? outcome.reason : outcome.type);
    });
    expect([...seen].sort()).toEqual([
      'acquired',
      'added',
      'already_finished',
      'cancel_requested',
      'closed',
      'exists',
      'expired',
      'extended',
      'finished',
      'held',
      'released',
      'unknown',
      'wrong_handle',
    ]);
  });
});
