/*
 * What workers that contended for jobs told, and whether it can be true of a service that keeps its
 * promises.
 *
 * A claim, a heartbeat or an end happens at some moment between `sent` and `answered`. So nobody
 * knows exactly when a lease ends, only the earliest and the latest moment at which it can have
 * ended. Each rule uses the one that gives the service the benefit of the doubt: a violation that is
 * found is one whichever moments were the real ones.
 */

/** Moments by the wall clock, which is the database's too, in milliseconds since 1970. */
interface Span {
  readonly sent: number;
  readonly answered: number;
}

interface Claim extends Span {
  readonly what: 'claimed' | 'beaten';
  /** As the service told it: in whole seconds, rounded down. */
  readonly until: number;
}

/** Told before the request leaves: whoever is killed right after may have ended the lease. */
interface Attempt {
  readonly what: 'finishing' | 'releasing';
  readonly sent: number;
}

interface Answer extends Span {
  readonly what: 'finished' | 'released' | 'refused';
}

/** One line of a worker's journal. */
export type Line = (Claim | Attempt | Answer) & {
  /** The loop that tells it. */
  readonly by: string;
  readonly job: string;
  /** The fencing token of the lease that the request was made with. */
  readonly token: number;
};

/** A job as the database has it at the end. */
export interface Row {
  readonly id: string;
  readonly way: string | null;
  readonly token: number;
}

export interface Evidence {
  /** Every job that was added. */
  readonly jobs: readonly string[];
  /** Of all workers; the lines of one worker in their order. */
  readonly lines: readonly Line[];
  readonly rows: readonly Row[];
  /** What a claim or a heartbeat lasts, in milliseconds. */
  readonly ttl: number;
}

/** One lease on a job, as it was told of. */
interface Hold {
  readonly claim: Line & Claim;
  /** All that was told with its fencing token. */
  readonly lines: readonly Line[];
  /** Before this it had not ended. */
  readonly earliestEnd: number;
}

/** Jobs that few loops are fit for: when a lease on one has run out, it is left alone for a while. */
export function isRare(job: string): boolean {
  return job.endsWith('00');
}

