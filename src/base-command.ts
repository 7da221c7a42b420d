import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';
import { Context } from './context.ts';
import { FAILURES, type Failure } from './domain/failure.ts';
import { type Style, styleOf } from './output/style.ts';
import { reportFailure } from './report.ts';
import { visible, visibleJson } from './terminal/visible.ts';

/** What a command found out: one value, and how people read it. */
export interface Answer {
  /** Printed as it is with --json. */
  readonly data: unknown;
  /** What people see instead; an empty text prints nothing. */
  readonly text: (style: Style) => string;
  /** Set when the answer is not what was hoped for: it decides the exit code. */
  readonly failure?: Failure | undefined;
}

/**
 * Runs a command, prints what it answers, and ends with the exit code that this means. It owns
 * oclif's ways of printing results and errors, which differ between text and JSON.
 */
export abstract class BaseCommand extends Command {
  static override readonly enableJsonFlag = true;
  static override readonly baseFlags = {
    'no-color': boolean({ description: 'Print without colors', helpGroup: 'GLOBAL' }),
  };

  protected readonly context = new Context(process);

  /** The command's work. Failures are thrown. */
  protected abstract execute(): Promise<Answer>;

  override async run(): Promise<void> {
    const { data, text, failure } = await this.execute();
    const { terminal } = this.context;
    if (this.jsonEnabled()) {
      terminal.writeOut(visibleJson(data));
      if (failure) process.exitCode = FAILURES[failure.code].exit;
      return;
    }
    const shown = text(await this.#style('stdout'));
    if (shown) terminal.writeOut(shown);
    if (failure) await this.#report(failure);
  }

  override async catch(error: unknown): Promise<void> {
    await this.#report(error);
  }

  override async finally(): Promise<void> {
    await this.context.close();
  }

  /** Tells people something beside the answer. */
  protected notice(message: string): void {
    const { terminal, redactor } = this.context;
    if (!this.jsonEnabled()) terminal.writeError(redactor.clean(visible(message)));
  }

  async #report(error: unknown): Promise<void> {
    const { terminal, redactor, env } = this.context;
    process.exitCode = reportFailure(error, {
      terminal,
      redactor,
      style: await this.#style('stderr'),
      isJson: this.jsonEnabled(),
      isDebug: Boolean(env['LEASECTL_DEBUG']),
    });
  }

  #style(stream: 'stdout' | 'stderr'): Promise<Style> {
    const { terminal, env } = this.context;
    const isInteractive = terminal.isInteractive(stream);
    return styleOf({ isInteractive, noColor: this.argv.includes('--no-color'), env });
  }
}
