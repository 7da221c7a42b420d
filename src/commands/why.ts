import { kindFlag, kindOf } from '../admin-command.ts';
import type { Answer } from '../base-command.ts';
import type { NeededService } from '../capability.ts';
import { Failure } from '../domain/failure.ts';
import { asQuestion, sentences } from '../domain/nearest.ts';
import { required } from '../positional.ts';
import { ServiceCommand } from '../service-command.ts';
import type { Insight } from '../why/insight.ts';

export default class Why extends ServiceCommand {
  static override readonly summary = 'Say why a key or a job is stuck, and what to do about it';
  static override readonly description = [
    'Looks at the lease where it is, into what this machine remembers of it, and at the process that',
    'keeps it, if that is here: who holds it, since when, how regularly it is renewed, when it ends,',
    'what happened to it before, and which command comes next. It changes nothing, and says what the',
    'service does not tell. Exit code 3 means that the service knows nothing of it.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> why hello',
    '<%= config.bin %> why hello --field next',
  ];
  static readonly service = 'any' satisfies NeededService;
  static readonly limits = {
    hosted:
      'The service tells less of a lease than leasectl’s own: not who has it, and no history.',
  };
  static override readonly args = { id: required('Key, or id of a job', 'lease') };
  static override readonly flags = {
    kind: kindFlag('What it is on [default: what this machine knows of the id, or it looks like]'),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Why);
    const { context } = this;
    const [{ openLeaseView }, { lookInto }] = await Promise.all([
      import('../look/lease.ts'),
      import('../why/insight.ts'),
    ]);
    const wanted = { id: args.id, kind: kindOf(flags.kind) };
    const view = await openLeaseView(context, wanted, this.connectOptions(flags));
    const insight = await lookInto(context, view, flags.kind);
    const [{ renderInsight }, { insightData }] = await Promise.all([
      import('../why/view.ts'),
      import('../why/data.ts'),
    ]);
    return {
      data: insightData(insight, (text) => context.redactor.clean(text)),
      // What is not there is no more than a failure.
      text: (style) => (isUnknown(insight) ? '' : renderInsight(insight, style)),
      failure: failureOf(insight),
      isFailureTold: insight.failure !== undefined,
    };
  }
}

function isUnknown({ diagnosis }: Insight): boolean {
  return diagnosis.name === 'never_seen';
}

/** What was not there, or could not be looked at. */
function failureOf(insight: Insight): Failure | undefined {
  const { failure, diagnosis, meant, place } = insight;
  if (!isUnknown(insight)) return failure;
  const { id } = diagnosis.facts.sighting;
  const where = `${place.isOurs ? 'leasectl' : place.service}, profile ${place.profile}`;
  return new Failure('not_found', `Nothing is known of ${id} (${where}).`, {
    hint: sentences(
      asQuestion(meant) || 'Check the spelling, name another --profile, or say --kind.',
      insight.next ? `Next: ${insight.next}` : '',
    ),
  });
}
