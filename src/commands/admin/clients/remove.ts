import { ADMIN_CHANGING_FLAGS, AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { required } from '../../../positional.ts';

export default class AdminClientsRemove extends AdminCommand {
  static override readonly summary = "Remove an OAuth 2.0 client of leasectl's own service";
  static override readonly description =
    'The access tokens that it got are no longer known from then on.';
  static override readonly examples = ['<%= config.bin %> admin clients remove build-agent'];
  static override readonly args = { name: required('Name of the client') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminClientsRemove);
    const { client } = await this.connect(flags);
    const answer = await client.removeClient(args.name);
    return { data: answer, text: () => `Removed ${args.name}.` };
  }
}
