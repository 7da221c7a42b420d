import { constants } from 'node:os';
import { FAILURES, Failure } from './domain/failure.ts';
import type { StartedCommand } from './exec-child.ts';
import {
  afterCancel,
  lost,
  notGivenBack,
  stoppedByService,
  unfinished,
  unusableResult,
} from './exec-failures.ts';
import type { ExecOptions } from './exec-run.ts';
import { finish, isDecision } from './supervise/finish.ts';
import { type Ending, type Grant, timetableOf } from './supervise/lease.ts';
import { later, type Moment } from './supervise/moment.ts';
import type { Exit } from './supervise/process-group.ts';
import { type Stop, type Supervised, supervise } from './supervise/supervisor.ts';
import type { Watchdog } from './supervise/watchdog.ts';
import { settled } from './supervise/within-time.ts';
import type { HeldWork } from './work.ts';
import { printedResult, type WorkDirectory } from './work-directory.ts';

/** What the service gets to take back what was not begun, in milliseconds. */
const LAST_CALL = 3_000;

/** How it went. */
export interface Outcome {
  readonly status: 'completed' | 'failed' | 'canceled' | 'lost' | 'unknown';
  readonly exitCode: number;
  /** Decides the exit code instead. */
  readonly failure?: Failure;
}

/** One command under one lease. */
export class CommandRun {
  readonly #options: ExecOptions;
  readonly #held: HeldWork;
  readonly #directory: WorkDirectory;
  readonly #secretFile: string | null;
  /** Whether people know that renewals fail. */
  #isWarned = false;
  /** Where that is its result. */
  #printed: string | undefined;

  constructor(options: ExecOptions, held: HeldWork) {
    this.#options = options;
    this.#held = held;
    this.#directory = options.directoryOf(held);
    this.#secretFile = held.job === undefined ? null : this.#directory.jobFile;
  }

