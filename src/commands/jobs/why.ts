import type { Answer } from '../../base-command.ts';
import type { Scope } from '../../engine/access.ts';
import { JobCommand } from '../../job-command.ts';
import { findingsOf } from '../../queue/findings.ts';
import { standingOf } from '../../queue/standing.ts';
import { renderStanding } from '../../queue/view.ts';

export default class JobsWhy extends JobCommand {
  static readonly scopes: readonly Scope[] = ['jobs:claim'];
  static readonly limits = { hosted: 'Tells only of jobs that can be claimed.' };
  static override readonly summary = 'Tell why jobs wait: how the queue stands, and who claims';
  static override readonly description = [
    'How many jobs are pending, claimed, done and failed, by their types and what they need; since',
    'when the oldest waits, who claimed last, which types nobody is known to have claimed, and',
    "which jobs are taken again and again and not done. That is what leasectl's own service tells, to a token with the scope admin; of any other the list",
    'of the jobs that can be claimed.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs why',
    "<%= config.bin %> jobs why --query 'types[?!last_claimed_at].job_type'",
  ];

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(JobsWhy);
    const { standing, profile } = await standingOf(this.context, this.connectOptions(flags));
    const findings = findingsOf(standing, profile);
    return {
      data: { ...standing, findings },
      text: (style) => renderStanding(standing, findings, style),
    };
  }
}
