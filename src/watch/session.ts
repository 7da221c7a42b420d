import { SORTS, type Sort } from './order.ts';
import type { Row } from './row.ts';

/** A text that is read in place of the leases. */
export interface Pane {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What the one who watches chose. */
export interface Session {
  readonly mode: 'list' | 'filter' | 'help';
  /** The key of a row; the first one's until another was chosen. */
  readonly selected: string | undefined;
  readonly isChosen: boolean;
  /** The first row, and the first line of a text, that is shown. */
  readonly top: number;
  readonly paneTop: number;
  readonly sort: Sort;
  readonly filter: string;
  readonly pane: Pane | undefined;
  /** Stands in the last line until the next key. */
  readonly message: string | undefined;
}

export const BEGIN: Session = {
  mode: 'list',
  selected: undefined,
  isChosen: false,
  top: 0,
  paneTop: 0,
  sort: 'attention',
  filter: '',
  pane: undefined,
  message: undefined,
};

/** What is to be done for a key that was pressed. */
export type Effect =
  | { readonly type: 'quit' | 'interrupt' | 'suspend' | 'redraw' }
  | { readonly type: 'inspect' | 'extend' | 'break'; readonly row: string };

export interface Pressed {
  readonly session: Session;
  readonly effect?: Effect;
}

/** @param page how many rows are shown at once */
export function press(before: Session, key: string, rows: readonly Row[], page: number): Pressed {
  const session: Session = { ...before, message: undefined };
  if (key === 'ctrl-c') return { session, effect: { type: 'interrupt' } };
  if (key === 'ctrl-z') return { session, effect: { type: 'suspend' } };
  if (key === 'ctrl-l') return { session, effect: { type: 'redraw' } };
  if (session.pane !== undefined || session.mode === 'help') return inText(session, key, page);
  if (session.mode === 'filter') return { session: inFilter(session, key) };
  const by = MOVES[key];
  if (by) return { session: moved(session, by, rows, page) };
  return inList(session, key, rows);
}

type Move = (at: number, page: number, count: number) => number;

const MOVES: Readonly<Record<string, Move>> = {
  up: (at) => at - 1,
  k: (at) => at - 1,
  down: (at) => at + 1,
  j: (at) => at + 1,
  'page-up': (at, page) => at - page,
  'page-down': (at, page) => at + page,
  ' ': (at, page) => at + page,
  home: () => 0,
  g: () => 0,
  end: (_, __, count) => count - 1,
  G: (_, __, count) => count - 1,
};

function moved(session: Session, by: Move, rows: readonly Row[], page: number): Session {
  const at = rows.findIndex(({ key }) => key === session.selected);
  const next = at < 0 ? 0 : clamped(by(at, page, rows.length), rows.length);
  return following({ ...session, isChosen: true, selected: rows[next]?.key }, rows, page);
}

/** The same, when rows came, went or moved: what is selected stays so, and is seen. */
export function following(session: Session, rows: readonly Row[], page: number): Session {
  const found = session.isChosen ? rows.findIndex(({ key }) => key === session.selected) : -1;
  const at = Math.max(0, found);
  const lowest = Math.max(0, rows.length - page);
  const top = Math.min(lowest, Math.max(at - page + 1, Math.min(session.top, at)));
  const selected = found < 0 ? rows[0]?.key : session.selected;
  return { ...session, selected, top };
}

function clamped(at: number, count: number): number {
  return Math.max(0, Math.min(at, count - 1));
}

function inList(session: Session, key: string, rows: readonly Row[]): Pressed {
  const row = rows.find((row) => row.key === session.selected);
  switch (key) {
    case 'q':
      return { session, effect: { type: 'quit' } };
    case 's':
      return { session: { ...session, sort: nextSort(session.sort) } };
    case '/':
      return { session: { ...session, mode: 'filter' } };
    case 'escape':
      return { session: { ...session, filter: '' } };
    case '?':
    case 'h':
      return { session: { ...session, mode: 'help', paneTop: 0 } };
    case 'enter':
    case 'i':
      return row ? acting(session, 'inspect', row) : { session };
    case 'b':
      return row ? acting(session, 'break', row) : { session };
    case 'e':
      return row ? acting(session, 'extend', row) : { session };
    default:
      return { session };
  }
}

/** Whoever acts on a row has chosen it. */
function acting(session: Session, type: 'inspect' | 'extend' | 'break', row: Row): Pressed {
  return { session: { ...session, isChosen: true }, effect: { type, row: row.key } };
}

function nextSort(sort: Sort): Sort {
  return SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? 'attention';
}

function inFilter(session: Session, key: string): Session {
  if (key === 'enter') return { ...session, mode: 'list' };
  if (key === 'escape') return { ...session, mode: 'list', filter: '' };
  if (key === 'backspace') return { ...session, filter: [...session.filter].slice(0, -1).join('') };
  return [...key].length === 1 ? { ...session, filter: session.filter + key } : session;
}

function inText(session: Session, key: string, page: number): Pressed {
  const length = session.pane?.lines.length ?? 0;
  const by = MOVES[key];
  if (by) {
    const last = Math.max(0, length - page);
    const paneTop = clamped(by(session.paneTop, page, last + 1), last + 1);
    return { session: { ...session, paneTop } };
  }
  const isLeft = ['q', 'escape', 'enter', 'i', '?', 'h'].includes(key);
  if (!isLeft) return { session };
  return { session: { ...session, mode: 'list', pane: undefined, paneTop: 0 } };
}
