import { formatDuration } from '../domain/duration.ts';
import { COLUMNS, type Column, layOut, MARK, type Needs, type Widths } from './layout.ts';
import type { WatchModel } from './model.ts';
import { type Line, type Piece, SPACE, type TextCache, type Tone } from './piece.ts';
import { type Health, holderOf, partLeft, type Row } from './row.ts';
import type { Session } from './session.ts';
import { helpLines, KEYS_LINE } from './words.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What the screen shows. */
export interface Scene {
  readonly model: WatchModel;
  /** The rows, in their order. */
  readonly rows: readonly Row[];
  readonly session: Session;
  /** What is watched, in words. */
  readonly title: string;
  /** This machine's time. */
  readonly now: number;
}

/** Lines that are not rows: title, counts, names of the columns, and the last one. */
const FRAME = 4;

/** How many rows have room on a screen. */
export function pageOf({ rows }: Size): number {
  return Math.max(1, rows - FRAME);
}

/** The screen, line by line. */
export function view(scene: Scene, size: Size, texts: TextCache): Line[] {
  const { session } = scene;
  const whole = (text: string, tone: Tone = 'plain'): Line => [
    texts.fitted(text, size.columns, tone),
  ];
  const last = lastLines(session, size, texts, whole);
  if (session.pane !== undefined || session.mode === 'help') {
    const { title, lines } = session.pane ?? { title: 'Keys', lines: helpLines };
    const room = Math.max(1, size.rows - 1 - last.length);
    const shown = lines.slice(session.paneTop, session.paneTop + room);
    return filled([whole(title, 'bold'), ...shown.map((text) => whole(text))], last, size, whole);
  }
  const body = scene.rows.length === 0 ? nothing(scene, whole) : table(scene, size, texts);
  const head = [whole(scene.title, 'bold'), counts(scene, size, texts)];
  return filled([...head, ...body], last, size, whole);
}

function filled(
  lines: readonly Line[],
  last: readonly Line[],
  { rows }: Size,
  whole: (text: string) => Line,
): Line[] {
  const room = Math.max(0, rows - last.length);
  const shown = lines.slice(0, room);
  const empty = Array.from({ length: room - shown.length }, () => whole(''));
  return [...shown, ...empty, ...last];
}

/** What is said stands where rows may be, as long as it takes. */
function lastLines(
  { mode, filter, message, pane }: Session,
  { columns, rows }: Size,
  texts: TextCache,
  whole: (text: string, tone?: Tone) => Line,
): Line[] {
  if (mode === 'filter') return [whole(`/${filter}_`, 'bold')];
  if (message !== undefined) {
    const lines = texts.wrapped(message, columns).slice(0, Math.max(1, rows - 1));
    return lines.map((line) => whole(line, 'yellow'));
  }
  return [whole(pane || mode === 'help' ? 'q back   j k scroll' : KEYS_LINE, 'dim')];
}

function nothing({ session, model }: Scene, whole: (text: string, tone?: Tone) => Line): Line[] {
  const isFiltered = session.filter !== '' && model.rows.size > 0;
  const words = isFiltered ? `Nothing has ${session.filter} in it.` : 'There are no leases.';
  return [whole(''), whole(`  ${words}`, 'dim')];
}

/** How many there are of each kind, and which place does not answer. */
function counts({ model, session, rows }: Scene, size: Size, texts: TextCache): Line {
  const problem = model.places.find((place) => place.problem !== undefined);
  if (problem) {
    const words = `No contact with ${problem.place.profile}: ${problem.problem}`;
    return [texts.fitted(words, size.columns, 'red')];
  }
  const tally = new Map<Health, number>();
  for (const { told } of model.rows.values()) tally.set(told, (tally.get(told) ?? 0) + 1);
  const words = COUNTED.flatMap(([health, word]) => {
    const count = tally.get(health);
    return count ? [`${count} ${word}`] : [];
  });
  const sort = `by ${session.sort}${session.filter ? ` /${session.filter} (${rows.length})` : ''}`;
  const right = texts.of(sort).columns;
  const left = Math.max(0, size.columns - right - 1);
  return [
    texts.fitted(words.join('  '), left, 'plain'),
    SPACE,
    texts.fitted(sort, Math.min(right, size.columns - left - 1), 'dim'),
  ];
}

const COUNTED: readonly (readonly [Health, string])[] = [
  ['ended', 'ended'],
  ['gone', 'gone'],
  ['ending', 'ending'],
  ['suspended', 'suspended'],
  ['late', 'late'],
  ['no_contact', 'no answer'],
  ['healthy', 'held'],
  ['unknown', 'unknown'],
  ['free', 'free'],
  ['finished', 'finished'],
];

