import { option } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { renderDetails } from '../../output/table.ts';
import { RunnerJobCommand } from '../../runner-job-command.ts';
import { CHANGING_FLAGS } from '../../service-command.ts';
import { ENDINGS } from '../../services/askui/wire.ts';

export default class RunnerJobsComplete extends RunnerJobCommand {
  static override readonly summary = 'Finish a job';
  static override readonly description = [
    'If the answer is lost, run the same command again: it changes nothing and answers the',
    'same. The answer has no content: with --json it is null.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> runner-jobs complete --status PASSED',
    {
      description: 'With the handle in a file:',
      command: '<%= config.bin %> <%= command.id %> --handle-file job.json --status FAILED',
    },
  ];
  static override readonly args = RunnerJobCommand.holderArgs;
  static override readonly baseFlags = CHANGING_FLAGS;
  static override readonly flags = {
    ...RunnerJobCommand.ackFlags,
    status: option({ description: 'How it ended', options: ENDINGS, required: true })(),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(RunnerJobsComplete);
    const connection = await this.connect(flags);
    const { ack, id } = await this.ackOf(args.job, flags, connection);
    const answer = await connection.client.complete(ack, id ?? 'the job', flags.status);
    if (id !== undefined) {
      await this.note((ledger) => ledger.forget(connection.addressOf(id), ack));
    }
    return {
      data: answer ?? null,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', flags.status],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
