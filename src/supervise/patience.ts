import { formatDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { type Clocks, later, left, sleepUntil } from './moment.ts';

/** What one look brought: what was waited for, or why it is not to be had yet. */
export type Look<T> =
  | { readonly found: T }
  | {
      readonly failure: Failure;
      /** Milliseconds after which the service wants to be asked again; undefined if it says nothing. */
      readonly retryAfter: number | undefined;
      /** The command that tells why it takes so long. */
      readonly ask?: string | undefined;
    };

export interface WaitOptions<T> {
  /** @param rest milliseconds that are left, after which nobody waits for what it brings */
  readonly look: (rest: number) => Promise<Look<T>>;
  readonly clocks: Clocks;
  /** Milliseconds after which to give up; 0 for a single look, undefined for never. */
  readonly patience: number | undefined;
  /** Milliseconds between looks, unless the service asks for more; undefined for growing ones. */
  readonly interval: number | undefined;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Ends a wait at once. */
  readonly signal: AbortSignal;
  /** @param pause milliseconds until the next look */
  readonly onWait: (failure: Failure, pause: number) => void;
}

/** Whatever a service says, it is not asked without a pause, in milliseconds. */
const LEAST_PAUSE = 100;
/** The first wait, and the longest one, where the service says nothing, in milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/**
 * Looks until what is waited for is there.
 *
 * @returns undefined when the signal was aborted
 * @throws Failure that of a single look; `wait_timeout` when the time is over
 */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T | undefined> {
  const { look, clocks, patience, interval, random, signal, onWait } = options;
  const until = patience === undefined ? undefined : later(clocks.now(), patience);
  const rest = () => (until ? left(until, clocks.now()) : Number.POSITIVE_INFINITY);
  let usual = interval ?? FIRST_PAUSE;
  for (;;) {
    const seen = await look(rest());
    if ('found' in seen) return seen.found;
    const { failure, retryAfter, ask } = seen;
    if (rest() <= 0) throw patience ? inVain(failure, patience, ask) : failure;
    if (signal.aborted) return undefined;
    const asked = Math.max(retryAfter ?? usual, interval ?? 0, LEAST_PAUSE);
    // Later rather than sooner, and not all at once.
    const pause = Math.min(rest(), asked * (1 + random() / 4));
    if (!interval) usual = Math.min(LONGEST_PAUSE, usual * 1.5);
    onWait(failure, pause);
    await sleepUntil(later(clocks.now(), pause), clocks, signal);
    if (signal.aborted) return undefined;
  }
}

function inVain(failure: Failure, patience: number, ask: string | undefined): Failure {
  const { message, service } = failure;
  const waited = `It was waited for ${formatDuration(patience / 1000)}.`;
  return new Failure('wait_timeout', `${message} ${waited}`, {
    hint: `Wait for longer, or find out why it takes so long${ask ? `: ${ask}` : '.'}`,
    service,
    cause: failure,
  });
}
