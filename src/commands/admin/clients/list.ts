import { AdminCommand } from '../../../admin-command.ts';
import { listFlags } from '../../../answer-view.ts';
import type { Answer } from '../../../base-command.ts';
import { renderList } from '../../../output/table.ts';

export default class AdminClientsList extends AdminCommand {
  static override readonly summary = "List the OAuth 2.0 clients of leasectl's own service";
  static override readonly examples = ['<%= config.bin %> admin clients list'];
  static override readonly flags = listFlags;

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { flags } = await this.parse(AdminClientsList);
    const { client } = await this.connect(flags);
    const answer = await client.clients();
    const rows = answer.map(({ name, client_id, scope }) => [name, client_id, scope]);
    return { data: answer, text: (style) => renderList(['NAME', 'ID', 'SCOPE'], rows, style) };
  }
}
