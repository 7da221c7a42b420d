import type { LeaseChangeType } from './change.ts';
import type { Row } from './row.ts';
import { forgetHolder, noteRenewal } from './see.ts';
import type { Happening } from './update.ts';

/** What each thing that happens is called, and what state it leaves. */
const MEANINGS = {
  added: ['added', 'waiting'],
  acquired: ['acquired', 'held'],
  extended: ['extended', 'held'],
  released: ['released', 'waiting'],
  completed: ['completed', 'completed'],
  failed: ['failed', 'failed'],
  canceled: ['canceled', 'failed'],
  broken: ['broken', 'expired'],
} as const;

/**
 * Brings a row up to what happened to its lease.
 *
 * @returns what is to be told of it; undefined where it was known already
 */
export function happen(row: Row, happening: Happening): LeaseChangeType | undefined {
  const { what, at, version } = happening;
  if (what === 'refused') return 'refused';
  if (what === 'cancel_requested') {
    row.isCancelRequested = true;
    row.version = Math.max(row.version, version);
    return 'cancel_requested';
  }
  if (what === 'expired') return expire(row, happening);
  // A version begins anew where the service forgot the lease; its clock may have been set.
  if (version <= row.version && at <= row.changedAt) return undefined;
  if (what === 'acquired') begin(row, happening);
  if (what === 'extended') extend(row, happening);
  const [change, state] = MEANINGS[what];
  row.state = state;
  row.isBroken = what === 'broken';
  row.version = version;
  row.fencingToken = happening.fencingToken;
  row.changedAt = at;
  row.seenAt = Math.max(row.seenAt, at);
  row.doubtedAt = undefined;
  row.errorCode = happening.errorCode;
  if (state !== 'held') row.endsAt = state === 'expired' ? at : undefined;
  return change;
}

/** That one ran out is noted late, and nothing of it changes by that. */
function expire(row: Row, { at, version, fencingToken }: Happening): LeaseChangeType | undefined {
  const isNews =
    row.state === 'held' && version >= row.version && fencingToken === row.fencingToken;
  if (!isNews) return undefined;
  row.state = 'expired';
  row.endsAt = at;
  row.changedAt = at;
  return 'expired';
}

function begin(row: Row, happening: Happening): void {
  const { at, ttl, endsAt, holder, caller, origin } = happening;
  forgetHolder(row);
  row.acquiredAt = at;
  row.isCancelRequested = false;
  row.ttl = ttl;
  row.endsAt = endsAt ?? (ttl === undefined ? undefined : at + ttl);
  row.origin = origin;
  row.holder = holder ?? caller;
  row.caller = caller;
}

function extend(row: Row, { at, ttl, endsAt, caller }: Happening): void {
  noteRenewal(row, at);
  row.ttl = ttl ?? row.ttl;
  row.endsAt = endsAt ?? (row.ttl === undefined ? undefined : at + row.ttl);
  row.caller ??= caller;
}
