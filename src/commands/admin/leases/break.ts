import { string } from '@oclif/core/flags';
import { ADMIN_CHANGING_FLAGS, AdminCommand, kindFlag, kindOfId } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminLeasesBreak extends AdminCommand {
  static override readonly summary = "End a lease of leasectl's own service that somebody holds";
  static override readonly description = [
    'Its handle is refused from then on, and others may acquire what it was on. Whoever holds it',
    'learns of that by the next call only, and may work on until then: end that work first.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin leases break hello --reason "its runner is gone"',
  ];
  static override readonly args = { id: required('Key, or id of a job', 'lease') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;
  static override readonly flags = {
    kind: kindFlag(
      'What it is on [default: job or runner-job where the id looks like one, else key]',
    ),
    reason: string({ description: 'Why, for the history', helpValue: 'TEXT' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminLeasesBreak);
    const { id } = args;
    const { client } = await this.connect(flags);
    const { reason } = flags;
    const query = { kind: kindOfId(id, flags.kind), id };
    const answer = await client.breakLease(query, reason === undefined ? {} : { reason });
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Id', answer.id],
            ['Kind', answer.kind],
            ['State', `${answer.state}, broken`],
            ['Holder', answer.holder && `${answer.holder} (lost it)`],
          ],
          style,
        ),
    };
  }
}
