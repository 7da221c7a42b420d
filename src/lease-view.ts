import type { Style } from './output/style.ts';
import type { Detail } from './output/table.ts';
import { pastTime, shownEnd, shownPast, timeLeft } from './output/time.ts';
import type { EventInfo, LeaseDetails, LeaseSummary } from './services/admin/wire.ts';

/*
 * How people read leases that are anybody's, and what happened to them.
 */

export const leaseColumns = ['ID', 'KIND', 'STATE', 'HOLDER', 'CHANGED', 'ENDS'];

/** @param now by the clock of the service */
export function leaseRow(lease: LeaseSummary, now: number, style: Style): string[] {
  const { id, kind, state, holder, changed_at, expires_at } = lease;
  const isHeld = state === 'held' && expires_at !== null;
  return [
    id,
    kind,
    shownState(lease),
    holder ?? '',
    shownPast(changed_at, now, style),
    isHeld ? shownEnd(expires_at, now, style) : '',
  ];
}

export function leaseDetails(lease: LeaseDetails, style: Style): Detail[] {
  const now = Date.parse(lease.now);
  const past = (text: string | null | undefined) => text && pastTime(text, now, style);
  const { state, expires_at, work } = lease;
  const isHeld = state === 'held' && expires_at !== null;
  return [
    ['Id', lease.id],
    ['Kind', lease.kind],
    ['State', shownState(lease)],
    ['Holder', lease.holder],
    ['Acquired', past(lease.acquired_at)],
    isHeld ? ['Until', timeLeft(Date.parse(expires_at), now, style)] : ['Ended', past(expires_at)],
    ['Finished', past(lease.finished_at)],
    ['Error', lease.error_code],
    ['First seen', past(lease.first_seen_at)],
    ['Changed', past(lease.changed_at)],
    ['Acquisitions', lease.fencing_token],
    ['At most', work?.max_tries],
    ['Version', lease.version],
    ['Metadata', lease.metadata && JSON.stringify(lease.metadata)],
    ['Tags', work && work.tags.length > 0 ? work.tags.join(',') : undefined],
    ['Runners', work && work.runners.length > 0 ? work.runners.join(',') : undefined],
    ['Data', work && JSON.stringify(work.data)],
  ];
}

function shownState({ state, cancel_requested, closed }: LeaseSummary): string {
  if (cancel_requested) return `${state}, to be canceled`;
  return closed && state !== 'held' ? `${state}, given up` : state;
}

/** What happened, as a list tells it; with `isWide` also by which request. */
type Room = Pick<Style, 'isWide' | 'isInteractive' | 'columns'>;

/** Below this an id, what became of it, and why, would be cut for the rest. */
const ROOM_FOR_ALL = 120;

function isNarrow({ isWide, isInteractive, columns }: Room): boolean {
  return isInteractive && !isWide && columns < ROOM_FOR_ALL;
}

export function eventColumns(room: Room): string[] {
  if (isNarrow(room)) return ['TIME', 'EVENT', 'ID', 'CHANGE', 'DETAIL'];
  const columns = ['TIME', 'EVENT', 'KIND', 'ID', 'CHANGE', 'CALLER', 'DETAIL'];
  return room.isWide ? [...columns, 'REQUEST'] : columns;
}

/** @param time as it is to be shown */
export function eventRow(event: EventInfo, time: string, room: Room): string[] {
  const { type, kind, id, caller, request_id } = event;
  if (isNarrow(room)) return [time, type, id, shownChange(event), shownDetail(event)];
  const row = [time, type, kind, id, shownChange(event), caller ?? '', shownDetail(event)];
  return room.isWide ? [...row, request_id ?? ''] : row;
}

/** What the lease was and is: once where that is the same. */
function shownChange({ before, after }: EventInfo): string {
  if (before === after) return after ?? '';
  return `${before ?? ''} → ${after ?? ''}`.trim();
}

/** What has parts of its own, as where it was taken, has no room in a list. */
function shownDetail({ detail }: EventInfo): string {
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(detail ?? {})
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
}
