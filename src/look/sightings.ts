import { originIn, parseOrigin } from '../domain/origin.ts';
import type { Sighting } from '../insight/sighting.ts';
import type { LeaseSummary } from '../services/admin/wire.ts';
import type { StatusResponse } from '../services/onceonly/wire.ts';
import type { Job } from '../services/retaia/wire.ts';

/*
 * What each service's answers tell of a lease.
 */

/**
 * Of the administration of leasectl's own service, from a list or alone.
 *
 * @param at by its clock
 * @param maxTries which no list tells
 */
export function sightingOfLease(lease: LeaseSummary, at: number, maxTries?: number): Sighting {
  const { kind, id, state } = lease;
  return {
    kind: kind === 'job' || kind === 'runner_job' ? kind : 'key',
    id,
    state: STATES.find((known) => known === state) ?? 'untold',
    at,
    endsAt: moment(lease.expires_at),
    ttl: lease.ttl == null ? undefined : lease.ttl * 1000,
    firstSeenAt: moment(lease.first_seen_at),
    acquiredAt: moment(lease.acquired_at),
    changedAt: moment(lease.changed_at),
    finishedAt: moment(lease.finished_at),
    version: lease.version,
    fencingToken: lease.fencing_token,
    maxTries,
    holder: lease.holder ?? undefined,
    origin: parseOrigin(lease.origin),
    errorCode: lease.error_code ?? undefined,
    isCancelRequested: lease.cancel_requested,
    isClosed: lease.closed,
  };
}

const STATES = ['held', 'waiting', 'expired', 'completed', 'failed'] as const;

/** Of OnceOnly. A lease that ran out reads as failed there. @param at by its clock */
export function sightingOfKey(status: StatusResponse, at: number): Sighting {
  const { key, ttl_left, done_at, error_code, retry_after_sec } = status;
  const isExpired = status.status === 'failed' && error_code === 'expired';
  const state = isExpired ? 'expired' : status.status === 'in_progress' ? 'held' : status.status;
  const left = ttl_left == null ? undefined : at + ttl_left * 1000;
  return {
    kind: 'key',
    id: key,
    state,
    at,
    endsAt: isExpired ? moment(done_at) : left,
    firstSeenAt: moment(status.first_seen_at),
    finishedAt: isExpired ? undefined : moment(done_at),
    version: status.version ?? undefined,
    origin: originIn(status['metadata']),
    errorCode: isExpired ? undefined : (error_code ?? undefined),
    retryAfter: retry_after_sec == null ? undefined : retry_after_sec * 1000,
  };
}

/**
 * Of Retaia, whose list has what can be claimed: a job that is not there may be held, finished, or
 * unknown.
 *
 * @param job undefined where it is not listed
 * @param at by its clock
 */
export function sightingOfJob(id: string, job: Job | undefined, at: number): Sighting {
  const sighting = { kind: 'job', id, at } as const;
  if (!job) return { ...sighting, state: 'untold' };
  const endsAt = moment(job.locked_until);
  const told = {
    ...sighting,
    holder: job.claimed_by ?? undefined,
    fencingToken: job.fencing_token ?? undefined,
  };
  if (endsAt === undefined || job.status === 'pending') return { ...told, state: 'waiting' };
  return { ...told, endsAt, state: endsAt > at ? 'held' : 'expired' };
}

/** Milliseconds since 1970; undefined for what is no time. */
export function moment(text: string | null | undefined): number | undefined {
  const milliseconds = Date.parse(text ?? '');
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
