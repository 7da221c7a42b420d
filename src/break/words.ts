import { formatDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { quoted } from '../domain/shell.ts';
import type { Facts } from '../insight/facts.ts';
import type { Sighting } from '../insight/sighting.ts';
import { USUAL_LEASE } from '../lease-end.ts';
import type { LeaseView, Look } from '../look/lease.ts';
import { cutMiddle, type Detail } from '../output/table.ts';
import { timeAgo } from '../output/time.ts';
import type { BreakResult } from './lease.ts';
import type { Way } from './ways.ts';

/*
 * What is said while somebody else's lease is broken. What it names may be anybody's words.
 */

const KINDS = { key: 'key', job: 'job', runner_job: 'runner job' } as const;

/** Who has it, and what it will mean to have it no more. */
export function aboutHolder(view: LeaseView, facts: Facts, way: Way): string[] {
  const { sighting } = facts;
  const { holder, acquiredAt, endsAt, at, ttl, changedAt } = sighting;
  const since = acquiredAt === undefined ? '' : `, acquired ${timeAgo(acquiredAt, at)}`;
  const heard =
    changedAt === undefined || changedAt === acquiredAt
      ? ''
      : ` It was renewed last ${timeAgo(changedAt, at)}.`;
  const end =
    endsAt === undefined ? '' : ` Unless it is renewed it ends in ${inWords(endsAt - at)}`;
  const lasts = ttl === undefined || end === '' ? '' : ` (it lasts ${inWords(ttl)})`;
  return [
    `${named(view)} is held by ${short(holder ?? 'somebody')}${since}.${heard}${end}${lasts}${end && '.'}`,
    ...whereTaken(facts),
    ...aboutProcess(facts),
    ...(way.name === 'cancel' ? [CANCELED] : []),
    ...(isLastTry(sighting) ? [LAST_TRY] : []),
  ];
}

const CANCELED =
  'Here it is broken by canceling it: the key is finished then, and not leased again for seven days.';
const LAST_TRY = 'Its tries are used up with this one: nobody gets it any more once it is broken.';

function isLastTry({ fencingToken, maxTries }: Sighting): boolean {
  return maxTries !== undefined && fencingToken !== undefined && fencingToken >= maxTries;
}

function whereTaken({ origin }: Facts): string[] {
  if (!origin) return [];
  const { host, user, pid, command, repository, commit, ci } = origin;
  const process = [command && `leasectl ${command}`, pid && `pid ${pid}`]
    .filter(Boolean)
    .join(', ');
  const parts = [
    host && `on ${host}`,
    user && `by ${user}`,
    process && `(${process})`,
    repository && `in ${repository}${commit ? ` at ${commit.slice(0, 12)}` : ''}`,
    ci && `by ${[ci.provider, ci.job, ci.actor, ci.url].filter(Boolean).join(' ')}`,
  ].filter(Boolean);
  return parts.length > 0 ? [`It was taken ${parts.join(' ')}.`] : [];
}

/** Whether it is one's own, and what became of the process that keeps it, if that is to be seen. */
function aboutProcess({ held, origin, process, sighting }: Facts): string[] {
  if (process === 'unknown') {
    if (!held || sighting.kind === 'runner_job') return [];
    return ['This machine took it itself, and has its handle: with that it can be ended, too.'];
  }
  const whose = `It is kept by process ${origin?.pid} of this machine, which`;
  const words = {
    running: 'runs: end that, and it is free',
    suspended: `is suspended: to let it go on, kill -CONT ${origin?.pid}`,
    gone: 'is gone',
  };
  return [`${whose} ${words[process]}.`];
}

/** @param time how long, in milliseconds */
export function observing(time: number, { sighting }: Look): string {
  const { ttl } = sighting;
  const words = `Observing for ${inWords(time)} that nobody renews it.`;
  // Who renews in time does so when half of it is over, at the latest.
  if (ttl === undefined || time >= ttl / 2) return words;
  const whole = formatDuration(ttl / 1000).replaceAll(' ', '');
  return `${words} Of ${inWords(ttl)} that it lasts that is little: --observe ${whole} tells more.`;
}

export function observed({ address }: LeaseView, rest: number): string {
  const seconds = Math.max(0, Math.ceil(rest / 1000));
  return `Observing ${short(address.id)}: no renewal so far, ${formatDuration(seconds)} to go`;
}

export function renewed(view: LeaseView, { sighting }: Look): Failure {
  const { holder, changedAt, at, endsAt } = sighting;
  const when = changedAt === undefined ? '' : ` (${timeAgo(changedAt, at)})`;
  const until = endsAt === undefined ? '' : `, and has it for ${inWords(endsAt - at)} more`;
  return new Failure(
    'held',
    `${named(view)} is not stuck: ${short(holder ?? 'its holder')} renewed it${when}${until}. It was not broken.`,
    { hint: `See how regularly it is renewed: ${whyOf(view)}. To break it all the same: --force` },
  );
}

export function taken(view: LeaseView, { sighting }: Look): Failure {
  const { holder, acquiredAt, at } = sighting;
  const when = acquiredAt === undefined ? 'meanwhile' : timeAgo(acquiredAt, at);
  return new Failure(
    'held',
    `${named(view)} is another's by now: ${short(holder ?? 'somebody')} acquired it ${when}. It was not broken.`,
    { hint: `See who has it: ${whyOf(view)}` },
  );
}

/** That whoever was asked did not mean it. */
export function declined(view: LeaseView, { holder }: BreakResult): Failure {
  const words = `Nothing was done: ${named(view, false)} is still held by ${short(holder ?? 'somebody')}.`;
  return new Failure('held', words);
}

export function neverSeen(view: LeaseView): Failure {
  return new Failure('not_found', `${placed(view)} nothing is known of ${named(view, false)}.`, {
    hint: 'Check the spelling, name another --profile, or say --kind.',
  });
}

export function finished(view: LeaseView, state: string): Failure {
  return new Failure('conflict', `${named(view)} is ${state}: nobody holds it.`, {
    hint: `Nobody gets it any more. See what became of it: ${whyOf(view)}`,
  });
}

/** The holder is not known to the service's own endpoints, nor how to end its lease. */
export function notTold(view: LeaseView): Failure {
  if (view.place.isOurs) {
    return new Failure(
      'unauthorized',
      `Only the administration tells who holds ${named(view, false)}, and ends its lease.`,
      {
        hint: 'Take a profile whose token has it, by --profile, or make one: leasectl admin tokens add NAME --scope admin',
      },
    );
  }
  return notHere(view, undefined);
}

/** Only its holder can end it there, or with less rights: when it will end by itself. */
export function notHere(view: LeaseView, look: Look | undefined): Failure {
  if (view.place.isOurs) return notTold(view);
  return new Failure('usage', `${placed(view)} only the holder of a lease can end it.`, {
    hint: `${endsByItself(view, look)} See what is known: ${whyOf(view)}`,
  });
}

function endsByItself({ kind }: LeaseView, look: Look | undefined): string {
  const { endsAt, at = 0 } = look?.sighting ?? {};
  if (endsAt !== undefined)
    return `Unless it is renewed it ends by itself in ${inWords(endsAt - at)}.`;
  return kind === 'job'
    ? `It ends by itself when no heartbeat comes: ${inWords(USUAL_LEASE)} after the last one, unless the server has it otherwise.`
    : 'It ends by itself when its runner does not ping any more; when that is, the service does not tell.';
}

/** e.g. `Key deploy-prod`. */
export function named({ kind, address }: LeaseView, isFirst = true): string {
  const name = `${KINDS[kind]} ${short(address.id)}`;
  return isFirst ? `${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
}

function placed({ place }: LeaseView): string {
  return `At ${place.isOurs ? 'leasectl' : place.service} (profile ${place.profile})`;
}

function whyOf({ address, kind, place }: LeaseView): string {
  const of = { key: '', job: ' --kind job', runner_job: ' --kind runner-job' }[kind];
  const at = place.flag === undefined ? '' : ` --profile ${quoted(place.flag)}`;
  // What would be taken for a flag comes last.
  const isFlag = address.id.startsWith('-');
  const id = isFlag ? ` -- ${quoted(address.id)}` : '';
  return `leasectl why${isFlag ? '' : ` ${quoted(address.id)}`}${of}${at}${id}`;
}

/** A time of so many milliseconds, in seconds. */
function inWords(milliseconds: number): string {
  return formatDuration(Math.ceil(milliseconds / 1000));
}

/** So that a sentence stays one, whatever its names are. */
export function short(name: string): string {
  return cutMiddle(name, LONGEST_NAME);
}

/** Columns. */
const LONGEST_NAME = 64;
/** Characters that a history has room for. */
const LONGEST_REASON = 500;

/** What is wrong with a reason; undefined when nothing is. */
export function problemOfReason(text: string): string | undefined {
  if (text.trim() === '') return 'a reason is words.';
  return text.length > LONGEST_REASON ? `${LONGEST_REASON} characters at most.` : undefined;
}

/** How people read what became of it. */
export function resultDetails(result: BreakResult): Detail[] {
  const { kind, id, outcome, state, holder, reason, observed } = result;
  return [
    ['Id', id],
    ['Kind', KINDS[kind]],
    ['Lease', OUTCOMES[outcome](result)],
    ['State', outcome === 'broken' && state === 'expired' ? 'expired, to be acquired' : state],
    ['Holder', holder && (outcome === 'broken' ? `${holder} (lost it)` : holder)],
    ['Reason', outcome === 'broken' ? reason : undefined],
    ['Observed', observed > 0 ? formatDuration(observed) : undefined],
  ];
}

const OUTCOMES: Readonly<Record<BreakResult['outcome'], (result: BreakResult) => string>> = {
  broken: ({ way }) => (way === 'cancel' ? 'canceled' : 'broken'),
  ended: ({ observed, state }) => {
    if (state === 'completed' || state === 'failed') return 'ended by its holder meanwhile';
    return observed > 0 ? 'ended by itself meanwhile' : 'nobody holds it';
  },
  kept: () => 'kept',
};
