import { FAILURES, Failure } from './domain/failure.ts';
import { acquire, exitCodeOf, notGivenBack } from './exec-acquire.ts';
import type { StartedCommand } from './exec-child.ts';
import type { ExecReport } from './exec-report.ts';
import { finish } from './supervise/finish.ts';
import { type Interruption, watchForInterruption } from './supervise/interruption.ts';
import type { Ending, Grant } from './supervise/lease.ts';
import { type Clocks, later, type Moment } from './supervise/moment.ts';
import type { Exit } from './supervise/process-group.ts';
import {
  type SignalSource,
  type Stop,
  type Supervised,
  supervise,
} from './supervise/supervisor.ts';
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
  readonly clocks: Clocks;
  readonly directoryOf: (held: HeldWork) => WorkDirectory;
  readonly startWatchdog: () => Watchdog;
  readonly startCommand: (held: HeldWork, directory: WorkDirectory) => Promise<StartedCommand>;
  /** Tells people something. */
  readonly notice: (message: string) => void;
}

/** How it went. */
interface Outcome {
  readonly status: 'completed' | 'failed' | 'canceled' | 'lost' | 'unknown';
  readonly exitCode: number;
  /** Decides the exit code instead. */
  readonly failure?: Failure;
}

/**
 * Takes a lease, runs a command under it, and finishes it as the command ended.
 *
 * @returns the exit code
 * @throws Failure when the lease is not to be had, is lost, or was not finished
 */
export async function runUnderLease(options: ExecOptions): Promise<number> {
  const { report } = options;
  const interruption = watchForInterruption(options.signals, options.clocks);
  const held = await acquire(options, interruption);
  if (!held) {
    const came = interruption.first();
    if (!came) throw new Error('only a signal ends a wait without a lease');
    return exitCodeOf(came.signal);
  }
  const { status, exitCode, failure } = await new Run(options, held, interruption).run();
  report.tell({
    event: 'finished',
    status,
    exit_code: failure ? FAILURES[failure.code].exit : exitCode,
  });
  if (failure) throw failure;
  return exitCode;
}

/** One command under one lease. */
class Run {
  readonly #options: ExecOptions;
  readonly #held: HeldWork;
  readonly #directory: WorkDirectory;
  readonly #interruption: Interruption;

  constructor(options: ExecOptions, held: HeldWork, interruption: Interruption) {
    this.#interruption = interruption;
    this.#options = options;
    this.#held = held;
    this.#directory = options.directoryOf(held);
  }

