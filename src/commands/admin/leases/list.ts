import { option, string } from '@oclif/core/flags';
import { AdminCommand, kindFlag, kindOf } from '../../../admin-command.ts';
import { listFlags } from '../../../answer-view.ts';
import type { Answer } from '../../../base-command.ts';
import { parseCount } from '../../../count.ts';
import { quoted } from '../../../domain/shell.ts';
import { leaseColumns, leaseRow } from '../../../lease-view.ts';
import { renderList } from '../../../output/table.ts';
import { MOST_LISTED, STATES, USUALLY_LISTED } from '../../../services/admin/wire.ts';

export default class AdminLeasesList extends AdminCommand {
  static override readonly summary = "List the leases of leasectl's own service";
  static override readonly description = [
    'They are in the order of their kinds, and then of their ids. Work that nobody has is waiting;',
    'what its holder let run out is expired. No handle is shown.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin leases list',
    '<%= config.bin %> admin leases list --kind key --state held --prefix deploy- --json',
  ];
  static override readonly flags = {
    kind: kindFlag('Only leases on these'),
    state: option({ description: 'Only those in this state', options: STATES })(),
    prefix: string({ description: 'Only those whose ids begin so', helpValue: 'TEXT' }),
    limit: string({
      description: `At most so many, up to ${MOST_LISTED} [default: ${USUALLY_LISTED}]`,
      helpValue: 'NUMBER',
    }),
    after: string({
      description: 'Only those behind this one: the next of an earlier answer',
      helpValue: 'KIND:ID',
    }),
    ...listFlags,
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(AdminLeasesList);
    const { state, prefix, after } = flags;
    const limit = flags.limit && String(parseCount(flags.limit, '--limit', MOST_LISTED));
    const { client } = await this.connect(flags);
    const query = { kind: kindOf(flags.kind), state, prefix, after, limit };
    const answer = await client.leases(query);
    if (answer.next !== null) this.notice(`There are more: --after ${quoted(answer.next)}`);
    const now = Date.parse(answer.now);
    return {
      data: answer,
      text: (style) =>
        renderList(
          leaseColumns,
          answer.leases.map((lease) => leaseRow(lease, now, style)),
          style,
        ),
    };
  }
}
