import type { WatchModel } from './model.ts';
import { HEALTHS, holderOf, type Row } from './row.ts';

export const SORTS = ['attention', 'name', 'left', 'age', 'holder'] as const;
export type Sort = (typeof SORTS)[number];

const URGENCY = Object.fromEntries(HEALTHS.map((health, at) => [health, at]));

/** The rows that are shown, in their order. */
export function arranged(model: WatchModel, sort: Sort, filter: string): Row[] {
  const wanted = filter.toLowerCase();
  const rows = [...model.rows.values()];
  const shown = wanted === '' ? rows : rows.filter((row) => textOf(row).includes(wanted));
  return shown.sort((a, b) => COMPARE[sort](a, b) || byName(a, b));
}

/** What a filter looks in. */
function textOf(row: Row): string {
  const { id, place, origin, told, state } = row;
  const words = [id, holderOf(row), origin?.host, place.profile, told, state];
  return words.join('\n').toLowerCase();
}

type Compare = (a: Row, b: Row) => number;

function byName(a: Row, b: Row): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

const byLeft: Compare = (a, b) => difference(a.endsAt ?? Infinity, b.endsAt ?? Infinity);

/** What ended last comes first; of what is held and well none is before another but by its name. */
const byAttention: Compare = (a, b) => {
  const urgency = (URGENCY[a.told] ?? 0) - (URGENCY[b.told] ?? 0);
  if (urgency !== 0) return urgency;
  if (a.told === 'ending') return byLeft(a, b);
  return a.told === 'ended' || a.told === 'finished' ? difference(b.changedAt, a.changedAt) : 0;
};

const COMPARE: Readonly<Record<Sort, Compare>> = {
  attention: byAttention,
  name: byName,
  left: byLeft,
  age: (a, b) => difference(a.acquiredAt ?? Infinity, b.acquiredAt ?? Infinity),
  holder: (a, b) => {
    const [one, other] = [holderOf(a) ?? '\uffff', holderOf(b) ?? '\uffff'];
    if (one === other) return 0;
    return one < other ? -1 : 1;
  },
};

/** Infinite ones may be the same. */
function difference(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
