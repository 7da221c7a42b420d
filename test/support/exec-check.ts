/*
 * What commands that ran under leases wrote into one journal, how leasectl ended, and what the service
 * has stored; and whether all of that can be true of an `exec` that keeps its promises.
 *
 * The journal stands for what a lease protects. Whoever writes to it does so at one moment, so there
 * are no spans of doubt: what is written with a token after the first line of a later one is an
 * overlap, however short.
 */

/** One line of the journal. */
export interface Line {
  /** `tick` is written again and again, by the command and by what it has in the background. */
  readonly what: 'begin' | 'tick' | 'end';
  /** The key or job. */
  readonly id: string;
  /** What the command was given as LEASECTL_FENCING_TOKEN. */
  readonly token: number;
  /** Taken right before it was written: by the wall clock, in microseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** The contender that ran the command. */
  readonly by: string;
  /** Of `end`: what the command is about to end with. */
  readonly code?: number | undefined;
}

/** How one leasectl ended, and what was done to it. */
export interface Ending {
  readonly by: string;
  /** What it asked for by name; undefined when it took what there was. */
  readonly id: string | undefined;
  readonly code: number | null;
  readonly signal: string | null;
  /** Milliseconds from its start to its end. */
  readonly took: number;
  /** Milliseconds that it was to wait for the lease; 0 for not at all. */
  readonly wait: number;
  readonly done: readonly Deed[];
  /** Whether it had told that it was through with everything. */
  readonly isThrough: boolean;
}

/** What can be done to a contender, beside freezing it: that excuses nothing. */
export type Deed =
  /** SIGKILL to leasectl. */
  | 'killed'
  /** SIGTERM to leasectl. */
  | 'dismissed'
  /** SIGKILL to the command. */
  | 'bereaved';

/** A key or job as the database has it at the end. */
export interface Row {
  readonly id: string;
  /** Null as long as it is not finished. */
  readonly way: string | null;
  /** The last one that was given out. */
  readonly token: number;
}

export interface Evidence {
  /** In the order in which they stand in the journal. */
  readonly lines: readonly Line[];
  readonly endings: readonly Ending[];
  readonly rows: readonly Row[];
  /** Processes that were still there when all contenders had ended. */
  readonly leftovers: readonly string[];
  /** The exit code of commands whose job is to be tried again; undefined where there is none such. */
  readonly retryable?: number | undefined;
}

/** What of the evidence breaks a promise of `exec`. */
export function findViolations(evidence: Evidence): string[] {
  const { lines, endings, leftovers } = evidence;
  return [
    ...findOverlaps(lines),
    ...problemsOfOrder(lines),
    ...problemsOfCompletions(endings, lines),
    ...endings.flatMap((ending) => problemsOfEnding(ending, evidence)),
    ...leftovers.map((process) => `was left behind: ${process}`),
  ];
}

/** Lines that were written with a token when a later one was in use already. */
export function findOverlaps(lines: readonly Line[]): string[] {
  return [...groupBy(lines, ({ id }) => id).values()].flatMap((own) => {
    // By what each writer saw of the time, and by what the file saw of the writers.
    const byClock = overlapsIn(own.toSorted((one, other) => one.at - other.at));
    return [...new Map([...byClock, ...overlapsIn(own)]).values()];
  });
}

/** One problem for each two that met, by their tokens: of the last line, which was the latest. */
function overlapsIn(lines: readonly Line[]): Map<string, string> {
  const problems = new Map<string, string>();
  let latest: Line | undefined;
  for (const line of lines) {
    if (!latest || line.token > latest.token) latest = line;
    if (line.token === latest.token) continue;
    const late = Math.round((line.at - latest.at) / 1_000);
    const problem = `wrote "${line.what}" ${late} ms after ${nameOf(latest)} had begun`;
    problems.set(`${line.token} ${latest.token}`, `${nameOf(line)} ${problem}`);
  }
  return problems;
}

/** A token is one contender's, and begins once, before all else. */
function problemsOfOrder(lines: readonly Line[]): string[] {
  return sectionsOf(lines).flatMap((section) => {
    const [first, ...rest] = section;
    if (!first) return [];
    const again = rest.filter(({ what }) => what === 'begin');
    const stranger = rest.find(({ by }) => by !== first.by);
    return [
      ...(first.what === 'begin' ? [] : [`${nameOf(first)} begins with "${first.what}"`]),
      ...again.map((line) => `${nameOf(line)} began again with a token in use`),
      ...(stranger ? [`${nameOf(stranger)} wrote with the token of ${first.by}`] : []),
    ];
  });
}

/** The work is done once. */
function problemsOfCompletions(endings: readonly Ending[], lines: readonly Line[]): string[] {
  const done = endings
    .filter(({ code }) => code === 0)
    .flatMap(({ by }) => lines.filter((line) => line.what === 'begin' && line.by === by));
  return [...groupBy(done, ({ id }) => id)].flatMap(([id, begins]) =>
    begins.length > 1 ? [`${id} was completed ${begins.length} times`] : [],
  );
}

