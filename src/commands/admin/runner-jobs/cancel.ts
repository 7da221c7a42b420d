import { AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Rejection } from '../../../engine/command.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminRunnerJobsCancel extends AdminCommand {
  static override readonly summary = 'Cancel a job of the embedded service';
  static override readonly description = [
    'A job that waits is canceled at once. A runner that has it is told so by its next ping,',
    'and is to complete it as CANCELED; nobody else gets it any more.',
  ].join(' ');
  static override readonly examples = ['<%= config.bin %> admin runner-jobs cancel "$JOB"'];
  static override readonly args = { job: required('Id of the job', 'runner-job') };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(AdminRunnerJobsCancel);
    const engine = await this.context.engine();
    const { outcome } = await engine.change('runner_job', args.job, { type: 'request_cancel' });
    if (outcome.type === 'rejected') throw notCanceled(args.job, outcome.reason);
    const status = outcome.type === 'finished' ? 'CANCELED' : 'RUNNING';
    return {
      data: { id: args.job, status, cancel_job: true },
      text: (style) =>
        renderDetails(
          [
            ['Job', args.job],
            ['Status', status === 'RUNNING' ? 'RUNNING, to be canceled' : status],
          ],
          style,
        ),
    };
  }
}

function notCanceled(job: string, reason: Rejection): Failure {
  if (reason === 'unknown') {
    return new Failure('not_found', `There is no runner job ${job} in the embedded service.`, {
      hint: 'Check the spelling: admin runner-jobs add told its id.',
    });
  }
  const what = reason === 'closed' ? 'was given up: its tries are used up' : 'is already finished';
  return new Failure('conflict', `${job} ${what}.`, { hint: 'Nobody gets it any more.' });
}
