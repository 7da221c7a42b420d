import type { NeededService } from '../../capability.ts';
import type { Scope } from '../../engine/access.ts';
import { ExecCommand } from '../../exec-command.ts';
import { leaseQueryOf, runnerFlags } from '../../lease-runner-job.ts';

export default class RunnerJobsExec extends ExecCommand {
  static readonly service = 'askui' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['runner-jobs'];
  static override readonly summary = 'Hold a lease on the next job that fits a runner';
  static override readonly description = [
    'Leases the job, pings, and completes it as PASSED when the command ends with 0, else',
    'as FAILED. The exit code is that of the command; or 12 when no job fits, 10 when',
    '--wait was in vain, 8 when the job was canceled, 14 when the lease was lost: in both',
    'cases the command is stopped. The job, with its access token, is in',
    'LEASECTL_JOB_FILE.',
  ].join(' ');
  static override readonly usage = 'runner-jobs exec --runner-id ID [flags] -- COMMAND [ARGS…]';
  static override readonly examples = [
    '<%= config.bin %> runner-jobs exec --runner-id runner-1 --tag windows --wait 1h --shell -- \'cat "$LEASECTL_JOB_FILE"\'',
  ];
  static override readonly flags = { ...runnerFlags, ...ExecCommand.execFlags };

  protected async execute(): Promise<number> {
    const { own, command } = this.split();
    const { flags } = await this.parse(RunnerJobsExec, own);
    const query = leaseQueryOf(flags, this.context.env);
    return this.exec(command, flags, async () => {
      const { runnerJobWork } = await import('../../runner-job-work.ts');
      const connection = await this.context.askUi(this.connectOptions(flags));
      return runnerJobWork(query, connection, await this.workHost(flags));
    });
  }
}