  async run(): Promise<Outcome> {
    const { report, work } = this.#options;
    const { lease, fencingToken, subject } = this.#held;
    report.tell({
      event: 'acquired',
      service: work.service,
      profile: work.profile,
      ...subject,
      fencing_token: fencingToken,
      expires_at: timeOf(lease.granted),
    });
    const came = this.#options.interruption.first();
    if (came) return this.#canceled(came.signal, 0, endOf(lease.granted), false);
    const started = await this.#start().catch((error: unknown) => this.#notStarted(error));
    if ('status' in started) return started;
    const { command, watchdog } = started;
    const supervised = await this.#supervise(command, watchdog);
    const unusable = await failureIn(this.#read(command));
    const { code, signal } = supervised.exit;
    if (supervised.hasBegun) report.tell({ event: 'child_exit', code, signal });
    return this.#conclude(supervised, unusable);
  }

  async #start(): Promise<{ command: StartedCommand; watchdog: Watchdog }> {
    this.#directory.create(this.#held.job);
    const { startWatchdog, startCommand, grace } = this.#options;
    const times = timetableOf(this.#held.lease.granted, grace, 0);
    const watchdog = startWatchdog();
    try {
      const command = await startCommand(this.#held, this.#directory, (environment) =>
        watchdog.expect({ ...times, environment, secretFile: this.#secretFile }),
      );
      return { command, watchdog };
    } catch (error) {
      watchdog.release();
      throw error;
    }
  }

  /** Something of leasectl's own went wrong: whoever waits for the lease is not to wait in vain. */
  async abandon(): Promise<void> {
    const { clocks, notice } = this.#options;
    const ending: Ending = { way: 'failed', code: 'internal_error', exit: FAILURES.internal.exit };
    const failure = await this.#finish(ending, later(clocks.now(), LAST_CALL));
    if (failure) notice(notGivenBack(failure));
    this.#directory.removeJob();
  }

  async #notStarted(error: unknown): Promise<Outcome> {
    await this.#goBack();
    this.#directory.remove();
    if (!(error instanceof Failure)) throw error;
    return { status: 'failed', exitCode: FAILURES[error.code].exit, failure: error };
  }

  /**
   * Nothing was done under the lease. Where a canceled one would be ended for good it is left alone:
   * it runs out by itself.
   */
  async #goBack(): Promise<void> {
    const { clocks, notice } = this.#options;
    if (!this.#held.goesBack) {
      return notice(`Nothing was run; the lease on ${this.#name} runs out by itself.`);
    }
    const ending: Ending = { way: 'canceled', reason: 'not_started' };
    const failure = await this.#finish(ending, later(clocks.now(), LAST_CALL));
    if (failure) notice(notGivenBack(failure));
  }

  #supervise(command: StartedCommand, watchdog: Watchdog): Promise<Supervised> {
    const { clocks, signals, grace, report, notice } = this.#options;
    return supervise({
      lease: this.#held.lease,
      command,
      watchdog,
      secretFile: this.#secretFile,
      clocks,
      signals,
      grace,
      random: Math.random,
      onRenewed: (grant) => {
        this.#isWarned = false;
        report.tell({ event: 'renewed', expires_at: timeOf(grant) });
      },
      onFailed: ({ code, message }, { stopAt }) => {
        const stop_at = new Date(stopAt.wall).toISOString();
        report.tell({ event: 'renewal_failed', code, message, stop_at });
        if (!this.#isWarned) notice(`Warning: the lease is not renewed yet. ${message}`);
        this.#isWarned = true;
      },
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

  async #read(command: StartedCommand): Promise<void> {
    this.#printed = await command.printed();
  }

  /** @param unusable why what it printed is no result */
  async #conclude(
    { exit, stop, deadline, hasBegun }: Supervised,
    unusable: Failure | undefined,
  ): Promise<Outcome> {
    const code = exit.code ?? exitCodeOf(exit.signal ?? 'SIGKILL');
    if (stop?.by === 'loss') return this.#lost(stop.failure, code, hasBegun);
    if (stop?.by === 'signal') return this.#canceled(stop.signal, code, deadline, hasBegun);
    if (stop?.by === 'service') return this.#stopped(code, deadline);
    const ending = (code === 0 && unusable) || this.#endingOf(exit, code);
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
  async #lost(why: Failure, exitCode: number, hasBegun: boolean): Promise<Outcome> {
    if (!hasBegun) await this.#goBack();
    const failure = lost(this.#name, why, hasBegun, this.#kept());
    return { status: 'lost', exitCode, failure };
  }

  /** A signal came: whoever sent it does not wait. */
  async #canceled(
    signal: NodeJS.Signals,
    code: number,
    deadline: Moment,
    hasBegun: boolean,
  ): Promise<Outcome> {
    const { notice } = this.#options;
    const failure = await this.#finish({ way: 'canceled', reason: signal }, deadline);
    if (failure) notice(notGivenBack(failure));
    const kept = this.#kept();
    const after = failure ? '' : afterCancel(this.#name, this.#held);
    if (hasBegun) notice(`The command was stopped by ${signal}.${after}${kept}`);
    const exitCode = code === 0 ? exitCodeOf(signal) : code;
    return { status: failure ? 'unknown' : 'canceled', exitCode };
  }

  /** The service wanted it to stop. */
  async #stopped(exitCode: number, deadline: Moment): Promise<Outcome> {
    const ending: Ending = { way: 'canceled', reason: 'service' };
    const why = await this.#finish(ending, deadline);
    if (why) return this.#unfinished(why, ending, exitCode);
    const failure = stoppedByService(this.#name, this.#options.work.service, this.#kept());
    return { status: 'canceled', exitCode, failure };
  }

  /** It ended well, but left what is no result. */
  async #unusable(why: Failure, exitCode: number, deadline: Moment): Promise<Outcome> {
    const ending: Ending = { way: 'failed', code: 'result_invalid', exit: exitCode };
    const unrecorded = await this.#finish(ending, deadline);
    if (unrecorded) return this.#unfinished(unrecorded, ending, exitCode);
    return { status: 'failed', exitCode, failure: unusableResult(why, this.#kept()) };
  }

  #unfinished(why: Failure, ending: Ending, exitCode: number): Outcome {
    const isOpen = !isDecision(why);
    const mayResume = isOpen && ending.way === 'done' && this.#held.resumes;
    if (mayResume) this.#directory.markUnfinished();
    const failure = unfinished(why, exitCode, this.#kept(), this.#held.again(ending));
    const isLost = why.code === 'lease_lost';
    return { status: isOpen ? 'unknown' : isLost ? 'lost' : 'failed', exitCode, failure };
  }

  #endingOf({ signal }: Exit, code: number): Ending | Failure {
    if (code !== 0) {
      return { way: 'failed', code: signal ? `signal:${signal}` : `exit:${code}`, exit: code };
    }
    try {
      const result =
        this.#printed === undefined ? this.#directory.readResult() : printedResult(this.#printed);
      this.#held.check(result);
      return { way: 'done', result };
    } catch (error) {
      if (error instanceof Failure) return error;
      throw error;
    }
  }

  #finish(ending: Ending, deadline: Moment): Promise<Failure | undefined> {
    const { clocks, interruption, report } = this.#options;
    const options = {
      clocks,
      deadline,
      over: interruption.over,
      random: Math.random,
      onFailed: ({ code, message }: Failure) => {
        report.tell({ event: 'finish_failed', code, message });
        report.waitFor(`Recording how it ended: ${message}`);
      },
    };
    return failureIn(finish(this.#held.lease, ending, options)).finally(() => report.stopWaiting());
  }

  get #name(): string {
    const { subject } = this.#held;
    return 'key' in subject ? subject.key : `job ${subject.job_id}`;
  }

  /** Says where the result is, if there is one: it is not thrown away. */
  #kept(): string {
    const directory = this.#directory;
    directory.removeJob();
    try {
      const printed = this.#printed === undefined ? undefined : printedResult(this.#printed);
      if (printed) directory.keepResult(printed);
    } catch (error) {
      return ` Its result could not be kept: ${error instanceof Error ? error.message : error}.`;
    }
    if (directory.hasResult()) return ` Its result is kept in ${directory.resultFile}.`;
    if (!directory.isUnfinished()) directory.remove();
    return '';
  }
}

/** @returns the failure if there was one */
async function failureIn(work: Promise<void>): Promise<Failure | undefined> {
  return (await settled(work)) ?? undefined;
}

function endOf({ sentAt, duration }: Grant): Moment {
  return later(sentAt, duration);
}

/** When a lease ends that is not renewed. */
function timeOf({ sentAt, duration }: Grant): string {
  return new Date(sentAt.wall + duration).toISOString();
}

/** As a shell tells it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