/** What of the evidence cannot be true where each job is finished once, by who holds it. */
export function findViolations({ jobs, lines, rows, ttl }: Evidence): string[] {
  const linesOf = groupBy(lines, ({ job }) => job);
  const rowsOf = groupBy(rows, ({ id }) => id);
  return jobs.flatMap((job) => {
    const [row, ...others] = rowsOf.get(job) ?? [];
    const problems =
      row && others.length === 0
        ? problemsOf(linesOf.get(job) ?? [], row, ttl)
        : [`is there ${row ? others.length + 1 : 0} times`];
    return problems.map((problem) => `${job} ${problem}`);
  });
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

function problemsOf(lines: readonly Line[], row: Row, ttl: number): string[] {
  const holds = holdsOf(lines, ttl);
  return [
    ...problemsOfFinish(lines, row),
    ...problemsOfTokens(holds, row),
    ...problemsOfOverlap(holds),
    ...holds.flatMap(problemsOfRefusals),
    ...holds.flatMap((hold) => problemsOfLateness(hold, ttl)),
    ...problemsOfStrangers(lines, holds),
  ];
}

/** The leases on a job, by their fencing tokens. */
function holdsOf(lines: readonly Line[], ttl: number): Hold[] {
  return lines
    .flatMap((line) => (line.what === 'claimed' ? [toHold(line, lines, ttl)] : []))
    .sort((one, other) => one.claim.token - other.claim.token);
}

function toHold(claim: Line & Claim, all: readonly Line[], ttl: number): Hold {
  const lines = all.filter(({ token }) => token === claim.token);
  const lasting = prolongingsIn(lines).map(({ until, sent }) => Math.max(until, sent + ttl));
  const ends = lines.filter((line) => isEnding(line) && !isRefused(line, lines));
  const earliestEnd = Math.min(Math.max(...lasting), ...ends.map(({ sent }) => sent));
  return { claim, lines, earliestEnd };
}

function prolongingsIn(lines: readonly Line[]): (Line & Claim)[] {
  return lines.flatMap((line) => (line.what === 'claimed' || line.what === 'beaten' ? [line] : []));
}

function isEnding({ what }: Line): boolean {
  return what === 'finishing' || what === 'releasing';
}

function isRefused(attempt: Line, lines: readonly Line[]): boolean {
  const { by, sent } = attempt;
  return lines.some((line) => line.what === 'refused' && line.by === by && line.sent === sent);
}

/** Whoever is killed between a finish and telling of it leaves an attempt without an answer. */
function problemsOfFinish(lines: readonly Line[], { way, token }: Row): string[] {
  if (way !== 'complete') return [`is lost: its end is ${way}`];
  const finishes = lines.filter(({ what }) => what === 'finished');
  if (finishes.length > 1) return [`was finished ${finishes.length} times`];
  const attempts = lines.filter(({ what }) => what === 'finishing');
  const unanswered = attempts.filter((attempt) => !isRefused(attempt, lines));
  const finish = finishes[0] ?? unanswered.find((attempt) => attempt.token === token);
  if (!finish) return ['was finished by nobody'];
  return finish.token === token
    ? []
    : [`was finished with ${finish.token} when ${token} was current`];
}

function problemsOfTokens(holds: readonly Hold[], row: Row): string[] {
  const claims = holds.map(({ claim }) => claim);
  const last = claims.at(-1)?.token ?? 0;
  return [
    ...claims
      .filter(({ token }, index) => claims[index + 1]?.token === token)
      .map(({ token }) => `was given out twice with ${token}`),
    ...claims.flatMap((later) =>
      claims
        .filter(({ answered, token }) => answered < later.sent && token > later.token)
        .map(({ token }) => `fell from ${token} to ${later.token}`),
    ),
    ...(last > row.token ? [`fell from ${last} to ${row.token}`] : []),
  ];
}

function problemsOfOverlap(holds: readonly Hold[]): string[] {
  return holds.flatMap(({ claim, earliestEnd }, index) => {
    const next = holds[index + 1]?.claim;
    return next && next.answered < earliestEnd
      ? [`was held by ${claim.by} when ${next.by} got it, ${earliestEnd - next.answered} ms early`]
      : [];
  });
}

/** Until its lease ends, a holder is obeyed. */
function problemsOfRefusals({ lines, earliestEnd }: Hold): string[] {
  return lines.flatMap((line) =>
    line.what === 'refused' && line.answered < earliestEnd
      ? [`was refused to its holder, ${earliestEnd - line.answered} ms before the end`]
      : [],
  );
}

/** From the end of its lease on, a holder is not obeyed. */
function problemsOfLateness({ lines }: Hold, ttl: number): string[] {
  return lines.filter(isObeyed).flatMap(({ what, sent }) => {
    const before = prolongingsIn(lines).filter(({ answered }) => answered <= sent);
    const lasting = before.map(({ until, answered }) => Math.min(until + 1_000, answered + ttl));
    const late = sent - Math.max(...lasting);
    return late >= 0 ? [`was ${what} ${late} ms after the end`] : [];
  });
}

/** Nobody but who claimed is obeyed. */
function problemsOfStrangers(lines: readonly Line[], holds: readonly Hold[]): string[] {
  const isHolder = ({ by, token }: Line) =>
    holds.some(({ claim }) => claim.by === by && claim.token === token);
  return lines
    .filter((line) => isObeyed(line) && !isHolder(line))
    .map(({ what, by, token }) => `was ${what} by ${by} with ${token}, which it never got`);
}

function isObeyed({ what }: Line): boolean {
  return what === 'beaten' || what === 'finished' || what === 'released';
}

/** What happened, for a test to know that what it is about did happen. */
export interface Facts {
  /** Leases that their holder was killed with, and that others got after it. */
  readonly inherited: number;
  readonly released: number;
  /** Jobs finished by a holder whose lease would have been over, but for its heartbeats. */
  readonly kept: number;
  /** Refusals for the time alone: nobody else had come. */
  readonly refusedUntaken: number;
  /** Refusals while another holder was at work. */
  readonly refusedTaken: number;
  /** Refusals to the very holder, when it showed the fencing token of the one before it. */
  readonly refusedOutdated: number;
}

export function findFacts({ lines, ttl }: Evidence): Facts {
  const histories = [...groupBy(lines, ({ job }) => job).values()];
  const found = histories.flatMap((history) =>
    holdsOf(history, ttl).flatMap((hold, index, holds) =>
      hold.lines.map((line) => factOf(line, hold, holds[index + 1], ttl)),
    ),
  );
  const count = (name: keyof Facts) => found.filter((fact) => fact === name).length;
  return {
    inherited: count('inherited'),
    released: count('released'),
    kept: count('kept'),
    refusedUntaken: count('refusedUntaken'),
    refusedTaken: count('refusedTaken'),
    refusedOutdated: count('refusedOutdated'),
  };
}

function factOf(
  line: Line,
  { claim, lines }: Hold,
  next: Hold | undefined,
  ttl: number,
): keyof Facts | undefined {
  switch (line.what) {
    case 'claimed': {
      const isEnd = ({ what, by }: Line) =>
        by === claim.by && /^(finished|released|refused)$/.test(what);
      return next && !lines.some(isEnd) ? 'inherited' : undefined;
    }
    case 'released':
      return 'released';
    case 'finished':
      return line.sent >= claim.answered + ttl ? 'kept' : undefined;
    case 'refused':
      return line.by === claim.by ? kindOf(line, next) : 'refusedOutdated';
    default:
      return undefined;
  }
}

function kindOf(refusal: Line & Answer, next: Hold | undefined): keyof Facts | undefined {
  // In between somebody may have come of whom nothing is told.
  if (next?.claim.token !== refusal.token + 1) return undefined;
  if (refusal.answered < next.claim.sent) return 'refusedUntaken';
  const isNextAtWork = next.claim.answered < refusal.sent && refusal.answered < next.earliestEnd;
  return isNextAtWork ? 'refusedTaken' : undefined;
}
