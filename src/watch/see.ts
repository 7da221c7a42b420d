import type { Sighting } from '../insight/sighting.ts';
import type { LeaseChangeType } from './change.ts';
import type { Row } from './row.ts';
import type { OwnNote } from './update.ts';

/**
 * A renewal moves the end by more than this, in milliseconds: more than clocks differ by, and where no
 * version tells changes apart, more than whole seconds are off.
 */
const NOISE = 250;
const ROUGH_NOISE = 1_500;

/**
 * Brings a row up to what a look at its lease found.
 *
 * @returns what that tells; undefined where it tells nothing new
 */
export function see(
  row: Row,
  sighting: Sighting,
  own?: OwnNote,
  isAnothers = false,
): LeaseChangeType | undefined {
  if (isOutdated(row, sighting)) {
    if (sighting.fencingToken === row.fencingToken) complete(row, sighting);
    return undefined;
  }
  const isFirst = row.version < 0;
  const isSame = !isAnothers && isSameHolder(row, sighting);
  const isRenewed = !isFirst && isSame && isProlonged(row, sighting);
  const change = isFirst ? 'seen' : isRenewed ? 'extended' : changeOfState(row, sighting, isSame);
  if (change === 'acquired') forgetHolder(row);
  if (isRenewed) noteRenewal(row, renewalOf(sighting));
  take(row, sighting);
  row.seenAt = Math.max(row.seenAt, sighting.at);
  row.doubtedAt = undefined;
  row.isOwn = own !== undefined;
  if (own) supplement(row, own);
  return change;
}

/** What the service told by events meanwhile is newer. */
function isOutdated(row: Row, { version, changedAt }: Sighting): boolean {
  if (version === undefined || version >= row.version) return false;
  return changedAt === undefined || changedAt <= row.changedAt;
}

/** What no event tells, and does not change while somebody has it. */
function complete(row: Row, { acquiredAt, holder, origin, ttl }: Sighting): void {
  row.acquiredAt ??= acquiredAt;
  row.holder ??= holder;
  row.origin ??= origin;
  row.ttl ??= ttl;
}

function isSameHolder(row: Row, { state, fencingToken, acquiredAt }: Sighting): boolean {
  if (row.state !== 'held' || state !== 'held') return false;
  if (fencingToken !== undefined && row.fencingToken !== undefined) {
    return fencingToken === row.fencingToken;
  }
  return acquiredAt === undefined || row.acquiredAt === undefined || acquiredAt === row.acquiredAt;
}

function isProlonged(row: Row, { endsAt, version }: Sighting): boolean {
  const noise = version === undefined ? ROUGH_NOISE : NOISE;
  const isMoved = endsAt !== undefined && endsAt > (row.endsAt ?? Infinity) + noise;
  return isMoved && (version === undefined || version > row.version);
}

function changeOfState(row: Row, sighting: Sighting, isSame: boolean): LeaseChangeType | undefined {
  const { state } = sighting;
  if (state === 'held') {
    return row.state === 'held' && isSame ? undefined : 'acquired';
  }
  if (state === row.state) return undefined;
  if (state === 'waiting') return 'released';
  if (state === 'completed' || state === 'failed' || state === 'expired') return state;
  return 'unseen';
}

/** Nothing of what was so under one holder is so under the next. */
export function forgetHolder(row: Row): void {
  row.acquiredAt = undefined;
  row.renewedAt = undefined;
  row.rhythm = undefined;
  row.renewals = 0;
  row.ttl = undefined;
  row.holder = undefined;
  row.origin = undefined;
  row.caller = undefined;
  row.process = undefined;
  row.isOwn = false;
}

/** When it was renewed, as exactly as that can be known. */
function renewalOf({ changedAt, endsAt, ttl, at }: Sighting): number {
  if (changedAt !== undefined) return changedAt;
  return endsAt !== undefined && ttl !== undefined ? endsAt - ttl : at;
}

/** The newest pause counts for so much of what is usual. */
const NEWEST = 0.25;

export function noteRenewal(row: Row, at: number): void {
  const before = row.renewedAt ?? row.acquiredAt;
  if (before !== undefined && at > before) {
    const pause = at - before;
    row.rhythm = row.rhythm === undefined ? pause : row.rhythm + NEWEST * (pause - row.rhythm);
  }
  row.renewedAt = at;
  row.renewals += 1;
}

function take(row: Row, sighting: Sighting): void {
  const { state, version } = sighting;
  const isHeldOn = row.state === 'held' && state === 'held';
  takeTimes(row, sighting, isHeldOn);
  takeHolder(row, sighting, isHeldOn);
  row.isBroken &&= state === 'expired';
  row.state = state;
  row.version = version ?? Math.max(0, row.version);
  row.isCancelRequested = sighting.isCancelRequested ?? false;
  row.fencingToken = sighting.fencingToken ?? row.fencingToken;
  row.errorCode = sighting.errorCode;
}

function takeTimes(row: Row, sighting: Sighting, isHeldOn: boolean): void {
  const { state, version, changedAt, at, acquiredAt, finishedAt } = sighting;
  // Each look tells the same end in whole seconds from its own time.
  const isSame =
    isHeldOn && !isProlonged(row, sighting) && (version ?? row.version) === row.version;
  const endsAt = isSame ? row.endsAt : (sighting.endsAt ?? row.endsAt);
  row.endsAt = state === 'held' || state === 'expired' ? endsAt : undefined;
  row.ttl = sighting.ttl ?? row.ttl;
  row.acquiredAt = acquiredAt ?? row.acquiredAt;
  const endedAt = state === 'expired' ? sighting.endsAt : finishedAt;
  const known = changedAt ?? endedAt;
  if (known !== undefined) row.changedAt = Math.max(known, endedAt ?? known);
  else if (!isHeldOn) row.changedAt = at;
  const isRenewedSince = changedAt !== undefined && changedAt > (acquiredAt ?? Infinity);
  if (state === 'held' && isRenewedSince) row.renewedAt = changedAt;
}

/** Who had it last is of interest where he lost it, too. */
function takeHolder(row: Row, { state, holder, origin }: Sighting, isHeldOn: boolean): void {
  const isHis = isHeldOn || state === 'expired' || state === 'completed' || state === 'failed';
  row.holder = holder ?? (isHis ? row.holder : undefined);
  row.origin = origin ?? (isHis ? row.origin : undefined);
  if (!isHis) row.caller = undefined;
}

/** Where the service tells nothing, what this machine noted of its own lease. */
export function asNoted(sighting: Sighting, own: OwnNote): Sighting {
  const { acquiredAt, expiresAt, renewedAt, origin } = own;
  const changedAt = renewedAt ?? acquiredAt;
  const ttl = expiresAt - changedAt;
  return { ...sighting, state: 'held', endsAt: expiresAt, acquiredAt, changedAt, ttl, origin };
}

/** What only this machine knows. */
function supplement(row: Row, own: OwnNote): void {
  const { acquiredAt, renewedAt, renewals, origin } = own;
  row.origin ??= origin;
  if (row.state !== 'held') return;
  row.acquiredAt ??= acquiredAt;
  row.renewedAt ??= renewedAt;
  if (renewals && row.renewedAt !== undefined) {
    row.rhythm ??= (row.renewedAt - row.acquiredAt) / renewals;
    row.renewals = Math.max(row.renewals, renewals);
  }
}
