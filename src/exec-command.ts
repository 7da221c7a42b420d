import { mkdirSync } from 'node:fs';
import { isatty } from 'node:tty';
import { boolean, option, string } from '@oclif/core/flags';
import { colorFlags } from './answer-view.ts';
import { TAKES_A_LEASE } from './capability.ts';
import { parseDuration, type Range, TTL_RANGE } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import type { CommandWords, ResultSource } from './exec-child.ts';
import type { ExecReport } from './exec-report.ts';
import type { ExecOptions } from './exec-run.ts';
import { contextFlags } from './origin/take-origin.ts';
import { LOCAL } from './profiles/profile.ts';
import { connectFlags, dryRunFlags, ServiceCommand } from './service-command.ts';
import type { Interruption } from './supervise/interruption.ts';
import type { Work } from './work.ts';
import { WorkDirectory } from './work-directory.ts';

const RESULT_SOURCES = ['file', 'stdout', 'none'] as const satisfies readonly ResultSource[];

/** Seconds. */
const FROM_ZERO: Range = { min: 0, max: TTL_RANGE.max };

/** The flags of all commands of this kind, as they were given. */
export interface ExecFlags {
  readonly wait?: string | undefined;
  readonly grace: string;
  readonly 'result-from'?: ResultSource | undefined;
  readonly 'conflict-exit-code'?: string | undefined;
  readonly 'status-file'?: string | undefined;
  readonly shell: boolean;
  readonly 'dry-run': boolean;
}

/** What `exec`, `jobs exec` and `runner-jobs exec` share: a command that runs under a lease. */
export abstract class ExecCommand extends ServiceCommand {
  // It prints no answer, so there is nothing to choose of one.
  static override readonly baseFlags = { ...colorFlags, ...connectFlags, ...dryRunFlags };
  static readonly limits = TAKES_A_LEASE;
  /** For completion: a command of the user's follows `--`. */
  static readonly runsCommand = true;
  protected override readonly showsCalls = true;
  static readonly execFlags = {
    wait: string({
      description: 'How long to wait for the lease [default: not at all]',
      helpValue: 'DURATION',
    }),
    grace: string({
      description:
        "What the command gets to stop before it is killed; at most a third of the lease's time, and 3s after a signal",
      helpValue: 'DURATION',
      default: '10s',
    }),
    'conflict-exit-code': string({
      description: 'Exit code when the lease is not to be had, instead of 10, 11 and 12',
      helpValue: 'NUMBER',
    }),
    'status-file': string({
      description: 'File to add one line of JSON to for each event',
      helpValue: 'FILE',
    }),
    shell: boolean({ description: 'Run the command, one word, as a line of shell' }),
    ...contextFlags,
  };
  static readonly resultFlags = {
    'result-from': option({
      description: "Where the command's result is: LEASECTL_RESULT_FILE, its stdout, or nowhere",
      options: RESULT_SOURCES,
      default: 'file' as const,
    })(),
  };

  #conflictExitCode: number | undefined;
  #report: ExecReport | undefined;
  #interruption: Interruption | undefined;

  /**
   * The words before `--`, for oclif to parse, and those after it.
   *
   * @throws Failure `usage` when there are none
   */
  protected split(): { readonly own: string[]; readonly command: readonly string[] } {
    const end = this.argv.indexOf('--');
    const command = this.argv.slice(end + 1);
    if (end >= 0 && command.length > 0) return { own: this.argv.slice(0, end), command };
    const what = end < 0 ? 'There is no -- before the command.' : 'There is no command after --.';
    throw new Failure('usage', what, {
      hint: `For example leasectl ${String(this.id).replaceAll(':', ' ')} … -- ./deploy.sh --fast`,
    });
  }

  /**
   * Runs the command that was given under a lease.
   *
   * @param command the words after `--`
   * @param prepare makes the connection; what the user gave is right then
   * @returns the exit code
   */
  protected async exec(
    command: readonly string[],
    flags: ExecFlags,
    prepare: () => Promise<Work>,
  ): Promise<number> {
    if (process.platform === 'win32') throw noProcessGroups();
    const words = wordsOf(command, flags.shell);
    const milliseconds = (text: string, flag: string) =>
      parseDuration(text, flag, FROM_ZERO) * 1000;
    const wait = flags.wait === undefined ? 0 : milliseconds(flags.wait, '--wait');
    const grace = milliseconds(flags.grace, '--grace');
    const conflict = flags['conflict-exit-code'];
    if (conflict !== undefined) {
      this.#conflictExitCode = parseExitCode(conflict, '--conflict-exit-code');
    }
    const [{ assertRunnable }, { openReport }] = await Promise.all([
      import('./executable.ts'),
      import('./exec-report.ts'),
    ]);
    const { context } = this;
    const { env, terminal, redactor } = context;
    assertRunnable(words.file, env['PATH']);
    if (flags['dry-run']) return endOfDryRun(await prepare());
    terminal.waitForNobody();
    const report = openReport({
      terminal,
      redactor,
      now: context.now,
      isJson: this.jsonEnabled(),
      statusFile: flags['status-file'],
    });
    this.#report = report;
    try {
      const work = await prepare();
      const resultFrom = flags['result-from'] ?? 'none';
      return await this.#run({ work, words, wait, grace, report, resultFrom });
    } finally {
      this.#report = undefined;
      await report.close();
    }
  }

