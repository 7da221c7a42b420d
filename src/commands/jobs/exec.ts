import { string } from '@oclif/core/flags';
import type { NeededService } from '../../capability.ts';
import { nextFlags, wantedJob } from '../../claim-job.ts';
import type { Scope } from '../../engine/access.ts';
import { ExecCommand, parseExitCode } from '../../exec-command.ts';
import { optional } from '../../positional.ts';

export default class JobsExec extends ExecCommand {
  static readonly service = 'retaia' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['jobs:claim', 'jobs:heartbeat', 'jobs:submit'];
  static override readonly summary = 'Hold a lease on a job while a command runs';
  static override readonly description = [
    'Claims the job, sends heartbeats, and submits the result of the command when it ends',
    'with 0, else the failure. The exit code is that of the command; or 12 when there is',
    'no job, 11 when somebody else holds it, 10 when --wait was in vain. When the lease is',
    'lost the command is stopped before it ends, and the exit code is 14.',
  ].join(' ');
  static override readonly usage = 'jobs exec [JOB | --next] [flags] -- COMMAND [ARGS…]';
  static override readonly examples = [
    '<%= config.bin %> jobs exec --next --wait 10m --result-from stdout -- ./extract.sh',
    '<%= config.bin %> jobs exec "$JOB" --retryable-exit 75 --shell -- \'cat "$LEASECTL_JOB_FILE"; echo "{\\"pages\\": 3}" > "$LEASECTL_RESULT_FILE"\'',
  ];
  static override readonly args = { job: optional('Id of the job; or else --next', 'job') };
  static override readonly flags = {
    ...nextFlags,
    'retryable-exit': string({
      description: 'Exit code after which the job may be tried again, e.g. 75, or 137 for SIGKILL',
      helpValue: 'NUMBER',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...ExecCommand.execFlags,
    ...ExecCommand.resultFlags,
  };

  protected async execute(): Promise<number> {
    const { own, command } = this.split();
    const { args, flags } = await this.parse(JobsExec, own);
    const wanted = wantedJob(args.job, flags);
    const retryableExits = (flags['retryable-exit'] ?? []).map((text) =>
      parseExitCode(text, '--retryable-exit'),
    );
    return this.exec(command, flags, async () => {
      const { jobWork } = await import('../../job-work.ts');
      const options = this.connectOptions(flags);
      const connection = await this.context.retaia(options);
      const { timeout } = options;
      const host = await this.workHost(flags);
      return jobWork({ wanted, connection, timeout, retryableExits, host });
    });
  }
}
