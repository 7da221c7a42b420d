import { string } from '@oclif/core/flags';
import { AdminCommand } from '../../../admin-command.ts';
import type { Answer } from '../../../base-command.ts';
import { Failure } from '../../../domain/failure.ts';
import { SCOPES, type Scope } from '../../../engine/access.ts';
import { renderDetails } from '../../../output/table.ts';
import { required } from '../../../positional.ts';

export default class AdminClientsAdd extends AdminCommand {
  static override readonly summary =
    'Add an OAuth 2.0 client to the embedded service, and show its secret once';
  static override readonly description = [
    'For when the service is served on a port: the client then gets access tokens at',
    '/api/v1/oauth/token. Within a command the embedded service asks for no token. The',
    'secret is shown now and never again: the service keeps a digest of it only.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin clients add build-agent --scope jobs:claim,jobs:heartbeat,jobs:submit',
  ];
  static override readonly args = { name: required('Name of the client') };
  static override readonly flags = {
    scope: string({
      description: `What it may do, separated by commas: ${SCOPES.join(', ')}`,
      helpValue: 'LIST',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(AdminClientsAdd);
    const { name } = args;
    if (!/^[\x21-\x7e]{1,64}$/.test(name)) throw badName(name);
    const scopes = parseScopes(flags.scope);
    const access = await this.context.access();
    const added = await access.addClient(name, scopes);
    if (!added) {
      throw new Failure('conflict', `There is a client ${name} already.`, {
        hint: 'Take another name: a secret cannot be shown again.',
      });
    }
    const { id } = added;
    const secret = this.context.redactor.add(added.secret);
    return {
      data: { client_id: id, client_secret: secret, name, scope: scopes.join(' ') },
      text: (style) =>
        renderDetails(
          [
            ['Client', name],
            ['Id', id, 'whole'],
            ['Secret', secret, 'whole'],
            ['Scope', scopes.join(' ')],
          ],
          style,
        ),
    };
  }
}

function badName(name: string): Failure {
  return new Failure('usage', `${JSON.stringify(name)} is no name for a client.`, {
    hint: 'A name has 1 to 64 visible ASCII characters, without spaces.',
  });
}

function parseScopes(lists: readonly string[]): Scope[] {
  const names = lists.flatMap((list) => list.split(/[\s,]+/)).filter(Boolean);
  const unknown = names.find((name) => !SCOPES.some((scope) => scope === name));
  if (unknown === undefined && names.length > 0) {
    return SCOPES.filter((scope) => names.includes(scope));
  }
  throw new Failure('usage', `--scope knows no ${JSON.stringify(unknown ?? '')}.`, {
    hint: `There are ${SCOPES.join(', ')}.`,
  });
}
