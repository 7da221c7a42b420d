import type { Origin } from '../domain/origin.ts';
import { type Facts, type Happening, isKept } from './facts.ts';

/** How a lease that is held was renewed since it was acquired. Durations in milliseconds. */
export interface Renewals {
  readonly count: number;
  /** When the lease was renewed last, or else acquired. */
  readonly lastAt: number;
  /** How far they are apart: half of them are no farther. */
  readonly usual: number | undefined;
  /** The longest time from one to the next. */
  readonly longest: number | undefined;
  /** Whether the next is overdue. */
  readonly isLate: boolean;
}

/** A lease's time is renewed when a third of it is over, by those that keep it. */
const PARTS = 3;
/** How many times the usual interval, and milliseconds on top, may pass before one is late. */
const PATIENCE = { times: 1.5, more: 1_000 };
/** So many make a habit. */
const HABIT = 2;

/**
 * How long after one renewal the next is late, in milliseconds; undefined for whom nothing is usual.
 *
 * @param count how often it was renewed
 * @param usual how far renewals were apart
 */
export function patienceWith(
  count: number,
  usual: number | undefined,
  facts: { readonly origin: Origin | undefined; readonly ttl: number | undefined },
): number | undefined {
  const expected = count >= HABIT ? usual : planned(facts);
  return expected === undefined ? undefined : expected * PATIENCE.times + PATIENCE.more;
}

/** @returns undefined for what is not held, and where nothing tells of it */
export function renewalsOf(facts: Facts): Renewals | undefined {
  const { sighting } = facts;
  if (sighting.state !== 'held') return undefined;
  const times = timesOf(facts);
  const lastAt = Math.max(...times.known);
  if (!Number.isFinite(lastAt)) return undefined;
  const usual = times.count > 0 ? (times.usual ?? median(times.intervals)) : undefined;
  const {
    origin,
    sighting: { ttl },
  } = facts;
  const patience = patienceWith(times.count, usual, { origin, ttl });
  return {
    count: times.count,
    lastAt,
    usual,
    longest: times.intervals.length > 0 ? Math.max(...times.intervals) : undefined,
    isLate: patience !== undefined && sighting.at - lastAt > patience,
  };
}

interface Times {
  readonly count: number;
  /** When it was acquired or renewed, as far as that is known. */
  readonly known: readonly number[];
  readonly intervals: readonly number[];
  /** Where the intervals are not known, but how long all took. */
  readonly usual?: number | undefined;
}

function timesOf(facts: Facts): Times {
  const { sighting, history, held } = facts;
  const own = history?.filter(({ fencingToken }) => fencingToken === sighting.fencingToken) ?? [];
  const acquired = own.find(({ type }) => type === 'acquired');
  const renewed = own.filter(({ type }) => type === 'extended').map(({ at }) => at);
  const times = renewed.toReversed();
  if (acquired || times.length > 0) {
    const count = Math.max(times.length, countedBy(sighting.version, acquired, own));
    // The first ones may be forgotten.
    const all = acquired && count === times.length ? [acquired.at, ...times] : times;
    return { count, known: [...times, ...(acquired ? [acquired.at] : [])], intervals: gaps(all) };
  }
  const { acquiredAt, endsAt, ttl } = sighting;
  const set = endsAt !== undefined && ttl !== undefined ? endsAt - ttl : undefined;
  const begin = acquiredAt ?? held?.acquiredAt;
  const known = [begin, set, held?.renewedAt].filter((time) => time !== undefined);
  const count = held?.renewals ?? 0;
  const usual =
    held?.renewedAt !== undefined && count > 0
      ? (held.renewedAt - held.acquiredAt) / count
      : undefined;
  return { count, known, intervals: [], usual };
}

/** How often it was changed since it was acquired, which extending mostly is. */
function countedBy(
  version: number | undefined,
  acquired: Happening | undefined,
  own: readonly Happening[],
): number {
  if (version === undefined || !acquired) return 0;
  const others = own.filter(({ type }) => type === 'cancel_requested').length;
  return version - acquired.version - others;
}

/** How often those that keep it renew it; undefined where nobody is known to. */
function planned({ origin, ttl }: Parameters<typeof patienceWith>[2]): number | undefined {
  return isKept({ origin }) && ttl !== undefined ? ttl / PARTS : undefined;
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, before) => time - (times[before] ?? time));
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
