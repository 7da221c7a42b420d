import { string } from '@oclif/core/flags';
import type { Answer } from './base-command.ts';
import { KeyCommand, type KeyConnection } from './key-command.ts';
import { renderDetails } from './output/table.ts';
import { required } from './positional.ts';
import { CHANGING_FLAGS } from './service-command.ts';
import type { FinishResponse } from './services/onceonly/wire.ts';

/** What the commands that only a key's holder may use share. */
export abstract class HolderCommand extends KeyCommand {
  static override readonly baseFlags = CHANGING_FLAGS;
  // oclif sees a command's own args only: each has to name these.
  static readonly holderArgs = {
    key: required('Key whose lease you hold', 'held-key'),
  };
  static readonly holderFlags = {
    'lease-id': string({
      description: 'Handle of the lease, instead of the one that this machine remembers',
      helpValue: 'ID|@FILE|-',
    }),
  };

  /**
   * Ends a lease, forgets its handle, and tells how it ended.
   *
   * @param how what the service's status does not say of it
   */
  protected async finish(
    key: string,
    leaseId: string,
    connection: KeyConnection,
    call: () => Promise<FinishResponse>,
    how?: string,
  ): Promise<Answer> {
    const answer = await this.asHolder(key, leaseId, connection, call);
    await this.note((ledger) => ledger.forget(connection.addressOf(key), leaseId));
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Key', answer.key],
            ['Status', how ? `${answer.status} (${how})` : answer.status],
            ['Version', answer.version],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
