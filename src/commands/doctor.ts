import { boolean, string } from '@oclif/core/flags';
import { listFlags } from '../answer-view.ts';
import { type Answer, BaseCommand } from '../base-command.ts';
import { type Finding, type Measured, type Status, textOf } from '../doctor/finding.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { endAnyway } from '../end-anyway.ts';
import { type CheckRow, renderChecks } from '../output/checks.ts';
import { optional } from '../positional.ts';
import { LOCAL } from '../profiles/profile.ts';
import { visible } from '../terminal/visible.ts';

/** A check as programs get it. */
interface ToldCheck extends Measured {
  readonly name: string;
  readonly subject: string | null;
  readonly status: Status;
  readonly detail: string;
  /** A command line, or a sentence. */
  readonly mend: string | null;
}

const DEFAULT_TIMEOUT = '5s';
/** Seconds. */
const TIMEOUT_RANGE = { min: 1, max: 600 };

/** What was begun gets to end by itself, in milliseconds. */
const LAST_CALL = 200;

export default class Doctor extends BaseCommand {
  static override readonly summary = 'Look for what is wrong with this machine, and its services';
  static override readonly description = [
    'Looks at Node.js, the directories and databases with their rights, the profiles, the keyring,',
    'and the environment; then at each hosted service: its name, connection, certificate, round',
    'trip, clock, and whether it takes the token. What is wrong comes with its mend. It mends',
    'nothing by itself. Exit code 1 means that something fails; warnings alone end with 0.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --offline --json',
    '<%= config.bin %> doctor local',
  ];
  static override readonly args = {
    profile: optional('Ask the service of this profile only [default: all]', 'profile'),
  };
  static override readonly flags = {
    ...listFlags,
    offline: boolean({ description: 'Ask no service' }),
    timeout: string({
      description: 'How long each step may take',
      helpValue: 'DURATION',
      default: DEFAULT_TIMEOUT,
    }),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Doctor);
    const { context } = this;
    const timeout = parseDuration(flags.timeout, '--timeout', TIMEOUT_RANGE) * 1000;
    await this.#assertThere(args.profile);
    const { diagnose } = await import('../doctor/diagnose.ts');
    const host = { context, version: this.config.version, timeout };
    const scope = { profile: args.profile, isOffline: flags.offline ?? false };
    const work = () => diagnose(host, scope);
    const findings = await (this.progress()?.during('all checks', work) ?? work());
    const checks = findings.map((finding) => this.#told(finding));
    const rows = findings.map((finding) => {
      const isCommand = finding.mend !== undefined && 'words' in finding.mend;
      return rowOf(this.#told(finding), isCommand);
    });
    const failed = findings.filter(({ status }) => status === 'fail').length;
    return {
      data: { checks, ok: failed === 0 },
      text: (style) => renderChecks(rows, style),
      failure: failed === 0 ? undefined : failureOf(failed, findings.length),
    };
  }

  /** A call that was given up may hang on: it must not hold up the exit. */
  override async finally(): Promise<void> {
    const { setTimeout: delay } = await import('node:timers/promises');
    await Promise.race([super.finally(), delay(LAST_CALL, undefined, { ref: false })]);
    await this.context.terminal.flushed();
    endAnyway(LAST_CALL);
  }

  /** One whose file is broken is there: that is what is to be found out. */
  async #assertThere(profile: string | undefined): Promise<void> {
    const { profiles } = this.context;
    if (profile === undefined || profile === LOCAL) return;
    if (!(await profiles.names()).includes(profile)) await profiles.get(profile);
  }

  /** Without any secret, and safe to show. */
  #told({ name, subject, status, detail, mend, measured }: Finding): ToldCheck {
    const { redactor } = this.context;
    const clean = (text: string) => visible(redactor.clean(text));
    return {
      name,
      subject: subject && clean(subject),
      status,
      detail: clean(detail),
      mend: mend ? textOf(mend, clean) : null,
      ...measured,
    };
  }
}

function rowOf({ name, subject, status, detail, mend }: ToldCheck, isCommand: boolean): CheckRow {
  const check = [name, subject].filter(Boolean).join(' ');
  return { check, status, detail, mend: mend ?? undefined, isCommand };
}

function failureOf(failed: number, all: number): Failure {
  const message = failed === 1 ? 'A check fails' : `${failed} checks fail`;
  return new Failure('check_failed', `${message}, of ${all}.`, {
    hint: 'What mends it is below each of them.',
  });
}
