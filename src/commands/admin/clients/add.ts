import { checkName, parseScopes, scopeFlag } from '../../../access-flags.ts';
import { ADMIN_CHANGING_FLAGS, AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminClientsAdd extends AdminCommand {
  static override readonly summary =
    "Add an OAuth 2.0 client to leasectl's own service, and show its secret once";
  static override readonly description = [
    'For when the service is served on a port: the client then gets access tokens at',
    '/api/v1/oauth/token. Within a command the embedded service asks for no token. The',
    'secret is shown now and never again: the service keeps a digest of it only.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin clients add build-agent --scope jobs:claim,jobs:heartbeat,jobs:submit',
  ];
  static override readonly args = { name: required('Name of the client') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;
  static override readonly flags = { scope: scopeFlag() };

  protected override readonly makesDatabase = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminClientsAdd);
    const name = checkName(args.name, 'a client');
    const scope = parseScopes(flags.scope);
    const { client } = await this.connect(flags);
    const answer = await client.addClient({ name, scope });
    this.context.redactor.add(answer.client_secret);
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Client', answer.name],
            ['Id', answer.client_id, 'whole'],
            ['Secret', answer.client_secret, 'whole'],
            ['Scope', answer.scope],
          ],
          style,
        ),
    };
  }
}
