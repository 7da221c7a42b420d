import type { Answer } from '../../base-command.ts';
import type { Scope } from '../../engine/access.ts';
import { JobCommand } from '../../job-command.ts';
import { leaseEnd } from '../../lease-end.ts';
import { renderDetails } from '../../output/table.ts';
import { CHANGING_FLAGS } from '../../service-command.ts';

export default class JobsHeartbeat extends JobCommand {
  static readonly scopes: readonly Scope[] = ['jobs:heartbeat'];
  static override readonly summary = 'Hold a job for longer';
  static override readonly description = [
    'The service decides for how long. A new fencing token in its answer takes the place',
    'of the one that this machine remembers. Exit code 14 means that the lease is no',
    'longer yours: stop what relied on it.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs heartbeat "$JOB"',
    {
      description: 'With the handle in a file:',
      command: '<%= config.bin %> <%= command.id %> "$JOB" --handle-file job.json',
    },
  ];
  static override readonly args = JobCommand.holderArgs;
  static override readonly baseFlags = CHANGING_FLAGS;
  static override readonly flags = JobCommand.lockFlags;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(JobsHeartbeat);
    const id = args.job;
    const connection = await this.connect(flags);
    let sentAt = 0;
    const { answer, lock } = await this.asHolder(id, flags, connection, async (lock) => {
      sentAt = this.context.now();
      const answer = await connection.client.heartbeat(id, {
        lock_token: lock.token,
        fencing_token: lock.fencingToken,
      });
      return { answer, lock };
    });
    const told = Date.parse(answer?.locked_until ?? '');
    const end = leaseEnd(answer, told, sentAt, this.context.now());
    const fencingToken = answer?.fencing_token ?? undefined;
    await this.note((ledger) => {
      const address = connection.addressOf(id);
      if (ledger.find(address)?.handle === lock.token) {
        ledger.prolong(address, lock.token, end?.expiresAt, fencingToken);
      } else {
        // It came from a file or stdin, which cannot be told what is new.
        ledger.remember(address, {
          handle: lock.token,
          acquiredAt: sentAt,
          expiresAt: end?.expiresAt ?? sentAt,
          fencingToken: fencingToken ?? lock.fencingToken,
          jobType: lock.jobType,
        });
      }
    });
    return {
      data: answer ?? null,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', 'kept'],
            ['Until', end?.shown(style)],
            ['Fencing token', answer?.fencing_token],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