  async #run({ words, resultFrom, ...options }: RunOptions): Promise<number> {
    const [{ runUnderLease }, { startChild }, { processSignals }, { startWatchdog }] =
      await Promise.all([
        import('./exec-run.ts'),
        import('./exec-child.ts'),
        import('./process-signals.ts'),
        import('./start-watchdog.ts'),
      ]);
    const { watchForInterruption } = await import('./supervise/interruption.ts');
    const { context } = this;
    const root = context.workDirectory;
    // Before anything is leased: what goes wrong then does no harm.
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const pipe =
      resultFrom === 'stdout' ? (await import('./named-pipe.ts')).openPipe(root) : undefined;
    const ledger = await context.ledger();
    const clocks = await context.clocks();
    const signals = processSignals(process);
    this.#interruption = watchForInterruption(signals, clocks);
    const { env, terminal, profiles } = context;
    const { profile, location } = options.work;
    const isNamed = profile === LOCAL || (await profiles.names()).includes(profile);
    // A base path is below what the variable says.
    const target = isNamed ? { profile } : { url: env['LEASECTL_URL'] ?? location };
    return runUnderLease({
      ...options,
      clocks,
      signals,
      interruption: this.#interruption,
      directoryOf: ({ address, handle }) => new WorkDirectory(root, address, handle),
      startWatchdog: () => startWatchdog(this.config.root, env, (message) => this.notice(message)),
      startCommand: (held, directory, onUngated) => {
        // From here on nothing may hold up what keeps the lease.
        ledger.waitAtMost(LEDGER_PATIENCE);
        const place = { directory, resultFrom, pipe, env, target, terminal };
        return startChild({ words, held, ...place, onUngated });
      },
      notice: (message) => this.notice(message),
    });
  }

  /** While a command runs nobody waits for whoever reads stderr. */
  protected override notice(message: string): void {
    if (this.#report) this.#report.say(message);
    else super.notice(message);
  }

  override async catch(error: unknown): Promise<void> {
    await super.catch(error);
    const isConflict = error instanceof Failure && CONFLICTS.has(error.code);
    if (isConflict) process.exitCode = this.#conflictExitCode ?? process.exitCode;
  }

  /** A call that was given up may hang on: it must not hold up the exit. */
  override async finally(): Promise<void> {
    const { setTimeout: delay } = await import('node:timers/promises');
    const { terminal } = this.context;
    const isInterrupted = this.#interruption?.first() !== undefined;
    // Whoever reads slowly gets all of it; who sent a signal, or sends one now, does not wait.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => process.exit());
    }
    await Promise.race([super.finally(), delay(LAST_CALL)]);
    await Promise.race([terminal.flushed(), ...(isInterrupted ? [delay(LAST_CALL)] : [])]);
    // Looked at as descriptors: to open stdin as a stream would change it for others who read it.
    const isOnTerminal = () => [0, 1, 2].some((descriptor) => isatty(descriptor));
    if (process.exitCode === SIGINT_EXIT && isInterrupted && isOnTerminal()) {
      // A script goes on after a Ctrl-C that its command seems to have dealt with.
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
      await delay(LAST_CALL);
    }
    process.exit();
  }
}

/** How a shell tells that SIGINT ended a command. */
const SIGINT_EXIT = 130;
/** What open connections get to be closed, in milliseconds. */
const LAST_CALL = 200;
/** What another process may hold the ledger for, in milliseconds. */
const LEDGER_PATIENCE = 100;

const CONFLICTS: ReadonlySet<string> = new Set(['held', 'none_available', 'wait_timeout']);

interface RunOptions extends Pick<ExecOptions, 'work' | 'wait' | 'grace' | 'report'> {
  readonly words: CommandWords;
  readonly resultFrom: ResultSource;
}

/** @throws Failure `usage` when a line of shell comes in several words: how to join them is a guess */
function wordsOf(words: readonly string[], isShell: boolean): CommandWords {
  const [file = '', ...args] = words;
  if (file.trim() === '') {
    throw new Failure('usage', 'The command is empty.', {
      hint: 'Give one after --; is a variable not set?',
    });
  }
  if (!isShell) return { file, args };
  if (args.length === 0) return { file: '/bin/sh', args: ['-c', file] };
  throw new Failure('usage', 'With --shell the command is one word.', {
    hint: "Put quotes around all of it: --shell -- 'make test && make deploy'",
  });
}

/** Tries to acquire, which a dry run ends: it writes no events, and nothing is run. */
async function endOfDryRun(work: Work): Promise<never> {
  await work.acquire();
  throw new Error('a dry run got an answer');
}

function noProcessGroups(): Failure {
  return new Failure('usage', 'exec cannot end a command safely on Windows.', {
    hint: 'Run it in the Windows Subsystem for Linux, or lease, extend and complete by yourself.',
  });
}

/** @throws Failure `usage` for anything but a whole number from 0 to 255 */
export function parseExitCode(text: string, flag: string): number {
  const code = Number(text);
  if (/^\d+$/.test(text) && code <= 255) return code;
  throw new Failure('usage', `${flag} is no exit code: ${JSON.stringify(text)}.`, {
    hint: 'Give a whole number from 0 to 255.',
  });
}
