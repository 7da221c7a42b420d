import { boolean, option, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { leaseEnd, USUAL_LEASE } from '../../lease-end.ts';
import { renderDetails } from '../../output/table.ts';
import { RunnerJobCommand } from '../../runner-job-command.ts';
import { visibleAt } from '../../services/askui/client.ts';
import { withoutCredentials } from '../../services/askui/credentials.ts';
import { HOSTS, type LeasedJob } from '../../services/askui/wire.ts';
import { parseWorkspace, workspaceFlag } from '../../workspace.ts';

export default class RunnerJobsLease extends RunnerJobCommand {
  static override readonly summary = 'Lease the next job that fits a runner';
  static override readonly description = [
    'Exit code 12 means that no job fits; with --json the answer is then null. The handle,',
    'an ack, is a secret: it is shown with --json only. The access token for the job is',
    'hidden there, too, unless --show-secrets is given. Ping before the time runs out.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> runner-jobs lease --runner-id runner-1',
    '<%= config.bin %> runner-jobs lease --runner-id runner-1 --tag windows --tag chrome --json --show-secrets',
  ];
  static override readonly flags = {
    'runner-id': string({
      description: 'Id of the runner that is to do the job',
      helpValue: 'ID',
      required: true,
    }),
    'runner-host': option({
      description: 'Where the runner is',
      options: HOSTS,
      default: 'SELF' as const,
    })(),
    'workspace-id': workspaceFlag('Only jobs of this workspace'),
    tag: string({
      description: 'Tag that the runner has; it gets no job that has others',
      helpValue: 'TAG',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'show-secrets': boolean({
      description: "With --json: show the job's access token, too",
      dependsOn: ['json'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(RunnerJobsLease);
    if (flags['runner-id'] === '') {
      throw new Failure('usage', '--runner-id is empty.', { hint: 'Give the id of the runner.' });
    }
    const workspace = parseWorkspace(flags['workspace-id'], this.context.env);
    const { client, target, addressOf } = await this.connect(flags);
    // Opened first: a lease whose handle cannot be kept is of no use to anybody.
    await this.context.ledger();
    const sentAt = this.context.now();
    const job = await client.lease(
      {
        runner_host: flags['runner-host'],
        runner_id: flags['runner-id'],
        ...(workspace === undefined ? {} : { workspace_id: workspace }),
        tags: flags.tag ?? [],
      },
      this.context.newIdempotencyKey(),
    );
    if (job === null) return { data: null, text: () => '', failure: noneFits() };

    const token = job.data?.credentials?.access_token;
    if (token != null) this.context.redactor.add(token);
    const end = leaseEnd(job, visibleAt(job.visible), sentAt, this.context.now());
    const held = {
      handle: this.context.redactor.add(job.ack),
      acquiredAt: sentAt,
      expiresAt: end?.expiresAt ?? sentAt + USUAL_LEASE,
    };
    await this.note((ledger) => ledger.remember(addressOf(job.id), held));
    return {
      data: flags['show-secrets'] ? job : await withoutCredentials(job),
      text: (style) => renderDetails(detailsOf(job, end?.shown, target.profile), style),
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

function noneFits(): Failure {
  return new Failure('none_available', 'No job fits this runner.', {
    hint: 'Try again later, or look at the host, the tags and the workspace that were given.',
    service: 'askui',
  });
}
