import type { Clocks, Moment } from './moment.ts';
import { ENDING, PASSED_ON, type SignalSource } from './supervisor.ts';

/** From a signal until leasectl is gone, in milliseconds: CI systems kill after 7.5 seconds. */
const CLEAN_UP = 4_200;
/** What of it is for giving back a lease that was being acquired. */
const GIVING_BACK = 1_000;

/** The first signal that wanted the work to end, and what time is left since then. */
export interface Interruption {
  /** Undefined as long as none came. */
  first(): { readonly signal: NodeJS.Signals; readonly at: Moment } | undefined;
  /** Aborted when it comes. */
  readonly begun: AbortSignal;
  /** Aborted when no answer can be waited for any longer. */
  readonly late: AbortSignal;
  /** Aborted when whatever is not done is given up. */
  readonly over: AbortSignal;
}

/** Listens until the process ends: a signal must not find it unprepared, from the first to the last. */
export function watchForInterruption(signals: SignalSource, clocks: Clocks): Interruption {
  const begun = new AbortController();
  const late = new AbortController();
  const over = new AbortController();
  const never = new AbortController().signal;
  let first: { signal: NodeJS.Signals; at: Moment } | undefined;
  const abort = (controller: AbortController, milliseconds: number) =>
    clocks.sleep(milliseconds, never).then(() => controller.abort());
  // Without a listener Node would open its debugger, or end.
  for (const signal of PASSED_ON) signals.on(signal, () => undefined);
  for (const signal of ENDING) {
    signals.on(signal, () => {
      if (first) return;
      first = { signal, at: clocks.now() };
      begun.abort();
      void abort(late, CLEAN_UP - GIVING_BACK);
      void abort(over, CLEAN_UP);
    });
  }
  return { first: () => first, begun: begun.signal, late: late.signal, over: over.signal };
}

/** Resolves when a signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
