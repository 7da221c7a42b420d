import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { TAKES_A_LEASE } from '../../capability.ts';
import { leaseQueryOf, leaseRunnerJob, noneFits, runnerFlags } from '../../lease-runner-job.ts';
import { contextFlags } from '../../origin/take-origin.ts';
import { renderDetails } from '../../output/table.ts';
import { RunnerJobCommand } from '../../runner-job-command.ts';
import { CHANGING_FLAGS } from '../../service-command.ts';
import { withoutCredentials } from '../../services/askui/credentials.ts';
import type { LeasedJob } from '../../services/askui/wire.ts';

export default class RunnerJobsLease extends RunnerJobCommand {
  static override readonly summary = 'Lease the next job that fits a runner';
  static override readonly description = [
    'Exit code 12 means that no job fits; with --json the answer is then null. The handle,',
    'an ack, is a secret: it is shown with --json, --field and --query only. The access token for the job is',
    'hidden there, too, unless --show-secrets is given. Ping before the time runs out.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> runner-jobs lease --runner-id runner-1',
    '<%= config.bin %> runner-jobs lease --runner-id runner-1 --tag windows --tag chrome --json --show-secrets',
  ];
  static override readonly baseFlags = CHANGING_FLAGS;
  static readonly limits = TAKES_A_LEASE;
  static override readonly flags = {
    ...runnerFlags,
    ...contextFlags,
    'show-secrets': boolean({
      description: "With --json, --field or --query: show the job's access token, too",
      relationships: [{ type: 'some', flags: ['json', 'field', 'query'] }],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(RunnerJobsLease);
    const query = leaseQueryOf(flags, this.context.env);
    const connection = await this.connect(flags);
    const leased = await leaseRunnerJob(query, connection, await this.workHost(flags));
    if (!leased)
      return { data: null, text: () => '', failure: noneFits(connection.target.profile) };
    const { job, end } = leased;
    const { target } = connection;
    return {
      data: flags['show-secrets'] ? job : await withoutCredentials(job),
      text: (style) => renderDetails(detailsOf(job, end?.shown(style), target.profile), style),
    };
  }
}

function detailsOf(job: LeasedJob, until: string | undefined, profile: string) {
  const { data } = job;
  const more = data?.['data'];
  return [
    ['Job', job.id],
    ['Status', job.status],
    ['Until', until],
    ['Runner', job.runner_id],
    ['Tries', job.tries],
    ['Workspace', data?.credentials?.workspace_id],
    ['Access token', data?.credentials?.access_token == null ? undefined : '***'],
    ['Workflows', data?.workflows?.join(', ')],
    ['Data', more == null ? undefined : JSON.stringify(more)],
    ['Profile', profile],
  ] as const;
}
