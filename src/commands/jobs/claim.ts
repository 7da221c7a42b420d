import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { quoted } from '../../domain/shell.ts';
import { JobCommand, type JobConnection } from '../../job-command.ts';
import { leaseEnd, USUAL_LEASE } from '../../lease-end.ts';
import { renderDetails } from '../../output/table.ts';
import { optional } from '../../positional.ts';
import { claimNext } from '../../services/retaia/find-jobs.ts';
import type { ClaimedJob } from '../../services/retaia/wire.ts';

export default class JobsClaim extends JobCommand {
  static override readonly summary = 'Claim a job: take the lease on it';
  static override readonly description = [
    'Exit code 11 means that somebody else holds the job, 7 that it cannot be claimed, 12',
    'that there is none for --next. The handle, a lock token, is a secret: it is shown',
    'with --json only. Send a heartbeat before the lease runs out.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs claim --next',
    {
      description: 'Claim one of a type, and keep the handle in a file for another machine:',
      command:
        '(umask 077; <%= config.bin %> <%= command.id %> --next --type extract_facts --json > job.json); ls job.json',
    },
  ];
  static override readonly args = { job: optional('Id of the job; or else --next') };
  static override readonly flags = {
    next: boolean({ description: 'Claim the oldest job that nobody else claims first' }),
    type: string({
      description: 'With --next: only a job of this type',
      helpValue: 'TYPE',
      dependsOn: ['next'],
    }),
    capability: string({
      description: 'With --next: only a job that needs no more than the capabilities given',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['next'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(JobsClaim);
    if ((args.job === undefined) !== Boolean(flags.next)) {
      throw new Failure('usage', 'Give either the id of a JOB, or --next.', {
        hint: 'See the jobs that can be claimed: leasectl jobs list',
      });
    }
    const connection = await this.connect(flags);
    // Opened first: a lease whose handle cannot be kept is of no use to anybody.
    await this.context.ledger();
    let sentAt = 0;
    const claim = (id: string, key: string) => {
      sentAt = this.context.now();
      return connection.client.claim(id, key);
    };
    const newIdempotencyKey = () => this.context.newIdempotencyKey();
    const deadline = performance.now() + this.connectOptions(flags).timeout;
    const job =
      args.job === undefined
        ? await claimNext({
            client: { list: (limit) => connection.client.list(limit), claim },
            filter: { type: flags.type, capabilities: flags.capability },
            newIdempotencyKey,
            random: Math.random,
            isInTime: () => performance.now() < deadline,
          })
        : await claim(args.job, newIdempotencyKey()).catch((error) =>
            this.#toldIfHeldHere(error, args.job ?? '', connection),
          );
    return this.#remembered(job, sentAt, connection);
  }

  /** Says so where it is this very machine that holds the job. */
  async #toldIfHeldHere(error: unknown, id: string, { addressOf }: JobConnection): Promise<never> {
    const held = (await this.context.ledger()).find(addressOf(id));
    const isHere = held !== undefined && held.expiresAt > this.context.now();
    if (!(error instanceof Failure) || error.code !== 'held' || !isHere) throw error;
    throw new Failure('held', `${id} is held by this machine already.`, {
      hint: `To hold it for longer: leasectl jobs heartbeat ${quoted(id)}`,
      service: error.service,
      status: error.status,
      reason: error.reason,
      cause: error,
    });
  }

  async #remembered(
    job: ClaimedJob,
    sentAt: number,
    { addressOf, target }: JobConnection,
  ): Promise<Answer> {
    const told = Date.parse(job.locked_until ?? '');
    const end = leaseEnd(job, told, sentAt, this.context.now());
    const held = {
      handle: this.context.redactor.add(job.lock_token),
      acquiredAt: sentAt,
      expiresAt: end?.expiresAt ?? sentAt + USUAL_LEASE,
      fencingToken: job.fencing_token ?? undefined,
      jobType: job.job_type ?? undefined,
    };
    await this.note((ledger) => ledger.remember(addressOf(job.job_id), held));
    return {
      data: job,
      text: (style) =>
        renderDetails(
          [
            ['Job', job.job_id],
            ['Type', job.job_type],
            ['Status', job.status],
            ['Until', end?.shown],
            ['Asset', job.asset_uuid],
            ['Capabilities', job.required_capabilities?.join(', ') || undefined],
            ['Fencing token', job.fencing_token],
            ['Profile', target.profile],
          ],
          style,
        ),
    };
  }
}
