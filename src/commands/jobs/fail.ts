import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { EndingCommand } from '../../ending-command.ts';

export default class JobsFail extends EndingCommand {
  static override readonly summary = 'Finish a job: the work went wrong';
  static override readonly description = [
    'With --retryable the job can be claimed again, otherwise it has failed for good. If',
    'the answer is lost, run the same command again: it is the same request, and answers',
    'the same.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> jobs fail "$JOB" --error-code out_of_memory --retryable',
    '<%= config.bin %> jobs fail "$JOB" --error-code bad_input --message "The file is no PDF"',
  ];
  static override readonly args = EndingCommand.holderArgs;
  static override readonly flags = {
    ...EndingCommand.endingFlags,
    'error-code': string({ description: 'What went wrong', helpValue: 'CODE', required: true }),
    message: string({
      description: 'The same in a sentence [default: the error code]',
      helpValue: 'TEXT',
    }),
    retryable: boolean({
      description: 'Whether it may go well another time [default: no]',
      allowNo: true,
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(JobsFail);
    const id = args.job;
    const errorCode = flags['error-code'];
    if (errorCode === '') {
      throw new Failure('usage', '--error-code is empty.', { hint: 'Say what went wrong.' });
    }
    const retryable = flags.retryable ?? false;
    const connection = await this.connect(flags);
    return this.end({
      id,
      way: 'fail',
      flags,
      connection,
      // Some servers want a message.
      bodyOf: () => ({ error_code: errorCode, message: flags.message ?? errorCode, retryable }),
      send: (key, body) => connection.client.fail(id, key, body),
      status: retryable ? 'pending' : 'failed',
    });
  }
}
