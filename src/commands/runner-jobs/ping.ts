import type { Answer } from '../../base-command.ts';
import { leaseEnd } from '../../lease-end.ts';
import { renderDetails } from '../../output/table.ts';
import { RunnerJobCommand } from '../../runner-job-command.ts';
import { CHANGING_FLAGS } from '../../service-command.ts';
import { visibleAt } from '../../services/askui/client.ts';

export default class RunnerJobsPing extends RunnerJobCommand {
  static override readonly summary = 'Keep a job, and learn whether it is to be canceled';
  static override readonly description = [
    'The exit code is 0 also when the job is to be canceled: look at "cancel_job" with',
    '--json. Exit code 14 means that the lease is no longer yours: stop what relied on it.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> runner-jobs ping',
    {
      description: 'With the handle in a file:',
      command: '<%= config.bin %> <%= command.id %> --handle-file job.json --json',
    },
  ];
  static override readonly args = RunnerJobCommand.holderArgs;
  static override readonly baseFlags = CHANGING_FLAGS;
  static override readonly flags = RunnerJobCommand.ackFlags;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(RunnerJobsPing);
    const connection = await this.connect(flags);
    const { ack, id } = await this.ackOf(args.job, flags, connection);
    const sentAt = this.context.now();
    const answer = await connection.client.ping(ack, id ?? 'the job');
    const end = leaseEnd(answer, visibleAt(answer.visible), sentAt, this.context.now());
    if (id !== undefined) {
      await this.note((ledger) => ledger.prolong(connection.addressOf(id), ack, end?.expiresAt));
    }
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', answer.cancel_job ? CANCEL : 'kept'],
            ['Until', end?.shown(style)],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}

const CANCEL = 'to be canceled: stop it, then complete it as CANCELED';
