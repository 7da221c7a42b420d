import { option, string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { type LeaseEnd, leaseEnd, USUAL_LEASE } from './lease-end.ts';
import type { Environment } from './profiles/resolve.ts';
import type { RunnerJobConnection } from './runner-job-command.ts';
import { visibleAt } from './services/askui/client.ts';
import { HOSTS, type LeasedJob, type LeaseQuery, type RunnerHost } from './services/askui/wire.ts';
import type { Moment } from './supervise/moment.ts';
import type { WorkHost } from './work.ts';
import { parseWorkspace, workspaceFlag } from './workspace.ts';

/** What says which jobs a runner may get. */
export const runnerFlags = {
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
};

/** @throws Failure `usage` when the workspace is no UUID */
export function leaseQueryOf(
  flags: {
    readonly 'runner-id': string;
    readonly 'runner-host': RunnerHost;
    readonly 'workspace-id'?: string | undefined;
    readonly tag?: string[] | undefined;
  },
  env: Environment,
): LeaseQuery {
  const workspace = parseWorkspace(flags['workspace-id'], env);
  return {
    runner_host: flags['runner-host'],
    runner_id: flags['runner-id'],
    ...(workspace === undefined ? {} : { workspace_id: workspace }),
    tags: flags.tag ?? [],
  };
}

export interface LeasedRunnerJob {
  readonly job: LeasedJob;
  readonly sentAt: Moment;
  /** Milliseconds from then. */
  readonly duration: number;
  readonly end: LeaseEnd | undefined;
  /** Secret. */
  readonly ack: string;
}

/** Leases the next job that fits, and remembers that; undefined when none does. */
export async function leaseRunnerJob(
  query: LeaseQuery,
  { client, addressOf, isOurs }: RunnerJobConnection,
  { context, books, clocks, origin }: WorkHost,
): Promise<LeasedRunnerJob | undefined> {
  // Opened first: a lease whose handle cannot be kept is of no use to anybody.
  await books.ledger();
  const sentAt = clocks.now();
  const told = isOurs ? origin.told : undefined;
  const job = await client.lease(query, context.newIdempotencyKey(), told);
  if (job === null) return undefined;
  const token = job.data?.credentials?.access_token;
  if (token != null) context.redactor.add(token);
  const ack = context.redactor.add(job.ack);
  const end = leaseEnd(job, visibleAt(job.visible), sentAt.wall, context.now());
  const expiresAt = end?.expiresAt ?? sentAt.wall + USUAL_LEASE;
  await books.note((ledger) =>
    ledger.remember(addressOf(job.id), {
      handle: ack,
      acquiredAt: sentAt.wall,
      expiresAt,
      origin: origin.noted,
    }),
  );
  return { job, sentAt, duration: expiresAt - sentAt.wall, end, ack };
}

export function noneFits(profile: string): Failure {
  return new Failure('none_available', `No job fits this runner (profile ${profile}).`, {
    hint: 'Try again later, or look at the host, the tags and the workspace that were given.',
    service: 'askui',
  });
}
