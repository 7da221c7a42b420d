import { boolean, string } from '@oclif/core/flags';
import { kindFlag, kindOf } from '../admin-command.ts';
import type { Answer } from '../base-command.ts';
import { portsAt } from '../break/asking.ts';
import { breakLease } from '../break/lease.ts';
import { declined, problemOfReason, resultDetails } from '../break/words.ts';
import type { Limits, NeededService } from '../capability.ts';
import { parseDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import { renderDetails } from '../output/table.ts';
import { required } from '../positional.ts';
import { CHANGING_FLAGS, ServiceCommand } from '../service-command.ts';

/** Seconds. */
const OBSERVE_RANGE = { min: 1, max: 3_600 };

export default class Break extends ServiceCommand {
  static readonly service = 'any' satisfies NeededService;
  static readonly limits: Limits = {
    hosted: "OnceOnly's keys are canceled, for good; at Retaia and AskUI only holders end leases.",
  };
  static override readonly summary = 'End a lease that somebody else holds, if nobody renews it';
  static override readonly description = [
    'Shows who holds it, and looks for a while whether that is renewed: then it is not stuck, and',
    'nothing is done (exit code 11). Else it is ended, but only as long as it is the very lease that',
    'was seen first. It asks for the key to be typed (else nothing is done, and the exit code is 11,',
    'too), and without a terminal it needs --yes. End the work under it first: whoever holds it learns',
    "of that by the next call only. leasectl's own service needs a token with the scope admin for",
    'that; on OnceOnly the lease is canceled, so that the key is finished, and not leased again for',
    'seven days.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> break hello --reason "its runner is gone" --observe 2s --yes',
    '<%= config.bin %> break "$JOB" --kind job --reason "lost its machine" --force --yes',
  ];
  static override readonly args = { id: required('Key, or id of a job', 'lease') };
  static override readonly baseFlags = CHANGING_FLAGS;
  static override readonly flags = {
    kind: kindFlag('What it is on [default: as this machine knows it, or as the id looks like]'),
    reason: string({ description: 'Why, for the history', helpValue: 'TEXT', required: true }),
    observe: string({
      description:
        'How long to look that nobody renews it [default: as long as it lasts, 60s at most]',
      helpValue: 'DURATION',
    }),
    force: boolean({
      description: 'Do not look whether it is renewed; it has to be the same lease all the same',
      exclusive: ['observe'],
    }),
    yes: boolean({ char: 'y', description: 'Do not ask' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Break);
    const reason = parseReason(flags.reason);
    const seconds = flags.observe && parseDuration(flags.observe, '--observe', OBSERVE_RANGE);
    const observe = flags.force ? 0 : seconds ? seconds * 1000 : undefined;
    const isAsking = !flags.yes && !flags['dry-run'];
    if (isAsking) this.#assertCanAsk();
    const { openLeaseView } = await import('../look/lease.ts');
    const wanted = { id: args.id, kind: kindOf(flags.kind) };
    const view = await openLeaseView(this.context, wanted, this.connectOptions(flags));
    const ports = await portsAt(this.context, { isAsking, isQuiet: this.jsonEnabled() });
    const result = await this.askAbout(view.address, () =>
      breakLease(this.context, { view, reason, observe }, ports),
    );
    if (result.outcome === 'kept') throw declined(view, result);
    return { data: result, text: (style) => renderDetails(resultDetails(result), style) };
  }

  #assertCanAsk(): void {
    if (this.context.terminal.canAsk && !this.jsonEnabled()) return;
    throw new Failure('usage', 'Nobody can be asked whether the lease is to be broken.', {
      hint: 'If it is: --yes',
    });
  }
}

/** @throws Failure `usage` for what a history has no room for */
function parseReason(text: string): string {
  const problem = problemOfReason(text);
  if (problem === undefined) return text;
  throw new Failure('usage', `--reason: ${problem}`, { hint: 'Say it in a sentence.' });
}
