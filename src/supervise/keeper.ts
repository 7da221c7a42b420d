import { Failure } from '../domain/failure.ts';
import type { Grant, Lease, Timetable } from './lease.ts';
import { timetableOf } from './lease.ts';
import { type Clocks, earlier, isPast, later, left, sleepUntil } from './moment.ts';
import { settled, withinTime } from './within-time.ts';

export interface KeepOptions {
  readonly lease: Lease;
  readonly clocks: Clocks;
  /** Milliseconds that the work may take to stop. */
  readonly grace: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Aborted when the lease need not be kept any longer. */
  readonly signal: AbortSignal;
  /** Aborted when there is no time for a renewal under way then. */
  readonly hurry: AbortSignal;
  /** Told the times that are in force, at once and after each renewal. */
  readonly onTimetable: (timetable: Timetable) => void;
  readonly onRenewed: (grant: Grant) => void;
  readonly onFailed: (failure: Failure) => void;
}

/** Why a lease is not kept any longer. */
export type KeepEnd =
  /** It was not needed any longer. */
  | { readonly why: 'released' }
  | { readonly why: 'lost'; readonly failure: Failure }
  /** The service wants the work to be stopped. */
  | { readonly why: 'canceled' };

/** What a call may take, in milliseconds. */
const SHORTEST_CALL = 1_000;
const LONGEST_CALL = 15_000;
/** The wait after a first renewal that failed, and the longest one, in milliseconds. */
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5_000;

/** Renews a lease again and again, until it is not needed any longer, lost, or canceled. */
export async function keep(options: KeepOptions): Promise<KeepEnd> {
  const { lease, clocks, grace, random, signal, onTimetable, onRenewed, onFailed } = options;
  let grant = lease.granted;
  let timetable = timetableOf(grant, grace, random());
  onTimetable(timetable);
  let next = timetable.renewAt;
  let last: Failure | undefined;
  let delay = FIRST_DELAY;
  for (;;) {
    await sleepUntil(earlier(next, timetable.stopAt, clocks.now()), clocks, signal);
    if (signal.aborted) return { why: 'released' };
    if (isPast(timetable.stopAt, clocks.now())) return lost(last);
    const outcome = await renew(options, timetable);
    if (outcome === 'released') return { why: 'released' };
    if (outcome === 'late') continue;
    if (outcome instanceof Failure) {
      last = outcome;
      if (isOver(last)) return { why: 'lost', failure: last };
      onFailed(last);
      next = later(clocks.now(), delay * (0.5 + random()));
      delay = Math.min(delay * 2, LONGEST_DELAY, grant.duration / 10);
      continue;
    }
    grant = outcome;
    delay = FIRST_DELAY;
    timetable = timetableOf(grant, grace, random());
    next = timetable.renewAt;
    onTimetable(timetable);
    onRenewed(grant);
    if (grant.isCanceled) return { why: 'canceled' };
  }
}

/** One renewal, for which nobody waits beyond the time that there is. */
async function renew(
  { lease, clocks, signal, hurry }: KeepOptions,
  { stopAt }: Timetable,
): Promise<Grant | Failure | 'released' | 'late'> {
  const rest = left(stopAt, clocks.now());
  // A third of the time is for trying again, where the rest is enough for an answer.
  const share = Math.min(Math.max((rest * 2) / 3, SHORTEST_CALL), LONGEST_CALL);
  const limit = Math.max(1, Math.ceil(Math.min(rest, share)));
  const answer = settled(lease.renew(limit));
  const first = await withinTime(answer, stopAt, clocks, signal);
  if (first) return first;
  if (!signal.aborted) return 'late';
  // It may bring what the end of the lease has to be told with. A bug gets out.
  await withinTime(answer, later(clocks.now(), limit), clocks, hurry);
  return 'released';
}

/**
 * Whether a refused renewal says that the lease is gone. Whatever else went wrong may pass, a token
 * that is refused as well as a proxy's page: until the deadline it is worth trying.
 */
function isOver({ code }: Failure): boolean {
  return code === 'lease_lost' || code === 'not_found' || code === 'conflict';
}

function lost(last: Failure | undefined): KeepEnd {
  const why = last ? ` ${last.message}` : '';
  const message = `The lease could not be renewed in time.${why}`;
  return { why: 'lost', failure: new Failure('lease_lost', message, { cause: last }) };
}
