import { Failure } from './domain/failure.ts';
import { MAYBE_LEASED } from './exec-failures.ts';
import type { ExecOptions } from './exec-run.ts';
import { aborted } from './supervise/interruption.ts';
import { waitFor } from './supervise/patience.ts';
import type { HeldWork } from './work.ts';

/**
 * Waits for the lease.
 *
 * @returns undefined when a signal came first, and nothing is known to be held
 */
export async function acquire({
  work,
  wait,
  report,
  clocks,
  interruption,
  notice,
}: ExecOptions): Promise<HeldWork | undefined> {
  const waiting = waitFor({
    look: () => work.acquire().catch((error) => whileWaiting(error, wait)),
    clocks,
    patience: wait,
    interval: undefined,
    random: Math.random,
    signal: interruption.begun,
    onWait: (failure, pause) => {
      const { message } = failure;
      report.tell({ event: 'waiting', message, retry_after: Math.round(pause) / 1000 });
      report.waitFor(`Waiting: ${message}`);
    },
  });
  try {
    // An answer that is under way may still say that the lease is ours.
    return (await Promise.race([waiting, aborted(interruption.late)])) ?? undefined;
  } catch (error) {
    if (!(error instanceof Failure) || !interruption.first()) throw error;
    if (error.outcomeUnknown) notice(MAYBE_LEASED);
    return undefined;
  } finally {
    report.stopWaiting();
  }
}

/** Who waits for a lease waits for a service, too, that cannot be reached now. */
function whileWaiting(error: unknown, wait: number) {
  const mayPass = error instanceof Failure && error.code === 'unavailable' && !error.outcomeUnknown;
  if (!mayPass || wait === 0) throw error;
  return { failure: error, retryAfter: undefined };
}
