import { type Change, changeSince } from '../insight/change.ts';
import type { LeaseView, Look } from '../look/lease.ts';
import { type Clocks, later, left, sleepUntil } from '../supervise/moment.ts';
import { observed as observedWords, observing } from './words.ts';

/** How long to observe, unless it is said, in milliseconds. */
const LONGEST = 60_000;
const SHORTEST = 1_000;
/** How long to wait before the next look, unless the service asks for more, in milliseconds. */
const PAUSE = { ours: 500, others: 2_000 };
/** How often the time that is left is shown, in milliseconds. */
const TICK = 1_000;

export interface Observed {
  readonly change: Change;
  readonly last: Look;
  /** Seconds. */
  readonly observed: number;
}

interface Watching {
  readonly clocks: Clocks;
  readonly tell: (line: string) => void;
  readonly show: (line: string | undefined) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at a lease until something has become of it, or so much time is over; the last look comes at
 * the end of that time. All ends with the signal.
 *
 * @param time milliseconds; undefined for as long as the lease lasts, and a minute at most
 */
export async function observe(
  view: LeaseView,
  first: Look,
  time: number | undefined,
  { clocks, tell, show, signal = new AbortController().signal }: Watching,
): Promise<Observed> {
  const whole = time ?? usualTime(first);
  const begun = clocks.now();
  const until = later(begun, whole);
  let last = first;
  let change: Change = 'none';
  // The terminal is somebody else's from then on.
  signal.addEventListener('abort', () => show(undefined), { once: true });
  if (whole > 0) tell(observing(whole, first));
  while (change === 'none' && left(until, clocks.now()) > 0) {
    const next = later(clocks.now(), pauseBefore(view, last, left(until, clocks.now())));
    while (left(next, clocks.now()) > 0) {
      show(observedWords(view, left(until, clocks.now())));
      const tick = later(clocks.now(), Math.min(TICK, left(next, clocks.now())));
      await sleepUntil(tick, clocks, signal);
      if (signal.aborted) return { change, last, observed: 0 };
    }
    last = await view.look();
    if (signal.aborted) return { change, last, observed: 0 };
    change = changeSince(first, last);
  }
  show(undefined);
  const spent = whole - Math.max(0, left(until, clocks.now()));
  return { change, last, observed: Math.round(spent / 1000) };
}

function usualTime({ sighting }: Look): number {
  const { ttl, endsAt, at } = sighting;
  const lasts = ttl ?? (endsAt === undefined ? LONGEST : endsAt - at);
  return Math.min(LONGEST, Math.max(SHORTEST, lasts));
}

/** A service is left alone as long as it asks for, also where that is longer than is left. */
function pauseBefore({ place }: LeaseView, { sighting }: Look, rest: number): number {
  const usual = place.isOurs ? PAUSE.ours : PAUSE.others;
  const asked = sighting.retryAfter ?? 0;
  return Math.max(asked, Math.min(usual, rest));
}
