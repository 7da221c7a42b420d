import { constants } from 'node:os';
import { Failure } from './domain/failure.ts';
import type { ExecOptions } from './exec-run.ts';
import { finish } from './supervise/finish.ts';
import { type Clocks, later, type Moment } from './supervise/moment.ts';
import { waitFor } from './supervise/patience.ts';
import { ENDING } from './supervise/supervisor.ts';
import type { HeldWork } from './work.ts';

/** From a signal until leasectl is gone, in milliseconds: CI systems kill after 7.5 seconds. */
export const CLEAN_UP = 4_500;

/** @returns the exit code when a signal came while it was waited for */
export async function acquire(options: ExecOptions): Promise<HeldWork | number> {
  const { work, wait, report, signals, clocks } = options;
  const interrupted = new AbortController();
  let interruption: { signal: NodeJS.Signals; at: Moment } | undefined;
  const unsubscribe = ENDING.map((signal) =>
    signals.on(signal, () => {
      interruption ??= { signal, at: clocks.now() };
      interrupted.abort();
    }),
  );
  const settled = new AbortController();
  try {
    const waiting = waitFor({
      look: () => work.acquire().catch((error) => whileWaiting(error, wait)),
      clocks,
      patience: wait ?? 0,
      interval: undefined,
      random: Math.random,
      signal: interrupted.signal,
      onWait: (failure, pause) => {
        report.tell({
          event: 'waiting',
          message: failure.message,
          retry_after: Math.round(pause) / 1000,
        });
        report.waitFor(`Waiting: ${failure.message}`);
      },
    }).finally(() => settled.abort());
    const held = await Promise.race([
      waiting,
      lastAnswer(interrupted.signal, settled.signal, clocks),
    ]);
    if (!interruption) return held ?? Promise.reject(new Error('nothing was acquired'));
    if (held) await giveBack(held, interruption, options);
    return exitCodeOf(interruption.signal);
  } catch (error) {
    if (interruption) return exitCodeOf(interruption.signal);
    throw error;
  } finally {
    report.stopWaiting();
    for (const off of unsubscribe) off();
  }
}

/** Ends some time after a signal came: an answer that is under way may still say that it is ours. */
async function lastAnswer(interrupted: AbortSignal, settled: AbortSignal, clocks: Clocks) {
  await new Promise((resolve) => {
    AbortSignal.any([interrupted, settled]).addEventListener('abort', resolve);
  });
  await clocks.sleep(CLEAN_UP - 1_000, settled);
  return undefined;
}

/** Who waits for a lease waits for a service, too, that cannot be reached now. */
function whileWaiting(error: unknown, wait: number | undefined) {
  const mayPass = error instanceof Failure && error.code === 'unavailable' && !error.outcomeUnknown;
  if (!mayPass || wait === undefined) throw error;
  return { failure: error, retryAfter: undefined };
}

async function giveBack(
  { lease }: HeldWork,
  { signal, at }: { signal: NodeJS.Signals; at: Moment },
  { clocks, notice }: ExecOptions,
): Promise<void> {
  const deadline = later(at, CLEAN_UP);
  await finish(
    lease,
    { way: 'canceled', reason: signal },
    { clocks, deadline, random: Math.random },
  ).catch((error: unknown) => notice(notGivenBack(error)));
}

export function notGivenBack(error: unknown): string {
  const why = error instanceof Error ? ` ${error.message}` : '';
  return `Warning: whether the lease was canceled is unknown; if not, it runs out by itself.${why}`;
}

/** As a shell tells it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