function problemsOfEnding(ending: Ending, { lines, rows, retryable }: Evidence): string[] {
  const { by, code, signal } = ending;
  const own = lines.filter((line) => line.by === by);
  const begins = own.filter(({ what }) => what === 'begin');
  if (begins.length > 1) return [`${by} ran its command ${begins.length} times`];
  const [begin] = begins;
  const id = begin?.id ?? ending.id;
  const problem = problemOfCode({
    ending,
    begin,
    end: own.find(({ what }) => what === 'end'),
    row: rows.find((row) => row.id === id),
    retryable,
  });
  return problem ? [`${begin ? nameOf(begin) : by} ended with ${code ?? signal}, ${problem}`] : [];
}

/** All that is known of one contender. */
interface Case {
  readonly ending: Ending;
  readonly begin: Line | undefined;
  readonly end: Line | undefined;
  readonly row: Row | undefined;
  readonly retryable: number | undefined;
}

const KILLED = 137;
const TERMINATED = 143;

/** What is wrong with the code, in words; undefined where the documentation allows it. */
function problemOfCode(it: Case): string | undefined {
  const { code, done } = it.ending;
  const is = (deed: Deed) => done.includes(deed);
  if (code === null) return problemOfSignal(it);
  // The signal may have come before, after, or in between: it may be the reason, or not.
  if (code === TERMINATED && is('dismissed')) return stored(it, null, 'cancel', 'fail');
  if (code === KILLED && it.begin && is('bereaved')) return stored(it, 'fail');
  if (code === KILLED && it.begin && is('dismissed')) return stored(it, null, 'cancel', 'fail');
  switch (code) {
    case 0:
      return it.end?.code === 0 ? stored(it, 'complete') : 'though its command did not';
    case 7:
      if (it.begin) return 'though it had the lease';
      return it.row && it.row.way === null ? 'though nothing is finished' : undefined;
    case 10:
    case 11:
    case 12:
      return problemOfWaiting(it);
    case 14:
      return isStored(it, 'complete') ? 'and yet it is completed with this token' : undefined;
    case 75:
      return problemOfUnavailable(it);
    default:
      if (code !== it.end?.code) return 'which says nothing that happened';
      return is('dismissed') ? stored(it, null, 'cancel', 'fail') : stored(it, 'fail');
  }
}

/** A signal that ended leasectl itself. */
function problemOfSignal({ ending: { signal, done, isThrough }, begin }: Case): string | undefined {
  if (signal === 'SIGKILL' && done.includes('killed')) return undefined;
  // What holds nothing, or nothing any more, has nothing to see to.
  return signal === 'SIGTERM' && done.includes('dismissed') && (!begin || isThrough)
    ? undefined
    : 'which nobody sent, or which it was not to die of';
}

function problemOfWaiting({ ending: { code, took, wait }, begin }: Case): string | undefined {
  if (begin) return 'though it had the lease';
  if (code === 10 && took < wait) return `after ${took} of ${wait} ms`;
  if (code === 10) return wait > 0 ? undefined : 'though it was not to wait';
  return wait > 0 ? 'though it was to wait' : undefined;
}

/** Also the code of a command whose job is to be tried again. */
function problemOfUnavailable(it: Case): string | undefined {
  const { begin, end, ending, retryable } = it;
  if (retryable === 75 && end?.code === 75) return stored(it, null);
  // Nothing is known of an end only where there was one; what was stopped is lost, with 14.
  const isStopped = begin && !end && ending.done.length === 0;
  return isStopped ? 'though its command was stopped' : undefined;
}

/** Undefined when its token was finished in one of these ways; null stands for not at all. */
function stored(it: Case, ...ways: (string | null)[]): string | undefined {
  if (!it.begin || ways.some((way) => isStored(it, way))) return undefined;
  const { row } = it;
  return row
    ? `but ${row.id} is ${row.way ?? 'not finished'}, and its token ${row.token}`
    : 'but nothing is stored';
}

function isStored({ begin, row }: Case, way: string | null): boolean {
  if (!begin || !row) return false;
  const found = row.token === begin.token ? row.way : null;
  return found === way;
}

/** A token's lines, of all tokens. */
function sectionsOf(lines: readonly Line[]): Line[][] {
  return [...groupBy(lines, ({ id, token }) => `${token} ${id}`).values()];
}

function nameOf({ by, id, token }: Line): string {
  return `${by} with ${token} on ${id}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** What happened, for a test to know that what it is about did happen. */
export interface Facts {
  readonly sections: number;
  /** Sections that followed upon another one on the same key or job. */
  readonly handovers: number;
  /** Sections that lasted longer than a lease does that is not renewed. */
  readonly renewed: number;
  /** Exit codes, or signals, and how many ended with each. */
  readonly codes: Readonly<Record<string, number>>;
}

/** @param ttl of a lease, in milliseconds */
export function findFacts(
  { lines, endings }: Pick<Evidence, 'lines' | 'endings'>,
  ttl: number,
): Facts {
  const sections = sectionsOf(lines);
  const ids = new Set(lines.map(({ id }) => id));
  const isLong = (section: readonly Line[]) => {
    const moments = section.map(({ at }) => at);
    return Math.max(...moments) - Math.min(...moments) > ttl * 1_000;
  };
  const codes = groupBy(endings, ({ code, signal }) => String(code ?? signal));
  return {
    sections: sections.length,
    handovers: sections.length - ids.size,
    renewed: sections.filter(isLong).length,
    codes: Object.fromEntries([...codes].map(([code, same]) => [code, same.length])),
  };
}
