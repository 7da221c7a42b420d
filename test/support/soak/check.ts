import { type Hold, holdsOf, isDone } from './holds.ts';
import { type Entry, type Evidence, groupBy, isChange, isGrant, nameOf } from './journal.ts';
import { problemsOfRows } from './rows.ts';

/*
 * Whether what clients were answered can be true of a service that keeps its promises. Each rule gives
 * the service the benefit of the doubt: a violation that is found is one, whichever moments were the
 * real ones.
 */

/** What of the evidence breaks a promise. */
export function findViolations(evidence: Evidence): string[] {
  const { entries, rows, added, oddities } = evidence;
  return [
    ...oddities.map((oddity) => `was answered: ${oddity}`),
    ...histories(entries).flatMap(([name, own]) =>
      problemsOfHistory(own).map((problem) => `${name} ${problem}`),
    ),
    ...problemsOfRows({ entries, rows, added }),
  ];
}

/** What there is to tell of each key or job. */
export function histories(entries: readonly Entry[]): [string, Entry[]][] {
  const known = entries.filter(({ id }) => id !== undefined);
  return [...groupBy(known, nameOf)];
}

function problemsOfHistory(entries: readonly Entry[]): string[] {
  const holds = holdsOf(entries);
  return [
    ...problemsOfTokens(holds),
    ...problemsOfOverlap(holds),
    ...holds.flatMap(problemsOfRefusals),
    ...holds.flatMap(problemsOfLateness),
    ...problemsOfStrangers(entries, holds),
    ...problemsOfVersions(entries),
    ...problemsOfFinish(entries),
  ];
}

function problemsOfTokens(holds: readonly Hold[]): string[] {
  const grants = holds.map(({ grant }) => grant);
  return [
    ...grants
      .filter(({ token }, index) => grants[index + 1]?.token === token)
      .map(({ token }) => `was granted twice with ${token}`),
    ...fallsIn(grants.map((grant) => ({ ...grant, number: grant.token }))).map(
      (fall) => `was granted with ${fall}`,
    ),
  ];
}

/** A number that was told at some moment of a span. */
interface Told {
  readonly sent: number;
  readonly answered: number;
  readonly number: number;
}

/** Numbers that are lower than one that had been told before they were asked for. */
function fallsIn(all: readonly Told[]): string[] {
  const answered = all.toSorted((one, other) => other.answered - one.answered);
  let highest = Number.NEGATIVE_INFINITY;
  return all
    .toSorted((one, other) => one.sent - other.sent)
    .flatMap(({ sent, number }) => {
      for (let next = answered.at(-1); next && next.answered < sent; next = answered.at(-1)) {
        highest = Math.max(highest, next.number);
        answered.pop();
      }
      return number < highest ? [`${number} after ${highest}`] : [];
    });
}

/** Nobody gets what somebody else surely holds. */
function problemsOfOverlap(holds: readonly Hold[]): string[] {
  let before: Hold | undefined;
  return holds.flatMap((hold) => {
    const { grant } = hold;
    const early = before ? before.sureEnd - grant.answered : 0;
    const problem = `was held by ${personOf(before)} when ${personOf(hold)} got it, ${early} ms early`;
    if (!before || hold.sureEnd > before.sureEnd) before = hold;
    return early > 0 ? [problem] : [];
  });
}

function personOf(hold: Hold | undefined): string {
  return hold ? `${hold.grant.by} with ${hold.grant.token}` : 'nobody';
}

/** Until its lease ends, a holder is obeyed: what it was promised is not lost. */
function problemsOfRefusals({ changes, sureEnd }: Hold): string[] {
  return changes.flatMap(({ what, by, outcome, answered }) =>
    outcome === 'refused' && answered < sureEnd
      ? [`was refused to its holder ${by}: ${what}, ${sureEnd - answered} ms before the end`]
      : [],
  );
}

/** From the end of its lease on, a holder is not obeyed. */
function problemsOfLateness({ changes, grant }: Hold): string[] {
  return changes.flatMap((change, index) => {
    if (!isDone(change)) return [];
    const [before] = holdsOf([grant, ...changes.slice(0, index)]);
    const late = before ? change.sent - before.latestEnd : 0;
    return late > 0 ? [`obeyed ${change.by}: ${change.what}, ${late} ms after the end`] : [];
  });
}

/** Nobody is obeyed but the last who got it. */
function problemsOfStrangers(entries: readonly Entry[], holds: readonly Hold[]): string[] {
  return entries
    .filter(isChange)
    .filter(isDone)
    .flatMap(({ what, by, token, sent }) => {
      const own = holds.find(({ grant }) => grant.by === by && grant.token === token);
      const next = holds.find(({ grant }) => grant.token > token && grant.answered < sent);
      return [
        ...(own ? [] : [`obeyed ${by}: ${what} with ${token}, which it never got`]),
        ...(next ? [`obeyed ${by}: ${what} with ${token} when ${personOf(next)} had it`] : []),
      ];
    });
}

/** Every change has a version of its own, and nobody sees one that is past. */
function problemsOfVersions(entries: readonly Entry[]): string[] {
  const changes = entries.flatMap((entry): (Told & Entry)[] => {
    if (isGrant(entry)) return entry.kind === 'key' ? [{ ...entry, number: entry.token }] : [];
    const version = isChange(entry) && isDone(entry) ? entry.version : undefined;
    return version === undefined ? [] : [{ ...entry, number: version }];
  });
  const looks = entries.flatMap((entry) =>
    entry.what === 'look' ? [{ ...entry, number: entry.version }] : [],
  );
  const times = groupBy(changes, ({ number }) => String(number));
  return [
    ...[...times].flatMap(([version, same]) =>
      same.length > 1 ? [`was changed ${same.length} times into version ${version}`] : [],
    ),
    ...fallsIn([...changes, ...looks]).map((fall) => `was told to have version ${fall}`),
  ];
}

/** What is finished stays so. */
function problemsOfFinish(entries: readonly Entry[]): string[] {
  const finishes = entries.filter((entry) => entry.what === 'finish' && entry.outcome === 'done');
  const [first] = finishes.toSorted((one, other) => one.answered - other.answered);
  if (!first) return [];
  const later = entries.filter(({ sent }) => sent > first.answered);
  return [
    ...(finishes.length > 1 ? [`was finished ${finishes.length} times`] : []),
    ...later.filter(isGrant).map(({ by }) => `was granted to ${by} after it was finished`),
    ...later
      .filter((entry) => entry.what === 'look' && !entry.isFinished)
      .map(({ by }) => `was told to ${by} not to be finished, after it was`),
  ];
}
