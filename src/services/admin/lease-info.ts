import { originIn } from '../../domain/origin.ts';
import { isClosed, type Lease, stateOf, type Work } from '../../engine/lease.ts';
import type { LeaseDetails, LeaseSummary } from './wire.ts';

/** What may be told of a lease: all but its handle, and what credentials its work has. */
export function leaseSummary(lease: Lease, now: number): LeaseSummary {
  const origin = originIn(lease.metadata);
  const { kind, id, fencingToken, version, finish, isCancelRequested } = lease;
  const state = stateOf(lease, now);
  return {
    kind,
    id,
    state,
    holder: fencingToken === 0 ? null : holderOf(lease),
    fencing_token: fencingToken,
    version,
    first_seen_at: moment(lease.firstSeenAt),
    acquired_at: fencingToken === 0 ? null : moment(lease.acquisition.at),
    ttl: lease.ttl / 1000,
    changed_at: moment(lease.changedAt),
    expires_at: state === 'held' || state === 'expired' ? moment(lease.expiresAt) : null,
    finished_at: finish && moment(finish.at),
    error_code: finish?.errorCode ?? null,
    cancel_requested: isCancelRequested,
    closed: finish === null && isClosed(lease),
    origin: origin ? { ...origin } : null,
  };
}

export function leaseDetails(lease: Lease, now: number): LeaseDetails {
  const { metadata, work, finish } = lease;
  return {
    ...leaseSummary(lease, now),
    result_hash: finish?.resultHash ?? null,
    metadata,
    work: work && workInfo(work),
    now: moment(now),
  };
}

/** As the dialects note it, whose jobs are given to somebody by name. */
function holderOf({ work, metadata }: Lease): string | null {
  // A key's are its user's own words.
  if (!work) return null;
  const name = metadata?.['claimed_by'] ?? metadata?.['runner_id'];
  return typeof name === 'string' ? name : null;
}

function workInfo({ pool, workspace, tags, runners, maxTries, data }: Work) {
  const { credentials: _, ...rest } = data;
  return {
    pool,
    workspace,
    tags: [...tags],
    runners: [...runners],
    max_tries: maxTries,
    data: rest,
  };
}

function moment(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
