import { type DiagnosisName, isSupposed } from '../insight/diagnosis.ts';
import type { Facts } from '../insight/facts.ts';
import type { Past, Refusals } from '../insight/past.ts';
import type { Renewals } from '../insight/renewals.ts';
import type { Sighting } from '../insight/sighting.ts';
import { UNTOLD_WORDS } from '../insight/untold.ts';
import { holderName, span, wordsOf } from '../insight/words.ts';
import { renderSheet, type SheetRow, type Tone } from '../output/sheet.ts';
import type { Style } from '../output/style.ts';
import { shownTime, timeAgo, timeLeft } from '../output/time.ts';
import { LOCAL } from '../profiles/profile.ts';
import type { Insight } from './insight.ts';

const TONES: Readonly<Record<DiagnosisName, Tone>> = {
  healthy: 'good',
  expired: 'good',
  waiting: 'good',
  broken: 'good',
  finished: 'good',
  late: 'doubtful',
  suspended: 'doubtful',
  stopping: 'doubtful',
  never_seen: 'doubtful',
  unknown: 'doubtful',
  gone: 'bad',
  poison: 'bad',
  unreachable: 'bad',
};

/** What people read about one lease. */
export function renderInsight(insight: Insight, style: Style): string {
  const { diagnosis } = insight;
  const rows = [
    ...placeRows(insight),
    ...holderRows(insight),
    ...timeRows(insight, style),
    ...pastRows(insight, style),
    ...adviceRows(insight),
  ];
  const shown = rows.filter(({ text }) => text.length > 0);
  return renderSheet(
    { headline: wordsOf(diagnosis), tone: TONES[diagnosis.name], rows: shown },
    style,
  );
}

const NAMES = { onceonly: 'OnceOnly', retaia: 'Retaia', askui: 'AskUI' } as const;

function placeRows({ place }: Insight): SheetRow[] {
  const { service, isOurs, profile, location } = place;
  const name = isOurs ? 'leasectl' : NAMES[service];
  const where = profile === LOCAL ? 'embedded' : location;
  return [row('Service', `${name}, profile ${profile}, ${where}`)];
}

function holderRows({ diagnosis }: Insight): SheetRow[] {
  const { sighting, origin, held } = diagnosis.facts;
  if (sighting.state === 'never_seen' || sighting.state === 'waiting') return [];
  const { repository, commit, ci } = origin ?? {};
  const who = holderName(diagnosis.facts) ?? (held ? 'this machine' : '');
  const isIt = sighting.state === 'held' || sighting.state === 'untold';
  const by = isIt && !isSupposed(diagnosis) ? 'Holder' : 'Last holder';
  const run = [ci?.provider, ci?.job, ci?.actor && `by ${ci.actor}`, ci?.url];
  const code = [repository, commit && `at ${commit}`];
  return [
    row(by, who && [who, ...processWords(diagnosis.facts)].join(', ')),
    row('CI run', run.filter(Boolean).join(', ')),
    row('Code', code.filter(Boolean).join(' ')),
  ];
}

function processWords({ sighting, origin, process, held }: Facts): string[] {
  const { command, pid } = origin ?? {};
  const by = command === undefined ? [] : [`by ${command}`];
  // What was finished by it need not be kept any more.
  if (process === 'unknown' || sighting.finishedAt !== undefined)
    return [...by, ...(held ? ['on this machine'] : [])];
  return [...by, `process ${pid} here ${process === 'running' ? 'runs' : `is ${process}`}`];
}

