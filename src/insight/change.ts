import type { Sighting } from './sighting.ts';

/** A lease that was seen, and the handle of its holder where the service tells that. */
export interface Seen {
  readonly sighting: Sighting;
  readonly handle?: string | undefined;
}

/**
 * What became of a lease that somebody held. `taken`: somebody holds it who acquired it since;
 * `ended`: nobody does, and somebody may; `finished`: nobody does, and nobody may any more; `untold`:
 * the service has no words for it.
 */
export type Change = 'none' | 'renewed' | 'taken' | 'ended' | 'finished' | 'untold';

/**
 * How far the end of a lease may seem to move by itself, in milliseconds, where services tell whole
 * seconds.
 */
const JITTER = 2_500;

/** @param first when somebody held it */
export function changeSince(first: Seen, next: Seen): Change {
  const { state, isClosed } = next.sighting;
  switch (state) {
    case 'held':
      if (isOther(first, next)) return 'taken';
      return isRenewed(first.sighting, next.sighting) ? 'renewed' : 'none';
    case 'completed':
    case 'failed':
      return 'finished';
    case 'untold':
      return 'untold';
    default:
      return isClosed ? 'finished' : 'ended';
  }
}

function isOther(first: Seen, next: Seen): boolean {
  const tokens = [first.sighting.fencingToken, next.sighting.fencingToken];
  return differ(tokens) || differ([first.handle, next.handle]);
}

/** Whether both are known, and not the same. */
function differ([one, other]: readonly unknown[]): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** A holder that asks for less time lives, too; to be asked to stop is none of its own doing. */
function isRenewed(first: Sighting, next: Sighting): boolean {
  const wasAsked = next.isCancelRequested && !first.isCancelRequested ? 1 : 0;
  const versions = (next.version ?? 0) - (first.version ?? 0);
  if (first.version !== undefined && versions > wasAsked) return true;
  return (next.endsAt ?? 0) > (first.endsAt ?? Number.POSITIVE_INFINITY) + JITTER;
}
