import { type Facts, supplemented } from './facts.ts';
import { endOf, pastOf } from './past.ts';
import { type Renewals, renewalsOf } from './renewals.ts';
import type { Sighting } from './sighting.ts';

/**
 * How a lease is. Programs read these names: none is ever changed.
 *
 * - `healthy`: held; as far as that can be seen its holder is at work
 * - `late`: held, but the next renewal is overdue
 * - `suspended`, `gone`: held by a process of this machine that is stopped, or no more
 * - `stopping`: held, and its holder was asked to stop
 * - `expired`: its holder let it run out; whoever wants it may have it
 * - `waiting`: nobody has it
 * - `broken`: somebody ended it for its holder; whoever wants it may have it
 * - `finished`: completed, failed or canceled, for good
 * - `poison`: work of which every try went wrong, or whose tries are used up
 * - `never_seen`: the service does not know it
 * - `unreachable`: the service did not answer
 * - `unknown`: the service does not tell
 */
export const DIAGNOSES = [
  'healthy',
  'late',
  'suspended',
  'gone',
  'stopping',
  'expired',
  'waiting',
  'broken',
  'finished',
  'poison',
  'never_seen',
  'unreachable',
  'unknown',
] as const;
export type DiagnosisName = (typeof DIAGNOSES)[number];

export interface Diagnosis {
  readonly name: DiagnosisName;
  /** The facts that it was made from, with what this machine knows. */
  readonly facts: Facts;
  /** Set for what is held. */
  readonly renewals: Renewals | undefined;
  /** Of what is poison: how many tries went wrong, and of how many; undefined for any number. */
  readonly tries: { readonly failed: number; readonly most: number | undefined } | undefined;
}

/** Tries of work that went wrong one after the other, from which on it is the work's own fault. */
const SUSPICIOUS = 3;

export function diagnose(told: Facts): Diagnosis {
  const facts = supplemented(told);
  const tries = triesOf(facts);
  const renewals = renewalsOf(facts);
  const name = tries ? 'poison' : nameOf(facts, renewals);
  return { name, facts, renewals, tries };
}

/** Whether only this machine says that it is held, though the service was asked. */
export function isSupposed({ name, facts }: Diagnosis): boolean {
  return facts.isSupposed === true && name !== 'unreachable';
}

function nameOf(facts: Facts, renewals: Renewals | undefined): DiagnosisName {
  const { sighting, history } = facts;
  switch (sighting.state) {
    case 'held':
      return nameOfHeld(facts, renewals);
    case 'completed':
    case 'failed':
      return 'finished';
    case 'never_seen':
      return 'never_seen';
    case 'untold':
      return 'unknown';
    default:
      // Canceled while somebody had it.
      if (sighting.isClosed) return 'finished';
      return endOf(history)?.type === 'broken' ? 'broken' : sighting.state;
  }
}

function nameOfHeld(facts: Facts, renewals: Renewals | undefined): DiagnosisName {
  const { sighting, process } = facts;
  if (process === 'gone' || process === 'suspended') return process;
  if (sighting.isCancelRequested) return 'stopping';
  return renewals?.isLate ? 'late' : 'healthy';
}

/** What makes work poison. Keys are none: nobody says that what they stand for is to be finished. */
function triesOf(facts: Facts): Diagnosis['tries'] {
  const { sighting } = facts;
  if (sighting.kind === 'key' || !isFree(sighting)) return undefined;
  const { fencingToken: taken, maxTries: most } = sighting;
  if (taken !== undefined && most !== undefined && taken >= most) return { failed: taken, most };
  if (sighting.isClosed) return undefined;
  const failed = pastOf(facts)?.failedInARow ?? 0;
  return failed >= SUSPICIOUS ? { failed, most } : undefined;
}

function isFree({ state }: Sighting): boolean {
  return state === 'waiting' || state === 'expired';
}
