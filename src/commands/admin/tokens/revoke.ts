import { ADMIN_CHANGING_FLAGS, AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';
import { tokenDetails } from '../../../token-view.ts';

export default class AdminTokensRevoke extends AdminCommand {
  static override readonly summary = "Revoke an access token of leasectl's own service";
  static override readonly description =
    'Within a second nobody gets anything for it any more. It stays listed, and its name taken.';
  static override readonly examples = ['<%= config.bin %> admin tokens revoke ci'];
  static override readonly args = { name: required('Name of the token') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminTokensRevoke);
    const { client } = await this.connect(flags);
    const answer = await client.revokeToken(args.name);
    return {
      data: answer,
      text: (style) => renderDetails(tokenDetails(answer, this.context.now(), style), style),
    };
  }
}
