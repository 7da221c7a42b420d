import type { Origin } from '../domain/origin.ts';
import { patienceWith } from '../insight/renewals.ts';
import type { LeaseKind, SeenState } from '../insight/sighting.ts';
import type { Place } from './update.ts';

/** A lease that is watched. Times are milliseconds since 1970 by the service's clock. */
export interface Row {
  /** Tells it from all others. */
  readonly key: string;
  readonly place: Place;
  readonly kind: LeaseKind;
  readonly id: string;
  state: SeenState;
  isBroken: boolean;
  isCancelRequested: boolean;
  version: number;
  fencingToken: number | undefined;
  /** When it changed last, as far as that is known. */
  changedAt: number;
  endsAt: number | undefined;
  ttl: number | undefined;
  acquiredAt: number | undefined;
  renewedAt: number | undefined;
  /** How often it was renewed, as far as that was told, and the milliseconds that usually passed. */
  renewals: number;
  rhythm: number | undefined;
  holder: string | undefined;
  /** Who took or renewed it last. */
  caller: string | undefined;
  origin: Origin | undefined;
  errorCode: string | undefined;
  /** What is wrong with the process that keeps it, where that is to be seen. */
  process: 'suspended' | 'gone' | undefined;
  /** Whether this machine took it, as far as it was asked. */
  isOwn: boolean;
  /** When the service told last that it is so, by its clock. */
  seenAt: number;
  /** Since when time alone says otherwise, and when that was last asked, by this machine's clock. */
  doubtedAt: number | undefined;
  askedAt: number;
  /** The health that was last told. */
  told: Health;
}

/**
 * How it is about a lease: `late` where renewals came regularly and one is overdue, `gone` where the
 * process that keeps it is no more, `ended` where its holder let it run out or it was taken from him,
 * `free` where nobody has it and nobody lost it.
 */
export const HEALTHS = [
  'ended',
  'gone',
  'ending',
  'suspended',
  'late',
  'no_contact',
  'healthy',
  'unknown',
  'free',
  'finished',
] as const;
export type Health = (typeof HEALTHS)[number];

/** A lease is about to end in the last part of its time, and not before so many milliseconds. */
const LAST_PART = 1 / 5;
const LAST_MINUTE = 60_000;
/** The same where it is not known how long it lasts. */
const LAST_MOMENT = 10_000;

/**
 * @param now by the clock of the service
 * @param isReached whether the service answers
 */
export function healthOf(row: Row, now: number, isReached: boolean): Health {
  const { state } = row;
  if (state === 'completed' || state === 'failed') return 'finished';
  if (state === 'expired') return 'ended';
  if (state === 'waiting' || state === 'never_seen') return 'free';
  if (state !== 'held') return 'unknown';
  // By time alone nothing is known: it may have been renewed since.
  if (!isReached) return 'no_contact';
  const byTime = BY_TIME.find((health) => now >= sinceOf(row, health));
  if (byTime === 'ended' || row.process === undefined) return byTime ?? 'healthy';
  if (row.process === 'gone') return 'gone';
  return byTime === 'ending' ? 'ending' : 'suspended';
}

const BY_TIME = ['ended', 'ending', 'late'] as const;
type ByTime = (typeof BY_TIME)[number];

/** When a lease that is held becomes that by time alone. */
export function sinceOf(row: Row, health: ByTime): number {
  const { endsAt, ttl, renewedAt, acquiredAt, origin } = row;
  if (health === 'late') {
    const patience = patienceWith(row.renewals, row.rhythm, { origin, ttl });
    return (renewedAt ?? acquiredAt ?? Infinity) + (patience ?? Infinity) + 1;
  }
  if (endsAt === undefined) return Infinity;
  return health === 'ended' ? endsAt : endsAt - lastOf(ttl);
}

/** Whether the service has told that a lease is still the same since it became that by time. */
export function isTold(row: Row, health: Health): boolean {
  const isByTime = health === 'ended' || health === 'ending' || health === 'late';
  return !isByTime || row.state !== 'held' || row.seenAt >= sinceOf(row, health);
}

function lastOf(ttl: number | undefined): number {
  return ttl === undefined ? LAST_MOMENT : Math.min(ttl * LAST_PART, LAST_MINUTE);
}

/** How much of its time is left, from 0 to 1; undefined where that is not known. */
export function partLeft({ endsAt, ttl, renewedAt, acquiredAt }: Row, now: number) {
  const begun = renewedAt ?? acquiredAt;
  const whole = ttl ?? (endsAt === undefined || begun === undefined ? undefined : endsAt - begun);
  if (endsAt === undefined || whole === undefined || whole <= 0) return undefined;
  return Math.min(1, Math.max(0, (endsAt - now) / whole));
}

/** Who has a lease, as far as anybody told. The service's name for him goes before his own. */
export function holderOf({ holder, origin, caller }: Row): string | undefined {
  if (holder !== undefined || caller !== undefined) return holder ?? caller;
  const { user, host } = origin ?? {};
  if (user === undefined || host === undefined) return user ?? host;
  return `${user}@${host}`;
}

export function keyOf({ service, profile, location }: Place, kind: LeaseKind, id: string): string {
  return [service, profile, location, kind, id].join('\0');
}
