import { Command } from '@oclif/core/command';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type AnswerView, answerFlags, colorFlags, readView } from './answer-view.ts';
import { Context } from './context.ts';
import { FAILURES, Failure } from './domain/failure.ts';
import type { JsonObject } from './domain/json.ts';
import { namedSecrets } from './http/named-secrets.ts';
import { parseObject } from './json-input.ts';
import type { Style } from './output/style.ts';
import { parsePair } from './pair.ts';
import { reportFailure, styleFor, type Voice } from './report.ts';
import { secretsOf } from './secret-fields.ts';
import { Progress } from './terminal/progress.ts';
import { visible } from './terminal/visible.ts';
import { maskCommand } from './terminal/workflow.ts';

/** What a command found out: one value, and how people read it. */
export interface Answer {
  /** Printed as it is with --json; undefined where there is nothing to print. */
  readonly data: unknown;
  /** What people see instead; an empty text prints nothing. */
  readonly text: (style: Style) => string | Promise<string>;
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
  // By its type none but this class reads what is chosen of an answer.
  static override readonly baseFlags: typeof colorFlags = { ...colorFlags, ...answerFlags };

  protected readonly context = new Context(process);
  /** Whether the command only looks: then it fails when what is to be printed is not in its answer. */
  protected changesNothing = false;
  #view: AnswerView | undefined;

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
    const { data, failure, isFailureTold } = answer;
    for (const secret of secretsOf(data)) this.context.redactor.add(secret);
    this.#print(await this.#shown(answer));
    if (failure && this.jsonEnabled() && !isFailureTold) {
      process.exitCode = FAILURES[failure.code].exit;
    } else if (failure) await this.#report(failure);
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

  /**
   * As oclif's, which takes what follows a `=` after a boolean flag for an argument: a key to lease.
   *
   * @throws Failure `usage` also when what is to be chosen of the answer is no expression
   */
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
      const { misuse } = await import('./misuse.ts');
      throw await misuse(error, {
        command: `leasectl ${String(this.id).replaceAll(':', ' ')}`,
        args: Object.keys(options?.args ?? {}),
        flags: Object.keys({ json: {}, ...options?.flags, ...options?.baseFlags }),
      });
    });
    // Nobody means nothing: a variable of a script is not set.
    const given = { ...parsed.args, ...parsed.flags };
    const empty = Object.entries(given).find(([, value]) => [value].flat().includes(''));
    if (empty) {
      const [name] = empty;
      const shown = name in parsed.args ? name.toUpperCase() : `--${name}`;
      throw new Failure('usage', `${shown} is empty.`, {
        hint: 'Give a value, or leave it out; is a variable not set?',
      });
    }
    this.#view = await readView(parsed.flags, this.jsonEnabled());
    return parsed;
  }

  /** Prints one of many answers, as soon as there is: for programs on a line of its own. */
  protected async printPart({ data, text }: Pick<Answer, 'data' | 'text'>): Promise<void> {
    for (const secret of secretsOf(data)) this.context.redactor.add(secret);
    const { layout, choice } = this.#view ?? {};
    this.#print(
      choice
        ? await choice.of(data, false)
        : await text(await styleFor('stdout', this.#voice, layout)),
    );
    await this.context.terminal.flushed();
  }

  /** Tells people something beside the answer. */
  protected notice(message: string): void {
    const { terminal, redactor } = this.context;
    if (!this.jsonEnabled()) terminal.writeError(redactor.clean(visible(message)));
  }

  /** What shows that something is waited for; undefined where nobody would look at it. */
  protected progress(): Progress | undefined {
    const { terminal, env } = this.context;
    const isWanted = terminal.isInteractive('stderr') && !this.jsonEnabled();
    return isWanted && env['TERM'] !== 'dumb' ? new Progress(terminal) : undefined;
  }

  /** Reads a flag whose value is a JSON object, `@FILE` or `-`, as `parseObject`. */
  protected async readObject(
    value: string | undefined,
    flag: string,
  ): Promise<JsonObject | undefined> {
    if (value === undefined) return undefined;
    return this.withSecrets(parseObject(await this.context.terminal.readValue(value, flag), flag));
  }

  /** Reads a flag's values as `parsePair`. */
  protected readPairs(pairs: readonly string[] | undefined, flag: string): [string, string][] {
    return (pairs ?? []).map((pair) => {
      const [name, value] = parsePair(pair, flag);
      this.withSecrets({ [name]: value });
      return [name, value];
    });
  }

  /** Takes note of what names call secrets: a service may quote what it was given. */
  protected withSecrets<T>(given: T): T {
    for (const secret of namedSecrets(given)) this.context.redactor.add(secret);
    return given;
  }

  /** @throws Failure `usage` when what is to be printed is not in the answer, and no work was done */
  async #shown({ data, text, failure }: Answer): Promise<string> {
    const { layout, choice } = this.#view ?? {};
    if (!choice) return text(await styleFor('stdout', this.#voice, layout));
    if (data === undefined) return '';
    const isInteractive = this.context.terminal.isInteractive('stdout');
    try {
      return await choice.of(data, isInteractive);
    } catch (error) {
      const isToldOtherwise = !this.changesNothing || failure !== undefined;
      if (!isToldOtherwise || !(error instanceof Failure)) throw error;
      // The exit code is to tell what became of the work.
      const { message, hint = '' } = error;
      this.notice(`Warning: ${message} ${hint} The exit code tells how the work went.`);
      return choice.nothing;
    }
  }

  #print(answer: string): void {
    const { terminal, redactor, env } = this.context;
    const text = redactor.cleanAnswer(answer);
    if (env['GITHUB_ACTIONS'] === 'true' && !terminal.isFile('stderr')) {
      for (const secret of redactor.secretsIn(text)) terminal.writeError(maskCommand(secret));
    }
    if (text) terminal.writeOut(text);
  }

  async #report(error: unknown): Promise<void> {
    process.exitCode = await reportFailure(error, this.#voice);
  }

  get #voice(): Voice {
    const { terminal, redactor, env } = this.context;
    return { terminal, redactor, env, argv: this.argv, isJson: this.jsonEnabled() };
  }
}
