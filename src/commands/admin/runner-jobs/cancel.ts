import { ADMIN_CHANGING_FLAGS, AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminRunnerJobsCancel extends AdminCommand {
  static override readonly summary = "Cancel a runner job of leasectl's own service";
  static override readonly description = [
    'A job that waits is canceled at once. A runner that has it is told so by its next ping,',
    'and is to complete it as CANCELED; nobody else gets it any more.',
  ].join(' ');
  static override readonly examples = ['<%= config.bin %> admin runner-jobs cancel "$JOB"'];
  static override readonly args = { job: required('Id of the job', 'runner-job') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminRunnerJobsCancel);
    const { client } = await this.connect(flags);
    const answer = await client.cancelRunnerJob(args.job);
    const { id, status } = answer;
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Job', id],
            ['Status', status === 'RUNNING' ? 'RUNNING, to be canceled' : status],
          ],
          style,
        ),
    };
  }
}
