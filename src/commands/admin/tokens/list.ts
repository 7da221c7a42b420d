import { AdminCommand } from '../../../admin-command.ts';
import { listFlags } from '../../../answer-view.ts';
import type { Answer } from '../../../base-command.ts';
import { renderList } from '../../../output/table.ts';
import { tokenColumns, tokenRow } from '../../../token-view.ts';

export default class AdminTokensList extends AdminCommand {
  static override readonly summary = "List the access tokens of leasectl's own service";
  static override readonly description =
    'Those that are over or revoked are listed, too. When one was last used is exact to a minute.';
  static override readonly examples = [
    '<%= config.bin %> admin tokens list',
    '<%= config.bin %> admin tokens list --database leases.db --json',
  ];
  static override readonly flags = listFlags;

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(AdminTokensList);
    const { client } = await this.connect(flags);
    const answer = await client.tokens();
    const now = this.context.now();
    return {
      data: answer,
      text: (style) =>
        renderList(
          tokenColumns,
          answer.map((token) => tokenRow(token, now, style)),
          style,
        ),
    };
  }
}
