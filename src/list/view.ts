import stringWidth from 'string-width';
import type { DiagnosisName } from '../insight/diagnosis.ts';
import { holderName } from '../insight/words.ts';
import { bar } from '../output/bar.ts';
import type { Style } from '../output/style.ts';
import { renderList } from '../output/table.ts';
import { shownEnd, shownPast } from '../output/time.ts';
import { LOCAL } from '../profiles/profile.ts';
import { holderData, time, timesData } from '../why/data.ts';
import { isLost, isStuck, type Listed, type Times, timesOf } from './listed.ts';

/*
 * How a list of leases is read.
 */

/** What the service says, and whether it is renewed in time. What the process does stands beside it. */
const STATES: Readonly<Record<DiagnosisName, string>> = {
  healthy: 'held',
  late: 'late',
  suspended: 'held',
  gone: 'held',
  stopping: 'to stop',
  expired: 'ended',
  waiting: 'waiting',
  broken: 'broken',
  finished: 'finished',
  poison: 'given up',
  never_seen: 'not known',
  unreachable: 'no answer',
  unknown: 'not told',
};

function stateOf({ diagnosis: { name, facts } }: Listed): string {
  const { state } = facts.sighting;
  return state === 'completed' || state === 'failed' ? state : STATES[name];
}

interface Column {
  readonly name: string;
  readonly cell: (lease: Listed) => string;
  readonly isColored?: boolean;
  /** Whether it is left out on a terminal when there is nothing in it. */
  readonly isOptional?: boolean;
}

/** @param isOwn whether they are there because this machine has taken them */
export function renderLeases(leases: readonly Listed[], isOwn: boolean, style: Style): string {
  // What is said of that stands on stderr.
  if (style.isInteractive && leases.length === 0) return '';
  const isShown = ({ isOptional, cell }: Column) =>
    !isOptional || !style.isInteractive || leases.some((lease) => cell(lease) !== '');
  // Everybody's are all at one place.
  const columns = columnsOf(isOwn, style)
    .filter(isShown)
    .filter(({ name }) => isOwn || !style.isInteractive || name !== 'SERVICE');
  const head = columns.map(({ name }) => name);
  const rows = leases.map((lease) => columns.map(({ cell }) => cell(lease)));
  return renderList(head, withBars(head, rows, leases, style), style, (cell, row, column) => {
    const lease = columns[column]?.isColored && leases[row];
    return lease ? colorOf(lease, isOwn, style)(cell) : cell;
  });
}

const LEFT = 'LEFT';

function columnsOf(isOwn: boolean, style: Style): Column[] {
  const ago = (moment: number | undefined, { at }: Times) => shownPast(time(moment), at, style);
  return [
    { name: 'ID', cell: ({ diagnosis }) => diagnosis.facts.sighting.id },
    {
      name: 'SERVICE',
      cell: ({ service, profile }) => (profile === LOCAL ? profile : `${profile} ${service}`),
    },
    { name: LEFT, cell: (lease) => leftOf(lease, style), isColored: true },
    {
      name: 'TAKEN',
      // When others took it says nothing of this machine's.
      cell: (lease) => (isLost(lease, isOwn) ? '' : ago(timesOf(lease).takenAt, timesOf(lease))),
    },
    {
      name: 'RENEWED',
      cell: (lease) => ago(timesOf(lease).renewedAt, timesOf(lease)),
      isOptional: true,
    },
    {
      name: 'STATE',
      cell: (lease) => (isLost(lease, isOwn) ? 'lost' : stateOf(lease)),
      isColored: true,
    },
    {
      name: 'HOLDER',
      cell: (lease) => {
        const { facts } = lease.diagnosis;
        const { process } = facts;
        if (isOwn) return process === 'unknown' || isLost(lease, isOwn) ? '' : process;
        const isWell = process === 'unknown' || process === 'running';
        return [holderName(facts), isWell ? '' : process].filter(Boolean).join(', ');
      },
      isColored: true,
      isOptional: true,
    },
  ];
}

function leftOf(lease: Listed, style: Style): string {
  const { at, endsAt } = timesOf(lease);
  const isHeld = lease.diagnosis.facts.sighting.state === 'held';
  const end = isHeld ? time(endsAt) : null;
  return end === null ? '' : shownEnd(end, at, style).replace(/^(\w+( \w+)?) left$/, '$1');
}

/** In columns: how wide bars may be, and what has to be there for one. */
const WIDEST = 10;
const NARROWEST = 3;
/** What stands between columns, with lines and without, and a space behind a bar. */
const FRAMES = [3, 2] as const;

/** Puts a bar before the time that is left, where there is room for all of it. */
function withBars(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  leases: readonly Listed[],
  style: Style,
): readonly (readonly string[])[] {
  if (!style.isInteractive) return rows;
  const width = barWidth([head, ...rows], style);
  if (width < NARROWEST) return rows;
  const column = head.indexOf(LEFT);
  const longest = Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row, index) => {
    const lease = leases[index];
    const { at, endsAt, ttl } = lease ? timesOf(lease) : {};
    const text = row[column] ?? '';
    if (!text || at === undefined || endsAt === undefined || !ttl) return row;
    return row.with(column, `${bar((endsAt - at) / ttl, width)} ${text.padStart(longest)}`);
  });
}

function barWidth(rows: readonly (readonly string[])[], { columns, isWide }: Style): number {
  const [first = []] = rows;
  if (isWide) return WIDEST;
  const widths = first.map((_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const room = columns - widths.reduce((sum, width) => sum + width, 0);
  const rooms = FRAMES.map((frame) => room - frame * first.length - 2);
  return Math.min(WIDEST, rooms.find((left) => left >= NARROWEST) ?? 0);
}

function colorOf(lease: Listed, isOwn: boolean, { paint }: Style): (text: string) => string {
  if (isStuck(lease, isOwn)) return paint.red;
  const { at, endsAt, ttl } = timesOf(lease);
  const isShort = endsAt !== undefined && ttl !== undefined && endsAt - at < ttl / 4;
  return isShort || lease.diagnosis.name !== 'healthy' ? paint.yellow : paint.green;
}

/** The same for programs, in the words of `why`. */
export function leasesData(
  leases: readonly Listed[],
  isOwn: boolean,
  clean: (text: string) => string,
): unknown {
  const data = leases.map((lease) => dataOf(lease, isOwn));
  return JSON.parse(JSON.stringify(data), (_, value) =>
    typeof value === 'string' ? clean(value) : value,
  );
}

function dataOf(lease: Listed, isOwn: boolean): object {
  const { service, profile, diagnosis, isAsked, failure } = lease;
  const { facts } = diagnosis;
  const { sighting } = facts;
  const times = timesOf(lease);
  return {
    kind: sighting.kind,
    id: sighting.id,
    service,
    profile,
    diagnosis: diagnosis.name,
    stuck: isStuck(lease, isOwn),
    asked: isAsked,
    state: sighting.state === 'untold' ? null : sighting.state,
    holder: holderData(facts),
    ...timesData(facts),
    // What the service does not tell this machine may know.
    acquired_at: time(times.takenAt),
    renewed_at: time(times.renewedAt),
    ttl: times.ttl === undefined ? null : times.ttl / 1000,
    renewals: facts.held?.renewals ?? diagnosis.renewals?.count ?? null,
    error: failure ? { code: failure.code, message: failure.message } : null,
  };
}
