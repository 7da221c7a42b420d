import { isClosed, type Lease, phaseOf, type Work } from '../../engine/lease.ts';
import type { LeaseDetails, LeaseSummary, State } from './wire.ts';

/** What may be told of a lease: all but its handle, and what credentials its work has. */
export function leaseSummary(lease: Lease, now: number): LeaseSummary {
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
    changed_at: moment(lease.changedAt),
    expires_at: state === 'held' || state === 'expired' ? moment(lease.expiresAt) : null,
    finished_at: finish && moment(finish.at),
    error_code: finish?.errorCode ?? null,
    cancel_requested: isCancelRequested,
    closed: finish === null && isClosed(lease),
  };
}

export function leaseDetails(lease: Lease, now: number): LeaseDetails {
  const { fencingToken, acquisition, ttl, metadata, work, finish } = lease;
  return {
    ...leaseSummary(lease, now),
    acquired_at: fencingToken === 0 ? null : moment(acquisition.at),
    ttl: ttl / 1000,
    result_hash: finish?.resultHash ?? null,
    metadata,
    work: work && workInfo(work),
    now: moment(now),
  };
}

/** What waits was added, or given back, since anybody had it. */
function stateOf(lease: Lease, now: number): State {
  const phase = phaseOf(lease, now);
  const isWaiting =
    phase === 'expired' && lease.work !== null && lease.expiresAt <= lease.changedAt;
  return isWaiting ? 'waiting' : phase;
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