function table(scene: Scene, size: Size, texts: TextCache): Line[] {
  const { rows, session, model, now } = scene;
  const isHomed = model.places.length > 1;
  const widths = layOut(size.columns, needsOf(rows, texts, isHomed));
  const head = lineOf(widths, (column, width) =>
    texts.fitted(TITLES[column], width, 'bold', column === 'left' ? 'right' : 'left'),
  );
  const shown = rows.slice(session.top, session.top + pageOf(size));
  return [
    [texts.fitted('', MARK, 'plain'), ...head],
    ...shown.map((row) => {
      const isSelected = row.key === session.selected;
      const mark = texts.fitted(isSelected ? '>' : '', MARK, 'bold');
      const time = model.timeOf(row, now);
      return [
        mark,
        ...lineOf(widths, (column, width) =>
          CELLS[column]({ row, time, width, texts, isSelected, hasHost: 'host' in widths }),
        ),
      ];
    }),
  ];
}

const TITLES: Readonly<Record<Column, string>> = {
  id: 'LEASE',
  bar: '',
  left: 'LEFT',
  state: 'STATE',
  age: 'AGE',
  renewed: 'RENEWED',
  holder: 'HOLDER',
  host: 'HOST',
  profile: 'PROFILE',
};

function lineOf(widths: Widths, piece: (column: Column, width: number) => Piece): Piece[] {
  const pieces = COLUMNS.flatMap((column) => {
    const width = widths[column];
    return width === undefined ? [] : [piece(column, width), SPACE];
  });
  return pieces.slice(0, -1);
}

function needsOf(rows: readonly Row[], texts: TextCache, isHomed: boolean): Needs {
  const widest = (column: 'id' | 'holder' | 'host' | 'profile', of: Told) => {
    const least = TITLES[column].length;
    return rows.reduce((width, row) => {
      const text = of(row);
      return text ? Math.max(width, least, texts.of(text).columns) : width;
    }, 0);
  };
  return {
    id: widest('id', ({ id }) => id),
    holder: widest('holder', holderOf),
    host: widest('host', ({ origin }) => origin?.host),
    profile: isHomed ? widest('profile', ({ place }) => place.profile) : 0,
  };
}

type Told = (row: Row) => string | undefined;

interface CellOptions {
  readonly row: Row;
  readonly time: number;
  readonly width: number;
  readonly texts: TextCache;
  readonly isSelected: boolean;
  readonly hasHost: boolean;
}

const TONES: Readonly<Record<Health, Tone>> = {
  ended: 'red',
  gone: 'red',
  ending: 'red',
  suspended: 'yellow',
  late: 'yellow',
  no_contact: 'yellow',
  healthy: 'green',
  unknown: 'dim',
  free: 'dim',
  finished: 'dim',
};

const CELLS: Readonly<Record<Column, (options: CellOptions) => Piece>> = {
  id: ({ row, width, texts, isSelected }) =>
    texts.fitted(row.id, width, isSelected ? 'bold' : 'plain'),
  bar: ({ row, time, width, texts }) =>
    texts.fitted(bar(partLeft(row, time), width), width, TONES[row.told]),
  left: ({ row, time, width, texts }) =>
    texts.fitted(shownLeft(row, time), width, TONES[row.told], 'right'),
  state: ({ row, width, texts }) => texts.fitted(stateOf(row), width, TONES[row.told]),
  age: ({ row, time, width, texts }) => texts.fitted(since(row.acquiredAt, time), width, 'plain'),
  renewed: ({ row, time, width, texts }) =>
    texts.fitted(since(row.renewedAt, time), width, 'plain'),
  holder: ({ row, width, texts, hasHost }) => {
    const who = holderOf(row) ?? '';
    const [host, end] = [row.origin?.host, `@${row.origin?.host}`];
    const isSplit = hasHost && host !== undefined && who.endsWith(end);
    return texts.fitted(isSplit ? who.slice(0, -end.length) : who, width, 'plain');
  },
  host: ({ row, width, texts }) => texts.fitted(row.origin?.host ?? '', width, 'plain'),
  profile: ({ row, width, texts }) => texts.fitted(row.place.profile, width, 'plain'),
};

/** Runs down as the time does. What is left of it is at least one block. */
export function bar(part: number | undefined, width: number): string {
  if (part === undefined) return '';
  const full = part === 0 ? 0 : Math.max(1, Math.round(part * width));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

function shownLeft({ endsAt, told }: Row, time: number): string {
  if (endsAt === undefined || told === 'ended') return '';
  return formatDuration(Math.ceil((endsAt - time) / 1000));
}

function since(moment: number | undefined, time: number): string {
  return moment === undefined ? '' : formatDuration((time - moment) / 1000);
}

function stateOf(row: Row): string {
  const { told, state, isBroken, isCancelRequested } = row;
  if (told === 'ended') return isBroken ? 'broken' : 'expired';
  if (told === 'finished') return state === 'completed' ? 'done' : 'failed';
  if (told === 'free') return state === 'waiting' ? 'waiting' : 'free';
  if (told === 'no_contact') return 'no answer';
  if (told === 'unknown') return 'unknown';
  if (isCancelRequested) return 'canceling';
  return told === 'healthy' ? 'held' : told;
}
