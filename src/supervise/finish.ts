import { Failure, type FailureCode } from '../domain/failure.ts';
import type { Ending, Lease } from './lease.ts';
import { type Clocks, later, left, type Moment, sleepUntil } from './moment.ts';
import { settled, withinTime } from './within-time.ts';

export interface FinishOptions {
  readonly clocks: Clocks;
  /** Nobody tries any longer than this. */
  readonly deadline: Moment;
  /** Aborted when it has to be given up at once. */
  readonly over: AbortSignal;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** It was not recorded, and will be tried again if there is time. */
  readonly onFailed: (failure: Failure) => void;
}

/** What the first call may take, and the first and the longest wait before the next, in milliseconds. */
const FIRST_CALL = 5_000;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 2_000;

/**
 * Gives a lease back, again and again until the service has decided, or the deadline is past.
 *
 * @throws Failure the service's refusal; `unavailable` when it is not known whether it was recorded
 */
export async function finish(
  lease: Lease,
  ending: Ending,
  { clocks, deadline, over, random, onFailed }: FinishOptions,
): Promise<void> {
  let last = noTime();
  let delay = FIRST_DELAY;
  let call = FIRST_CALL;
  for (;;) {
    const rest = left(deadline, clocks.now());
    if (rest <= 0 || over.aborted) throw last;
    const limit = Math.ceil(Math.min(rest, call));
    const failure = await attempt(lease, ending, limit, { clocks, over });
    if (!failure) return;
    if (isDecision(failure)) throw failure;
    last = failure;
    onFailed(failure);
    const wait = Math.min(delay * (0.5 + random()), left(deadline, clocks.now()));
    await sleepUntil(later(clocks.now(), wait), clocks, over);
    delay = Math.min(2 * delay, LONGEST_DELAY);
    // Slow is better than never.
    call *= 2;
  }
}

/**
 * Whether a service has decided on an end. Whatever else went wrong may pass, a token that is refused
 * as well as a proxy's page.
 */
export function isDecision({ code }: Failure): boolean {
  return DECISIONS.has(code);
}

const DECISIONS: ReadonlySet<FailureCode> = new Set([
  'lease_lost',
  'not_found',
  'conflict',
  'invalid_request',
  'usage',
]);

/** What a call may be late with its own failure, in milliseconds. */
const LATENESS = 100;

async function attempt(
  lease: Lease,
  ending: Ending,
  limit: number,
  { clocks, over }: Pick<FinishOptions, 'clocks' | 'over'>,
): Promise<Failure | undefined> {
  const answer = settled(lease.end(ending, limit).then(() => 'recorded' as const));
  const outcome = await withinTime(answer, later(clocks.now(), limit + LATENESS), clocks, over);
  return outcome === 'recorded' ? undefined : (outcome ?? noTime());
}

function noTime(): Failure {
  return new Failure('unavailable', 'There was no answer in time.', { outcomeUnknown: true });
}
