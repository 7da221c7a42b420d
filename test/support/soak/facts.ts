import { histories } from './check.ts';
import { holdsOf } from './holds.ts';
import { type Entry, isChange, isGrant } from './journal.ts';

/** What happened, for a test to know that what it is about did happen. */
export interface Facts {
  /** Leases, by what they were on. */
  readonly granted: Readonly<Record<string, number>>;
  readonly extended: number;
  readonly released: number;
  readonly finished: number;
  /** Leases that were over when their holder came. */
  readonly refused: number;
  /** Leases on what somebody else had had before, and had neither finished nor given back. */
  readonly inherited: number;
  /** What was wanted while somebody else had it. */
  readonly beaten: number;
  /** What nobody knows whether it was done. */
  readonly unknown: number;
  /** What was done, though its first answer was lost. */
  readonly repeated: number;
  /** Milliseconds, at most, in which nobody was granted or obeyed anything. */
  readonly longestPause: number;
}

export function findFacts(entries: readonly Entry[]): Facts {
  const count = (isIt: (entry: Entry) => boolean) => entries.filter(isIt).length;
  const done = (what: Entry['what']) =>
    count((entry) => entry.what === what && entry.outcome === 'done');
  const grants = entries.filter(isGrant);
  const kinds = [...new Set(grants.map(({ kind }) => kind))].sort();
  return {
    granted: Object.fromEntries(
      kinds.map((kind) => [kind, grants.filter((grant) => grant.kind === kind).length]),
    ),
    extended: done('extend'),
    released: done('release'),
    finished: done('finish'),
    refused: count(({ outcome }) => outcome === 'refused'),
    inherited: inheritedIn(entries),
    beaten: count(({ outcome }) => outcome === 'held'),
    unknown: count(({ outcome }) => outcome === 'unknown'),
    repeated: count((entry) => isObeyed(entry) && entry.tries > 1),
    longestPause: longestPauseIn(entries),
  };
}

function isObeyed(entry: Entry): boolean {
  return isGrant(entry) || (isChange(entry) && entry.outcome === 'done');
}

function inheritedIn(entries: readonly Entry[]): number {
  return histories(entries).reduce((sum, [, own]) => {
    const left = holdsOf(own)
      .slice(0, -1)
      .filter(({ changes }) =>
        changes.every(({ what, outcome }) => what === 'extend' || outcome === 'refused'),
      );
    return sum + left.length;
  }, 0);
}

function longestPauseIn(entries: readonly Entry[]): number {
  const moments = entries
    .filter(isObeyed)
    .map(({ answered }) => answered)
    .sort((one, other) => one - other);
  return moments.reduce(
    (longest, moment, index) => Math.max(longest, moment - (moments[index - 1] ?? moment)),
    0,
  );
}
