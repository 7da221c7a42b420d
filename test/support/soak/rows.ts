import { type Hold, holdsOf } from './holds.ts';
import {
  type Change,
  type Entry,
  type Evidence,
  groupBy,
  isChange,
  isGrant,
  nameOf,
  type Row,
} from './journal.ts';

/** How often something was done: at least as often as that was answered, at most as often as asked. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** What of the database, as it is at the end, is not what was answered. */
export function problemsOfRows({
  entries,
  rows,
  added,
}: Pick<Evidence, 'entries' | 'rows' | 'added'>): string[] {
  const historyOf = groupBy(entries, nameOf);
  const rowsOf = groupBy(rows, nameOf);
  const addedOnes = new Set(added);
  const strayed = strayAcquisitions(entries);
  const known = [...historyOf].filter(([, own]) => own.some(isGrant)).map(([name]) => name);
  const problems = [...new Set([...added, ...known])].flatMap((name) => {
    const [row, ...others] = rowsOf.get(name) ?? [];
    if (!row || others.length > 0) return [`${name} is there ${row ? 2 : 0} times`];
    const history = historyOf.get(name) ?? [];
    const base = addedOnes.has(name) ? 1 : 0;
    const own = [
      ...problemsOfCounts(row, history, base, strayed.get(row.kind) ?? 0),
      ...problemsOfEnd(row, history),
    ];
    return own.map((problem) => `${name} ${problem}`);
  });
  return [...problems, ...problemsOfStrays(rows, historyOf, strayed)];
}

/** Acquisitions that the service may have made of whatever it chose, without anybody learning of it. */
function strayAcquisitions(entries: readonly Entry[]): Map<string, number> {
  const strays = new Map<string, number>();
  for (const { what, kind, outcome, tries } of entries) {
    if (what !== 'acquire' || kind !== 'runner_job') continue;
    const more = outcome === 'unknown' ? tries : tries - 1;
    strays.set(kind, (strays.get(kind) ?? 0) + more);
  }
  return strays;
}

/** No change that was answered is missing, and there is none that nobody asked for. */
function problemsOfCounts(
  { token, acquisitions, version }: Row,
  history: readonly Entry[],
  base: number,
  strayed: number,
): string[] {
  const grants = boundsOf(history.filter(({ what }) => what === 'acquire'));
  const all = boundsOf(history);
  const highest = Math.max(0, ...history.filter(isGrant).map((grant) => grant.token));
  return [
    ...outside('acquisitions', acquisitions, grants, strayed),
    ...outside('version', version - base, all, strayed),
    ...(token < highest ? [`fell from ${highest} to ${token}`] : []),
  ];
}

function outside(what: string, count: number, { least, most }: Bounds, strayed: number): string[] {
  if (count < least) return [`lost changes: ${what} has ${count} of ${least} that were answered`];
  return count > most + strayed
    ? [`has changes that nobody asked for: ${what} has ${count}, of at most ${most + strayed}`]
    : [];
}

function boundsOf(entries: readonly Entry[]): Bounds {
  const bounds = entries.map(boundsOfOne);
  const sum = (name: keyof Bounds) => bounds.reduce((total, one) => total + one[name], 0);
  return { least: sum('least'), most: sum('most') };
}

function boundsOfOne(entry: Entry): Bounds {
  const { what, outcome, tries } = entry;
  if (what === 'look') return { least: 0, most: 0 };
  // Which one a service chose in vain is not known: see `strayAcquisitions`.
  const isStray = entry.kind === 'runner_job' && what === 'acquire';
  const least = outcome === 'granted' || outcome === 'done' ? 1 : 0;
  if (outcome === 'unknown') return { least, most: isOnce(what) ? 1 : isStray ? 0 : tries };
  // Repeating an end changes nothing; and one that was refused had not been made before.
  return { least, most: isOnce(what) || isStray ? least : least + tries - 1 };
}

function isOnce(what: Entry['what']): boolean {
  return what === 'finish' || what === 'release';
}

function problemsOfEnd(row: Row, history: readonly Entry[]): string[] {
  const finishes = history.filter(isChange).filter(({ what }) => what === 'finish');
  const done = finishes.find(({ outcome }) => outcome === 'done');
  const isRows = ({ way, token }: Change) => way === row.way && token === row.token;
  if (done) return isRows(done) ? [] : [`was ${wordsOf(done)}, and is ${wordsOf(row)}`];
  if (row.way !== null) {
    const isPossible = finishes.some((one) => one.outcome === 'unknown' && isRows(one));
    return isPossible ? [] : [`is ${wordsOf(row)}, which nobody asked for`];
  }
  const last = holdsOf(history).findLast(({ grant }) => grant.token === row.token);
  return last ? problemsOfExpiry(row, last) : [];
}

function wordsOf({ way, token }: Row | Change): string {
  return `${way ?? 'not finished'} with ${token}`;
}

/** What was prolonged is not cut short, unless its holder gave it back. */
function problemsOfExpiry({ expiresAt }: Row, { changes, sureEnd }: Hold): string[] {
  const isGivenBack = changes.some(
    ({ what, outcome }) => what === 'release' && outcome !== 'refused',
  );
  return !isGivenBack && expiresAt < sureEnd
    ? [`ends ${sureEnd - expiresAt} ms before what its holder was promised`]
    : [];
}

/** More was acquired, of whatever, than anybody asked for. */
function problemsOfStrays(
  rows: readonly Row[],
  historyOf: ReadonlyMap<string, readonly Entry[]>,
  strayed: ReadonlyMap<string, number>,
): string[] {
  return [...groupBy(rows, ({ kind }) => kind)].flatMap(([kind, own]) => {
    const excess = own.reduce((sum, row) => {
      const acquired = (historyOf.get(nameOf(row)) ?? []).filter(({ what }) => what === 'acquire');
      return sum + Math.max(0, row.acquisitions - boundsOf(acquired).most);
    }, 0);
    const most = strayed.get(kind) ?? 0;
    return excess > most
      ? [`${kind}: ${excess} acquisitions that nobody knows of, of at most ${most}`]
      : [];
  });
}
