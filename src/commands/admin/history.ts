import { option, string } from '@oclif/core/flags';
import { AdminCommand, kindFlag, kindOf } from '../../admin-command.ts';
import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import { parseCount } from '../../count.ts';
import { EVENT_TYPES } from '../../engine/history.ts';
import { eventColumns, eventRow } from '../../lease-view.ts';
import { renderList } from '../../output/table.ts';
import { optional } from '../../positional.ts';
import { MOST_LISTED, USUALLY_LISTED } from '../../services/admin/wire.ts';

export default class AdminHistory extends AdminCommand {
  static override readonly summary = "List what happened to the leases of leasectl's own service";
  static override readonly description = [
    'The latest comes first. That work was added and leases were extended is not among it: a lease',
    'tells itself when it was first seen, and changed last. That one ran out is noted when somebody',
    'acquires again, or at the next housekeeping of the service, with the time of its end.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin history',
    '<%= config.bin %> admin history hello --type acquired --limit 5 --json',
  ];
  static override readonly args = {
    id: optional('Key, or id of a job, to which it happened [default: all]', 'lease'),
  };
  static override readonly flags = {
    kind: kindFlag('Only what happened to leases on these'),
    type: option({ description: 'Only events of this type', options: EVENT_TYPES })(),
    limit: string({
      description: `At most so many, up to ${MOST_LISTED} [default: ${USUALLY_LISTED}]`,
      helpValue: 'NUMBER',
    }),
    before: string({
      description: 'Only what happened before this event: the next of an earlier answer',
      helpValue: 'NUMBER',
    }),
    ...listFlags,
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminHistory);
    const limit = flags.limit && String(parseCount(flags.limit, '--limit', MOST_LISTED));
    const before =
      flags.before && String(parseCount(flags.before, '--before', Number.MAX_SAFE_INTEGER));
    const { client } = await this.connect(flags);
    const { type } = flags;
    const answer = await client.history({
      ...{ kind: kindOf(flags.kind), id: args.id, type },
      ...{ limit, before },
    });
    if (answer.next !== null) this.notice(`There are more: --before ${answer.next}`);
    const now = this.context.now();
    return {
      data: answer,
      text: (style) =>
        renderList(
          eventColumns,
          answer.events.map((event) => eventRow(event, now, style)),
          style,
        ),
    };
  }
}
