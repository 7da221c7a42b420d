import { isSupposed } from '../insight/diagnosis.ts';
import type { Facts } from '../insight/facts.ts';
import type { Past, Refusals } from '../insight/past.ts';
import type { Renewals } from '../insight/renewals.ts';
import { wordsOf } from '../insight/words.ts';
import type { Insight } from './insight.ts';

/**
 * The same as people read, for programs: times in RFC 3339, durations in seconds, null for what is not
 * known. @param clean takes secrets out of foreign text
 */
export function insightData(insight: Insight, clean: (text: string) => string): object {
  const { place, diagnosis, untold, meant, next } = insight;
  const { facts, renewals, tries } = diagnosis;
  const { sighting } = facts;
  const data = {
    kind: sighting.kind,
    id: sighting.id,
    service: place.isOurs ? 'leasectl' : place.service,
    profile: place.profile,
    diagnosis: diagnosis.name,
    explanation: wordsOf(diagnosis),
    next: next ?? null,
    state: sighting.state === 'untold' || isSupposed(diagnosis) ? null : sighting.state,
    holder: holderData(facts),
    ...timesData(facts),
    error_code: sighting.errorCode ?? null,
    fencing_token: sighting.fencingToken ?? null,
    version: sighting.version ?? null,
    max_tries: sighting.maxTries ?? null,
    failed_tries: tries?.failed ?? null,
    renewals: renewals ? renewalsData(renewals) : null,
    past: pastData(insight.past),
    refused: refusedData(insight.refusals),
    history: facts.history === undefined ? null : historyData(insight),
    not_told: untold,
    did_you_mean: meant.length > 0 ? meant : null,
  };
  return JSON.parse(JSON.stringify(data), (_, value) =>
    typeof value === 'string' ? clean(value) : value,
  );
}

export function holderData({ sighting, origin, process, held }: Facts): object | null {
  if (sighting.state === 'never_seen' || sighting.state === 'waiting') return null;
  return {
    name: sighting.holder ?? null,
    is_this_machine: held !== undefined,
    process: process === 'unknown' ? null : process,
    host: origin?.host ?? null,
    user: origin?.user ?? null,
    pid: origin?.pid ?? null,
    command: origin?.command ?? null,
    repository: origin?.repository ?? null,
    commit: origin?.commit ?? null,
    ci: origin?.ci ? ciData(origin.ci) : null,
  };
}

function ciData({ provider, url, job, actor }: NonNullable<NonNullable<Facts['origin']>['ci']>) {
  return { provider: provider ?? null, url: url ?? null, job: job ?? null, actor: actor ?? null };
}

export function timesData({ sighting }: Facts) {
  const { at, endsAt, ttl } = sighting;
  return {
    looked_at: time(at),
    first_seen_at: time(sighting.firstSeenAt),
    acquired_at: time(sighting.acquiredAt),
    changed_at: time(sighting.changedAt),
    expires_at: time(endsAt),
    expires_in: endsAt === undefined || sighting.state !== 'held' ? null : seconds(endsAt - at),
    finished_at: time(sighting.finishedAt),
    ttl: seconds(ttl),
  };
}

function renewalsData({ count, lastAt, usual, longest, isLate }: Renewals) {
  return {
    count,
    last_at: count === 0 ? null : time(lastAt),
    usual_interval: seconds(usual),
    longest_interval: seconds(longest),
    late: isLate,
  };
}

function pastData(past: Past | undefined) {
  if (!past) return null;
  const { taken, lost, failed, broken, failedInARow } = past;
  return { taken, ran_out: lost, failed, broken, failed_in_a_row: failedInARow };
}

function refusedData(refusals: Refusals | undefined) {
  if (!refusals) return null;
  const { count, firstAt, lastAt, callers } = refusals;
  return {
    count,
    first_at: time(firstAt),
    last_at: time(lastAt),
    callers: callers.map((asking) => ({
      caller: asking.caller ?? null,
      count: asking.count,
      last_at: time(asking.lastAt),
    })),
  };
}

function historyData({ steps }: Insight) {
  return steps.map(({ type, at, count, words }) => ({ at: time(at), type, count, words }));
}

export function time(milliseconds: number | undefined): string | null {
  const date = milliseconds === undefined ? undefined : new Date(milliseconds);
  return date === undefined || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function seconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds) / 1000;
}
