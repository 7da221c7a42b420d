import { CommandRun, exitCodeOf } from './command-run.ts';
import { FAILURES } from './domain/failure.ts';
import { acquire } from './exec-acquire.ts';
import type { ChildOptions, StartedCommand } from './exec-child.ts';
import { MAYBE_LEASED } from './exec-failures.ts';
import type { ExecReport } from './exec-report.ts';
import type { Interruption } from './supervise/interruption.ts';
import type { Clocks } from './supervise/moment.ts';
import type { SignalSource } from './supervise/supervisor.ts';
import type { Watchdog } from './supervise/watchdog.ts';
import type { HeldWork, Work } from './work.ts';
import type { WorkDirectory } from './work-directory.ts';

export interface ExecOptions {
  readonly work: Work;
  /** Milliseconds to wait for the lease; 0 for not at all. */
  readonly wait: number;
  /** Milliseconds that the command may take to stop. */
  readonly grace: number;
  readonly report: ExecReport;
  readonly signals: SignalSource;
  readonly interruption: Interruption;
  readonly clocks: Clocks;
  readonly directoryOf: (held: HeldWork) => WorkDirectory;
  readonly startWatchdog: () => Watchdog;
  readonly startCommand: (
    held: HeldWork,
    directory: WorkDirectory,
    onUngated: ChildOptions['onUngated'],
  ) => Promise<StartedCommand>;
  /** Tells people something. */
  readonly notice: (message: string) => void;
}

/**
 * Takes a lease, runs a command under it, and finishes it as the command ended.
 *
 * @returns the exit code
 * @throws Failure when the lease is not to be had, is lost, or was not finished
 */
export async function runUnderLease(options: ExecOptions): Promise<number> {
  const { report, interruption } = options;
  const held = await acquire(options);
  if (!held) {
    const came = interruption.first();
    if (!came) throw new Error('only a signal ends a wait without a lease');
    if (interruption.late.aborted) options.notice(MAYBE_LEASED);
    return exitCodeOf(came.signal);
  }
  const run = new CommandRun(options, held);
  const { status, exitCode, failure } = await run.run().catch(async (error) => {
    await run.abandon();
    throw error;
  });
  report.tell({
    event: 'finished',
    status,
    exit_code: failure ? FAILURES[failure.code].exit : exitCode,
  });
  if (failure) throw failure;
  return exitCode;
}