function timeRows({ diagnosis }: Insight, style: Style): SheetRow[] {
  const { sighting } = diagnosis.facts;
  const { at, endsAt, state } = sighting;
  const past = (time: number | undefined) =>
    time === undefined ? '' : `${shownTime(time, style)} (${timeAgo(time, at)})`;
  const isOver = endsAt !== undefined && endsAt <= at;
  return [
    row('Since', state === 'held' ? past(sighting.acquiredAt) : ''),
    row('Renewed', diagnosis.renewals ? renewalWords(diagnosis.renewals, at) : ''),
    row('Ends', endsAt === undefined || isOver ? '' : timeLeft(endsAt, at, style)),
    row('Ended', isOver ? past(endsAt) : ''),
    row('Finished', past(sighting.finishedAt)),
    row('First seen', isAsTaken(sighting) ? '' : past(sighting.firstSeenAt)),
  ];
}

/** Whether it was first seen when it was taken. Services tell the time to the second. */
function isAsTaken({ kind, firstSeenAt, acquiredAt, fencingToken = 1 }: Sighting): boolean {
  const isFirst = kind === 'key' && fencingToken === 1;
  if (!isFirst || firstSeenAt === undefined || acquiredAt === undefined) return false;
  return Math.abs(firstSeenAt - acquiredAt) < 1_000;
}

function renewalWords({ count, lastAt, usual, longest, isLate }: Renewals, at: number): string {
  const often = count === 1 ? 'once' : `${count} times`;
  if (count === 0) return `not yet${isLate ? ', and overdue' : ''}`;
  const every = usual === undefined ? '' : `, usually every ${span(usual)}`;
  const most = longest === undefined ? '' : `, longest pause ${span(longest)}`;
  return `${often}, last ${timeAgo(lastAt, at)}${every}${most}${isLate ? '; overdue' : ''}`;
}

function pastRows({ diagnosis, past, refusals, steps }: Insight, style: Style): SheetRow[] {
  const { at, maxTries } = diagnosis.facts.sighting;
  const when = (time: number) =>
    style.isInteractive && !style.isUtc ? timeAgo(time, at) : shownTime(time, style);
  const times = steps.map((step) => when(step.at));
  const width = Math.max(0, ...times.map((time) => time.length));
  const line = steps.map(
    ({ type, words }, index) => `${(times[index] ?? '').padEnd(width)} ${markOf(type)} ${words}`,
  );
  return [
    row('Taken', past && past.taken > 0 ? pastWords(past, maxTries) : ''),
    row('Asked for', refusals ? refusalWords(refusals, at) : ''),
    { label: 'History', text: line },
  ];
}

/** What comes again and again is a thin line between the rest. */
function markOf(type: string): string {
  return type === 'extended' || type === 'refused' ? '┆' : '●';
}

function pastWords(past: Past, maxTries: number | undefined): string {
  const { taken, lost, failed, broken } = past;
  const most = maxTries === undefined ? '' : ` of at most ${maxTries}`;
  const fates = [
    lost > 0 && `${lost} ran out`,
    failed > 0 && `${failed} failed`,
    broken > 0 && `${broken} broken`,
  ].filter((words) => words !== false);
  const times = taken === 1 ? `once${most}` : `${taken} times${most}`;
  return [times, ...fates].join(', ');
}

function refusalWords({ count, lastAt, callers }: Refusals, at: number): string {
  const names = callers.map((asking) => {
    const times = asking.count === 1 ? '' : ` (${asking.count} times)`;
    return `${asking.caller ?? 'somebody'}${times}`;
  });
  const often = count === 1 ? 'once' : `${count} times`;
  return `${often} in vain, last ${timeAgo(lastAt, at)}: ${names.join(', ')}`;
}

function adviceRows({ untold, meant, next, place, diagnosis }: Insight): SheetRow[] {
  const isRefused = place.isOurs && diagnosis.facts.history === undefined;
  const why = isRefused ? ' (that takes the scope admin)' : '';
  const words = untold.map((name) => UNTOLD_WORDS[name]).join('; ');
  return [
    row('Not told', words && `${words}${why}`),
    row('Alike', meant.join(', ')),
    { label: 'Next', text: next ?? '', isCommand: true },
  ];
}

function row(label: string, text: string): SheetRow {
  return { label, text };
}
