import type { Answer } from '../../base-command.ts';
import { TAKES_A_LEASE } from '../../capability.ts';
import { claimJob, nextFlags, wantedJob } from '../../claim-job.ts';
import type { Scope } from '../../engine/access.ts';
import { JobCommand } from '../../job-command.ts';
import { contextFlags } from '../../origin/take-origin.ts';
import { renderDetails } from '../../output/table.ts';
import { optional } from '../../positional.ts';
import { CHANGING_FLAGS } from '../../service-command.ts';

export default class JobsClaim extends JobCommand {
  static readonly scopes: readonly Scope[] = ['jobs:claim'];
  static readonly limits = TAKES_A_LEASE;
  static override readonly summary = 'Claim a job: take the lease on it';
  static override readonly description = [
    'Exit code 11 means that somebody else holds the job, 7 that it cannot be claimed, 12',
    'that there is none for --next. The handle, a lock token, is a secret: it is shown',
    'with --json, --field and --query only. Send a heartbeat before the lease runs out.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs claim --next',
    {
      description: 'Claim one of a type, and keep the handle in a file for another machine:',
      command:
        '(umask 077; <%= config.bin %> <%= command.id %> --next --type extract_facts --json > job.json); ls job.json',
    },
  ];
  static override readonly args = { job: optional('Id of the job; or else --next', 'job') };
  static override readonly baseFlags = CHANGING_FLAGS;
  static override readonly flags = { ...nextFlags, ...contextFlags };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(JobsClaim);
    const wanted = wantedJob(args.job, flags);
    const connection = await this.connect(flags);
    const { timeout } = this.connectOptions(flags);
    const { job, end } = await claimJob(wanted, connection, timeout, await this.workHost(flags));
    return {
      data: job,
      text: (style) =>
        renderDetails(
          [
            ['Job', job.job_id],
            ['Type', job.job_type],
            ['Status', job.status],
            ['Until', end?.shown(style)],
            ['Asset', job.asset_uuid],
            ['Capabilities', job.required_capabilities?.join(', ') || undefined],
            ['Fencing token', job.fencing_token],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
