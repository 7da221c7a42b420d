import { boolean, string } from '@oclif/core/flags';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { type Answer, BaseCommand } from './base-command.ts';
import type { ConnectOptions } from './connect.ts';
import { parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import { didYouMean, sentences } from './domain/nearest.ts';
import { DryRun, type UnsentRequest } from './http/dry-run.ts';
import type { LeaseAddress, Ledger } from './ledger/ledger.ts';
import type { TakenHere } from './origin/take-origin.ts';
import { keyIn, ttlIn } from './profiles/project.ts';
import type { Books, WorkHost } from './work.ts';

const DEFAULT_TIMEOUT = '30s';
/** Seconds. Who wants to wait for longer waits outside. */
const TIMEOUT_RANGE = { min: 1, max: 3_600 };

/** Which service is asked, and for how long. */
export const connectFlags = {
  profile: string({
    description: 'Profile to use instead of the default one',
    helpGroup: 'GLOBAL',
    helpValue: 'NAME',
    completes: 'profile',
  }),
  timeout: string({
    description: `How long to try before giving up on a hosted service [default: ${DEFAULT_TIMEOUT}]`,
    helpGroup: 'GLOBAL',
    helpValue: 'DURATION',
  }),
};

/** What the commands that ask a service share: flags, how to connect, input, and the ledger. */
export abstract class ServiceCommand extends BaseCommand {
  static override readonly baseFlags = { ...BaseCommand.baseFlags, ...connectFlags };

  /** Whether the command shows by itself that it waits for the service. */
  protected readonly showsCalls: boolean = false;

  /** What the project says stands in for a `--ttl` that is not given, and before a KEY. */
  protected override async parse<
    F extends Record<string, unknown>,
    B extends Record<string, unknown>,
    A extends Record<string, unknown>,
  >(options?: Input<F, B, A>, argv = this.argv): Promise<ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv);
    const project = await this.context.project();
    if (!project) return parsed;
    const { args, flags, metadata } = parsed;
    // Without a key nothing is leased: run can also call a tool.
    if (typeof args['key'] !== 'string') return parsed;
    Object.assign(args, { key: keyIn(project, args['key']) });
    const isGiven = flags['ttl'] !== undefined && !metadata.flags['ttl']?.setFromDefault;
    const ttl = ttlIn(project, String(this.id));
    if (ttl !== undefined && !isGiven) {
      parseDuration(ttl, `The ttl of ${this.id} in ${project.file}`);
      Object.assign(flags, { ttl });
    }
    return parsed;
  }

  protected connectOptions(flags: {
    profile?: string | undefined;
    timeout?: string | undefined;
    'dry-run'?: boolean | undefined;
  }): ConnectOptions {
    return {
      profile: flags.profile,
      timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout', TIMEOUT_RANGE) * 1000,
      version: this.config.version,
      isDryRun: flags['dry-run'],
      notice: (message) => this.notice(message),
      progress: this.progress(),
      showsCalls: this.showsCalls,
    };
  }

  protected override async instead(error: unknown): Promise<Answer> {
    if (!(error instanceof DryRun)) throw error;
    const { request } = error;
    const note = this.noteOnDryRun(request);
    if (note) this.notice(note);
    const { renderDryRun } = await import('./render-dry-run.ts');
    return renderDryRun(request, (text) => this.context.redactor.clean(text));
  }

  /** What is to be said of a request that was not sent. */
  protected noteOnDryRun({ method }: UnsentRequest): string | undefined {
    return method === 'GET'
      ? 'This request only looks; what changes something is sent after its answer, and depends on it.'
      : undefined;
  }

  /** For a hint: the lease of this machine that may have been meant. */
  protected async didYouMean({ id, service, profile }: LeaseAddress): Promise<string> {
    const { lookAtLedger } = await import('./ledger/look.ts');
    const held = lookAtLedger(this.context.paths.handles, service);
    const others = held.filter((lease) => lease.profile === profile && lease.id !== id);
    return didYouMean(id, [...new Set(others.map((lease) => lease.id))]);
  }

  /** Makes a call about a key or a job. Where the service knows none, it may be misspelled. */
  protected async askAbout<T>(address: LeaseAddress, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'not_found') throw error;
      const hint = sentences(error.hint ?? '', await this.didYouMean(address));
      throw new Failure(error.code, error.message, { ...error, hint, cause: error });
    }
  }

  /** The ledger, for what is no command. */
  protected readonly books: Books = {
    ledger: () => this.context.ledger(),
    note: (change) => this.note(change),
  };

  /** To be asked for when what is shown to the service has been read. */
  protected async workHost(flags: { 'no-context': boolean }): Promise<WorkHost> {
    const { context, books } = this;
    return { context, books, clocks: await context.clocks(), origin: await this.origin(flags) };
  }

  /** Where a lease is taken. To be asked for when what is shown to the service has been read. */
  protected async origin(flags: { 'no-context': boolean }): Promise<TakenHere> {
    const { takenHere } = await import('./origin/take-origin.ts');
    return takenHere(this.context, String(this.id).replaceAll(':', ' '), flags);
  }

  /** Brings the ledger up to date. The service has answered: what fails here is only told. */
  protected async note(change: (ledger: Ledger) => void): Promise<void> {
    try {
      change(await this.context.ledger());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.notice(`Warning: the ledger of this machine could not be brought up to date: ${why}`);
    }
  }
}

export const dryRunFlags = {
  'dry-run': boolean({
    description: 'Print the request, without secrets, and send nothing',
    helpGroup: 'GLOBAL',
  }),
};

/** The flags of commands that change something. Those that only look have none to try that out. */
export const CHANGING_FLAGS = { ...ServiceCommand.baseFlags, ...dryRunFlags };
