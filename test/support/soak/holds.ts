import { type Change, type Entry, type Grant, isChange, isGrant } from './journal.ts';

/**
 * One lease, from when it was granted.
 *
 * Whatever was asked was done at some moment between `sent` and `answered`, or never, or, if no
 * answer came, perhaps later. So nobody knows exactly when a lease ended, only between which moments.
 */
export interface Hold {
  readonly grant: Grant;
  /** What its holder wanted of it, in the order in which it was asked. */
  readonly changes: readonly Change[];
  /** Before this it had surely not ended. */
  readonly sureEnd: number;
  /** After this it had surely ended; infinite where that is not known. */
  readonly latestEnd: number;
}

/** Milliseconds by which a database may round a moment. */
const ROUNDING = 1;

/** All leases on one key or job, in the order of their fencing tokens, then of their grants. */
export function holdsOf(entries: readonly Entry[]): Hold[] {
  const changes = entries.filter(isChange);
  return entries
    .filter(isGrant)
    .sort((one, other) => one.token - other.token || one.answered - other.answered)
    .map((grant) => {
      const own = changes.filter(({ by, token }) => by === grant.by && token === grant.token);
      return toHold(
        grant,
        own.sort((one, other) => one.sent - other.sent),
      );
    });
}

function toHold(grant: Grant, changes: readonly Change[]): Hold {
  const { ttl } = grant;
  const extensions = changes.filter(({ what }) => what === 'extend');
  const prolonged = [grant, ...extensions.filter(isDone)];
  const ends = changes.filter(({ what, outcome }) => what !== 'extend' && outcome !== 'refused');
  const runsOut = Math.max(...prolonged.map(({ sent }) => sent)) + ttl - ROUNDING;
  const isDoubtful = extensions.some(({ outcome }) => outcome === 'unknown');
  return {
    grant,
    changes,
    sureEnd: Math.min(runsOut, ...ends.map(({ sent }) => sent)),
    latestEnd: isDoubtful
      ? Number.POSITIVE_INFINITY
      : Math.max(...prolonged.map(({ answered }) => answered)) + ttl + ROUNDING,
  };
}

export function isDone({ outcome }: Change): boolean {
  return outcome === 'done';
}
