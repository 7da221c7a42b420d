import { string } from '@oclif/core/flags';
import { checkName, parseScopes, scopeFlag } from '../../../access-flags.ts';
import { ADMIN_CHANGING_FLAGS, AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { parseDuration } from '../../../domain/duration.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';
import { LONGEST_LIFETIME } from '../../../services/admin/wire.ts';
import { tokenDetails } from '../../../token-view.ts';

export default class AdminTokensAdd extends AdminCommand {
  static override readonly summary =
    "Add an access token to leasectl's own service, and show it once";
  static override readonly description = [
    'Whoever shows it to the service may do what its scopes allow, in its namespace. It is',
    'shown now and never again: the service keeps a digest of it only. The first one is made',
    'in the database itself, before anything is served: with --database.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin tokens add ci --scope keys:read,keys:write --expires 90d',
    '<%= config.bin %> <%= command.id %> root --scope admin --database leases.db --field token > root-token',
  ];
  static override readonly args = { name: required('Name of the token, for whom it is') };
  static override readonly baseFlags = ADMIN_CHANGING_FLAGS;
  static override readonly flags = {
    scope: scopeFlag(),
    expires: string({
      description: 'How long it is good for [default: until it is revoked]',
      helpValue: 'DURATION',
    }),
  };

  protected override readonly makesDatabase = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminTokensAdd);
    const name = checkName(args.name, 'a token');
    const scope = parseScopes(flags.scope);
    const range = { min: 1, max: LONGEST_LIFETIME };
    const lifetime =
      flags.expires === undefined
        ? {}
        : { expires_in: parseDuration(flags.expires, '--expires', range) };
    const { client } = await this.connect(flags);
    const answer = await client.addToken({ name, scope, ...lifetime });
    const token = this.context.redactor.add(answer.token);
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [['Token', token, 'whole'], ...tokenDetails(answer, this.context.now(), style)],
          style,
        ),
    };
  }
}
