import { formatDuration } from '../domain/duration.ts';
import type { Change, Snapshot } from './change.ts';

/** A change as programs read it. Times are RFC 3339; those of a lease by its service's clock. */
export function changeJson(change: Change): object {
  const time = moment(change.at);
  if (!('lease' in change)) {
    const { service, profile } = change.place;
    return { event: change.type, time, service, profile, message: change.problem ?? null };
  }
  const { type, lease, by, reason } = change;
  return {
    event: type,
    time,
    service: lease.place.service,
    profile: lease.place.profile,
    ...leaseJson(lease),
    by: by ?? null,
    reason: reason ?? null,
  };
}

function leaseJson(lease: Snapshot): object {
  return {
    kind: lease.kind,
    id: lease.id,
    state: lease.state,
    diagnosis: diagnosisOf(lease),
    holder: holderJson(lease),
    fencing_token: lease.fencingToken ?? null,
    version: lease.version > 0 ? lease.version : null,
    acquired_at: moment(lease.acquiredAt),
    renewed_at: moment(lease.renewedAt),
    expires_at: moment(lease.endsAt),
    ttl: lease.ttl === undefined ? null : lease.ttl / 1000,
    error_code: lease.errorCode ?? null,
    cancel_requested: lease.isCancelRequested,
  };
}

/** As `why` names it. */
function diagnosisOf({ health, state, isBroken, isCancelRequested }: Snapshot): string {
  if (health === 'ended') return isBroken ? 'broken' : 'expired';
  if (health === 'no_contact') return 'unreachable';
  if (health === 'free') return state;
  return health === 'healthy' && isCancelRequested ? 'stopping' : health;
}

/** Likewise; of what nobody has, or had, null. */
function holderJson({ who, origin, process }: Snapshot): object | null {
  if (who === undefined && origin === undefined) return null;
  const { host, user, pid, command } = origin ?? {};
  return {
    name: who ?? null,
    process: process ?? null,
    host: host ?? null,
    user: user ?? null,
    pid: pid ?? null,
    command: command ?? null,
  };
}

/** Also of a time that no calendar has. */
function moment(milliseconds: number | undefined): string | null {
  if (milliseconds === undefined) return null;
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** A change as people read it where there is nothing but lines. */
export function changeLine(change: Change, time: string): string {
  if (!('lease' in change)) {
    const words = change.type === 'contact_lost' ? 'no contact' : 'contact again';
    const why = change.problem === undefined ? '' : `: ${change.problem}`;
    return `${time}  ${words}  ${change.place.profile}${why}`;
  }
  const { type, lease, by, reason } = change;
  const done = type === 'refused' ? 'asked for by' : 'by';
  const details = [
    lease.who && `${lease.state === 'held' ? 'held by' : 'was held by'} ${lease.who}`,
    leftOf(lease),
    by && (by !== lease.who || type === 'refused') && `${done} ${by}`,
    reason,
  ];
  const told = details.filter((detail) => detail).join(', ');
  return `${time}  ${type.replaceAll('_', ' ')}  ${lease.id}${told && `  (${told})`}`;
}

function leftOf({ left }: Snapshot): string {
  return left === undefined ? '' : `${formatDuration(Math.ceil(left / 1000))} left`;
}
