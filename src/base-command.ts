import { Command } from '@oclif/core/command';
import { boolean } from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { Context } from './context.ts';
import { FAILURES, Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { sourceOf } from './http/exchange.ts';
import { parseObject } from './json-input.ts';
import type { Style } from './output/style.ts';
import { reportFailure, styleFor, type Voice } from './report.ts';
import { visible, visibleJson, visibleSource } from './terminal/visible.ts';

/** What a command found out: one value, and how people read it. */
export interface Answer {
  /** Printed as it is with --json; undefined where there is nothing to print. */
  readonly data: unknown;
  /** What people see instead; an empty text prints nothing. */
  readonly text: (style: Style) => string;
  /** Set when the answer is not what was hoped for: it decides the exit code. */
  readonly failure?: Failure | undefined;
  /** Whether the failure is told with --json, too, since nothing in the data does. */
  readonly isFailureTold?: boolean;
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

  /**
   * The command's work. Failures are thrown.
   *
   * @returns what is to be printed; or the exit code, where nothing is
   */
  protected abstract execute(): Promise<Answer | number>;

  override async run(): Promise<void> {
    const answer = await this.execute().catch((error) => this.instead(error));
    if (typeof answer === 'number') {
      process.exitCode = answer;
      return;
    }
    const { data, text, failure, isFailureTold } = answer;
    const { terminal } = this.context;
    if (this.jsonEnabled()) {
      if (data !== undefined) terminal.writeOut(this.#json(data));
      if (failure && isFailureTold) await this.#report(failure);
      else if (failure) process.exitCode = FAILURES[failure.code].exit;
      return;
    }
    const shown = text(await styleFor('stdout', this.#voice));
    if (shown) terminal.writeOut(shown);
    if (failure) await this.#report(failure);
  }

  /** What is printed instead of an answer, where what was thrown is no failure. */
  protected async instead(error: unknown): Promise<Answer> {
    throw error;
  }

  override async catch(error: unknown): Promise<void> {
    await this.#report(error);
  }

  override async finally(): Promise<void> {
    await this.context.close();
  }

  /** oclif takes what follows a `=` after a boolean flag for an argument: a key to lease. */
  protected override async parse<
    F extends Record<string, unknown>,
    B extends Record<string, unknown>,
    A extends Record<string, unknown>,
  >(options?: Input<F, B, A>, argv = this.argv): Promise<ParserOutput<F, B, A>> {
    const end = argv.indexOf('--');
    for (const word of end < 0 ? argv : argv.slice(0, end)) {
      const [, name = ''] = /^--([^=]+)=/.exec(word) ?? [];
      const flag = Object({ json: { type: 'boolean' }, ...options?.flags, ...options?.baseFlags })[
        name
      ];
      if (flag?.type === 'boolean') {
        throw new Failure('usage', `--${name} takes no value.`, { hint: `Give --${name} alone.` });
      }
    }
    const parsed = await super.parse(options, argv).catch(async (error: unknown) => {
      const { flags: unknown } = Object(error);
      if (!Array.isArray(unknown) || unknown.length === 0) throw error;
      const { unknownFlags } = await import('./unknown-words.ts');
      const known = { json: {}, ...options?.flags, ...options?.baseFlags };
      const typed = unknown.map((flag) => String(flag).replace(/=.*$/s, ''));
      throw await unknownFlags(typed, Object.keys(known), error);
    });
    // Nobody means nothing: a variable of a script is not set.
    const given = { ...parsed.args, ...parsed.flags };
    const empty = Object.entries(given).find(([, value]) => [value].flat().includes(''));
    if (!empty) return parsed;
    const [name] = empty;
    const shown = name in parsed.args ? name.toUpperCase() : `--${name}`;
    throw new Failure('usage', `${shown} is empty.`, {
      hint: 'Give a value, or leave it out; is a variable not set?',
    });
  }

  /** Tells people something beside the answer. */
  protected notice(message: string): void {
    const { terminal, redactor } = this.context;
    if (!this.jsonEnabled()) terminal.writeError(redactor.clean(visible(message)));
  }

  /** Reads a flag whose value is a JSON object, `@FILE` or `-`, as `parseObject`. */
  protected async readObject(
    value: string | undefined,
    flag: string,
  ): Promise<JsonObject | undefined> {
    if (value === undefined) return undefined;
    return parseObject(await this.context.terminal.readValue(value, flag), flag);
  }

  /** For a person with indents; for a program the very text that the service answered. */
  #json(data: unknown): string {
    if (this.context.terminal.isInteractive('stdout')) return visibleJson(data);
    const source = sourceOf(data);
    return source === undefined ? visibleJson(data, 0) : visibleSource(source);
  }

  async #report(error: unknown): Promise<void> {
    process.exitCode = await reportFailure(error, this.#voice);
  }

  get #voice(): Voice {
    const { terminal, redactor, env } = this.context;
    return { terminal, redactor, env, argv: this.argv, isJson: this.jsonEnabled() };
  }
}