  async run(): Promise<Outcome> {
    const { report, work } = this.#options;
    const { lease, fencingToken, subject } = this.#held;
    const { service, profile } = work;
    report.tell({
      event: 'acquired',
      service,
      profile,
      ...subject,
      fencing_token: fencingToken,
      expires_at: timeOf(lease.granted),
    });
    const came = this.#interruption.first();
    if (came) return this.#canceled(came.signal, 0);
    const watchdog = this.#options.startWatchdog();
    const command = await this.#start().catch((error: unknown) => {
      watchdog.release();
      return this.#notStarted(error);
    });
    if (!('group' in command)) return command;
    const supervised = await this.#supervise(command, watchdog);
    const unkept = await failureIn(command.keepResult());
    const { code, signal } = supervised.exit;
    if (supervised.hasBegun) report.tell({ event: 'child_exit', code, signal });
    return this.#conclude(supervised, unkept);
  }

  async #start(): Promise<StartedCommand> {
    this.#directory.create(this.#held.job);
    return this.#options.startCommand(this.#held, this.#directory);
  }

  /** Nothing was done under the lease: it is given back, as far as the service knows that. */
  async #notStarted(error: unknown): Promise<Outcome> {
    const code = error instanceof Failure ? FAILURES[error.code].exit : FAILURES.internal.exit;
    const { lease } = this.#held;
    const ending: Ending = { way: 'failed', code: `exit:${code}`, exit: code };
    const failure = await this.#finish(ending, endOf(lease.granted));
    if (failure) this.#options.notice(notGivenBack(failure));
    this.#directory.remove();
    if (!(error instanceof Failure)) throw error;
    return { status: 'failed', exitCode: code, failure: error };
  }

  #supervise(command: StartedCommand, watchdog: Watchdog): Promise<Supervised> {
    const { clocks, signals, grace, report } = this.#options;
    return supervise({
      lease: this.#held.lease,
      command,
      watchdog,
      clocks,
      signals,
      grace,
      random: Math.random,
      onRenewed: (grant) => report.tell({ event: 'renewed', expires_at: timeOf(grant) }),
      onFailed: ({ code, message }, { stopAt }) =>
        report.tell({
          event: 'renewal_failed',
          code,
          message,
          stop_at: new Date(stopAt.wall).toISOString(),
        }),
      onStop: (stop) => this.#tellStop(stop),
    });
  }

  #tellStop(stop: Stop): void {
    const { report } = this.#options;
    if (stop.by === 'loss') {
      const { code, message } = stop.failure;
      report.tell({ event: 'lost', code, message });
    } else {
      report.tell({ event: 'canceled', signal: stop.by === 'signal' ? stop.signal : null });
    }
  }

  /** @param unkept why the result could not be kept */
  async #conclude(
    { exit, stop, deadline, hasBegun }: Supervised,
    unkept: Failure | undefined,
  ): Promise<Outcome> {
    const code = exit.code ?? exitCodeOf(exit.signal ?? 'SIGKILL');
    if (stop?.by === 'loss') return this.#lost(stop.failure, code, hasBegun);
    if (stop?.by === 'signal') return this.#canceled(stop.signal, code, deadline);
    if (stop?.by === 'service') return this.#stopped(code, deadline);
    const ending = (code === 0 && unkept) || this.#endingOf(exit, code);
    if (ending instanceof Failure) return this.#unusable(ending, code, deadline);
    const failure = await this.#finish(ending, deadline);
    if (!failure) {
      this.#directory.remove();
      return { status: ending.way === 'done' ? 'completed' : 'failed', exitCode: code };
    }
    if (failure.code === 'invalid_request' && ending.way === 'done') {
      return this.#unusable(failure, code, deadline);
    }
    return this.#unfinished(failure, ending, code);
  }

  /** The work is never reported as done; nobody is told anything but the user. */
  #lost(why: Failure, exitCode: number, hasBegun: boolean): Outcome {
    const what = hasBegun ? 'the command was stopped' : 'the command was not started';
    const words = `The lease on ${this.#name} is lost: ${what}. ${why.message}`;
    const failure = new Failure('lease_lost', `${words}${this.#kept()}`, {
      hint: 'Nothing was reported as done. Find out how far it came before you run it again.',
      service: why.service,
      status: why.status,
      reason: why.reason,
      cause: why,
    });
    return { status: 'lost', exitCode, failure };
  }

  /** A signal came: whoever sent it does not wait. */
  async #canceled(
    signal: NodeJS.Signals,
    code: number,
    deadline = endOf(this.#held.lease.granted),
  ): Promise<Outcome> {
    const failure = await this.#finish({ way: 'canceled', reason: signal }, deadline);
    if (failure) this.#options.notice(notGivenBack(failure));
    const kept = this.#kept();
    if (kept) this.#options.notice(`The command was canceled.${kept}`);
    const exitCode = code === 0 ? exitCodeOf(signal) : code;
    return { status: failure ? 'unknown' : 'canceled', exitCode };
  }

  /** The service wanted it to stop. */
  async #stopped(exitCode: number, deadline: Moment): Promise<Outcome> {
    const ending: Ending = { way: 'canceled', reason: 'service' };
    const unfinished = await this.#finish(ending, deadline);
    if (unfinished) return this.#unfinished(unfinished, ending, exitCode);
    const words = `${this.#name} was canceled: the command was stopped.${this.#kept()}`;
    const failure = new Failure('work_failed', words, {
      hint: 'Somebody asked the service for that; there is nothing left to do.',
      service: this.#options.work.service,
    });
    return { status: 'canceled', exitCode, failure };
  }

  /** It ended well, but left what is no result. */
  async #unusable(why: Failure, exitCode: number, deadline: Moment): Promise<Outcome> {
    const ending: Ending = { way: 'failed', code: 'result_invalid', exit: exitCode };
    const unfinished = await this.#finish(ending, deadline);
    if (unfinished) return this.#unfinished(unfinished, ending, exitCode);
    const words = `The command ended with 0, but its result is not usable: ${why.message}`;
    const failure = new Failure(why.code, `${words}${this.#kept()}`, {
      hint: why.hint,
      service: why.service,
      status: why.status,
      reason: why.reason,
      cause: why,
    });
    return { status: 'failed', exitCode, failure };
  }

  #unfinished(why: Failure, ending: Ending, exitCode: number): Outcome {
    const isUnknown = why.code === 'unavailable' || why.code === 'bad_response';
    const what = isUnknown ? 'it is not known whether its end was recorded' : 'its end was refused';
    const words = `The command ended with ${exitCode}, but ${what}: ${why.message}`;
    const failure = new Failure(isUnknown ? 'unavailable' : why.code, `${words}${this.#kept()}`, {
      hint: isUnknown ? `To learn it, and to finish: ${this.#held.again(ending)}` : why.hint,
      service: why.service,
      status: why.status,
      reason: why.reason,
      outcomeUnknown: isUnknown,
      cause: why,
    });
    const isLost = why.code === 'lease_lost';
    return { status: isUnknown ? 'unknown' : isLost ? 'lost' : 'failed', exitCode, failure };
  }

  #endingOf({ signal }: Exit, code: number): Ending | Failure {
    if (code !== 0) {
      return { way: 'failed', code: signal ? `signal:${signal}` : `exit:${code}`, exit: code };
    }
    try {
      const result = this.#directory.readResult();
      this.#held.check(result);
      return { way: 'done', result };
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  #finish(ending: Ending, deadline: Moment): Promise<Failure | undefined> {
    const { clocks } = this.#options;
    const { over } = this.#interruption;
    const options = { clocks, deadline, over, random: Math.random };
    return failureIn(finish(this.#held.lease, ending, options));
  }

  get #name(): string {
    const { subject } = this.#held;
    return 'key' in subject ? subject.key : `job ${subject.job_id}`;
  }

  /** Says where the result is, if there is one: it is not thrown away. */
  #kept(): string {
    if (this.#directory.hasResult()) return ` Its result is kept in ${this.#directory.resultFile}.`;
    this.#directory.remove();
    return '';
  }
}

/** @returns the failure if there was one */
async function failureIn(work: Promise<void>): Promise<Failure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function endOf({ sentAt, duration }: Grant): Moment {
  return later(sentAt, duration);
}

/** When a lease ends that is not renewed. */
function timeOf({ sentAt, duration }: Grant): string {
  return new Date(sentAt.wall + duration).toISOString();
}
