import { AdminCommand, kindFlag, kindOfId } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { leaseDetails } from '../../../lease-view.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminLeasesShow extends AdminCommand {
  static override readonly summary = "Show a lease of leasectl's own service";
  static override readonly description = [
    'Who has it, until when, and what it is on; not its handle, and no credentials of a job.',
    'What happened to it tells admin history.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin leases show hello',
    '<%= config.bin %> admin leases show "$JOB" --kind runner-job --json',
  ];
  static override readonly args = { id: required('Key, or id of a job', 'lease') };
  static override readonly flags = {
    kind: kindFlag(
      'What it is on [default: job or runner-job where the id looks like one, else key]',
    ),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminLeasesShow);
    const { id } = args;
    const { client } = await this.connect(flags);
    const answer = await client.lease({ kind: kindOfId(id, flags.kind), id });
    return { data: answer, text: (style) => renderDetails(leaseDetails(answer, style), style) };
  }
}
