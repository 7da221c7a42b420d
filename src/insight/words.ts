import { formatDuration } from '../domain/duration.ts';
import { textIn } from '../domain/json.ts';
import { type Diagnosis, type DiagnosisName, isSupposed } from './diagnosis.ts';
import type { Facts } from './facts.ts';
import { endOf } from './past.ts';
import type { LeaseKind } from './sighting.ts';

const KINDS: Readonly<Record<LeaseKind, string>> = {
  key: 'Key',
  job: 'Job',
  runner_job: 'Runner job',
};

/** What a diagnosis says, in a sentence or two. What it names may be anybody's words. */
export function wordsOf(diagnosis: Diagnosis): string {
  const { kind, id } = diagnosis.facts.sighting;
  const words = isSupposed(diagnosis) ? wordsOfSupposed : WORDS[diagnosis.name];
  return `${KINDS[kind]} ${id} ${words(diagnosis)}`;
}

const PROCESSES = { running: 'runs', suspended: 'is suspended', gone: 'is gone' } as const;

/** It may have been broken or finished since, and be another's by now. */
function wordsOfSupposed(diagnosis: Diagnosis): string {
  const { process } = diagnosis.facts;
  const by =
    process === 'unknown' ? 'this machine' : `a process of this machine that ${PROCESSES[process]}`;
  const unless = process === 'gone' ? '' : ', unless it is renewed';
  return `was taken by ${by}; whether it still is held the service does not tell. Its lease ends by itself ${left(diagnosis)}${unless}.`;
}

const WORDS: Readonly<Record<DiagnosisName, (diagnosis: Diagnosis) => string>> = {
  healthy: (diagnosis) => {
    const { renewals } = diagnosis;
    const usual = renewals?.usual;
    if (renewals && renewals.count > 0 && usual !== undefined) {
      return `${isHeld(diagnosis)}, and renewed every ${span(usual)}.`;
    }
    return renewals?.count === 0
      ? `${isHeld(diagnosis)}, and was not renewed yet. It ends by itself ${left(diagnosis)}.`
      : `${isHeld(diagnosis)}. It ends by itself ${left(diagnosis)}, unless it is renewed.`;
  },
  late: (diagnosis) => {
    const { facts, renewals } = diagnosis;
    const since = ago(facts.sighting.at - (renewals?.lastAt ?? facts.sighting.at));
    const habit =
      renewals?.usual === undefined ? '' : `, and usually one comes every ${span(renewals.usual)}`;
    const runs = facts.process === 'running' ? ' Its process runs, but does not get through.' : '';
    const last = renewals?.count === 0 ? 'it was acquired' : 'the last was';
    return `${isHeld(diagnosis)}, and its renewal is overdue: ${last}${since}${habit}.${runs} ${ends(diagnosis)}`;
  },
  suspended: (diagnosis) =>
    `is held by a process of this machine that is suspended. ${ends(diagnosis)}`,
  gone: (diagnosis) =>
    `is held by a process of this machine that is gone. It is free ${left(diagnosis)}.`,
  stopping: (diagnosis) =>
    `${isHeld(diagnosis)}, and is to stop: nobody else may have it any more. ${ends(diagnosis)}`,
  expired: ({ facts: { sighting, history } }) => {
    const since = sighting.endsAt === undefined ? '' : ago(sighting.at - sighting.endsAt);
    // It may have been broken, too, where nobody tells.
    return history
      ? `is free: its holder let it run out${since}.`
      : `is free: its lease ended${since}.`;
  },
  waiting: ({ facts: { sighting } }) =>
    sighting.fencingToken
      ? 'waits for somebody to take it: it was given back.'
      : 'waits for somebody to take it.',
  broken: ({ facts }) => {
    const end = endOf(facts.history);
    const by = end?.caller === undefined ? 'somebody' : end.caller;
    const when = end ? ago(facts.sighting.at - end.at) : '';
    return `is free: ${by} broke its lease${when}${because(textIn(end?.detail, 'reason'))}.`;
  },
  finished: ({ facts: { sighting } }) => {
    const { state, errorCode, finishedAt, at } = sighting;
    const when = finishedAt === undefined ? '' : ago(at - finishedAt);
    if (state === 'completed') return `is finished: it was completed${when}.`;
    if (state !== 'failed') return 'is given up: it was canceled while somebody had it.';
    return /^canceled(:|$)/.test(errorCode ?? '')
      ? `is finished: it was canceled${when}${because(errorCode?.slice('canceled:'.length))}.`
      : `is finished: it failed${when}${because(errorCode)}.`;
  },
  poison: ({ tries }) =>
    tries?.most === undefined
      ? `fails again and again: the last ${tries?.failed} tries went wrong.`
      : `failed ${tries.failed} of ${tries.most} tries. Nobody gets it any more.`,
  never_seen: () => 'was never seen there, or is forgotten.',
  unreachable: (diagnosis) => {
    const { endsAt } = diagnosis.facts.sighting;
    const known = endsAt === undefined ? '' : ` As far as this machine knows, ${will(diagnosis)}.`;
    return `could not be looked at: the service does not answer.${known}`;
  },
  unknown: ({ facts: { sighting, held } }) => {
    const lost = held ? ' This machine had it, and has let it run out.' : '';
    return sighting.kind === 'job'
      ? `is not among those that can be claimed: it is held, finished, or was never there.${lost}`
      : `is none that the service tells anything of.${lost}`;
  },
};

/** By whom, if that is known. */
function isHeld({ facts }: Diagnosis): string {
  const name = facts.held ? 'this machine' : holderName(facts);
  return name === undefined ? 'is held by somebody' : `is held by ${name}`;
}

/** Who has, or last had it, as the service names him, or else as he did himself. */
export function holderName({ sighting, origin }: Facts): string | undefined {
  const said = [origin?.user, origin?.host].filter(Boolean).join('@');
  return sighting.holder ?? (said || undefined);
}

function because(reason: string | undefined): string {
  return reason ? ` (${reason})` : '';
}

function ends(diagnosis: Diagnosis): string {
  return diagnosis.facts.sighting.endsAt === undefined ? '' : `It is free ${left(diagnosis)}.`;
}

function left({ facts: { sighting } }: Diagnosis): string {
  const { endsAt, at } = sighting;
  if (endsAt === undefined) return 'at a time that is not told';
  return endsAt > at ? `in ${formatDuration(Math.ceil((endsAt - at) / 1000))}` : 'now';
}

function will(diagnosis: Diagnosis): string {
  const { endsAt = 0, at } = diagnosis.facts.sighting;
  return endsAt > at ? `its lease ends ${left(diagnosis)}` : `its lease ended${ago(at - endsAt)}`;
}

/** Seconds, below which tenths are told, too. */
const FEW = 10;

/** A time of so many milliseconds in words. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  return seconds < FEW ? `${Math.round(seconds * 10) / 10}s` : formatDuration(Math.round(seconds));
}

/** How long before another a moment was, in words. */
function ago(milliseconds: number): string {
  return milliseconds < 1_000 ? ' just now' : ` ${formatDuration(milliseconds / 1000)} ago`;
}
