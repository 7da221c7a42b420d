import { string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { HolderCommand } from '../holder-command.ts';

export default class Fail extends HolderCommand {
  static override readonly summary = 'Finish a lease: the work went wrong';
  static override readonly description =
    'A failed key is not leased again for seven days. Its error code is what status and result show.';
  static override readonly examples = ['<%= config.bin %> fail hello --error-code connection_lost'];
  static override readonly args = HolderCommand.holderArgs;
  static override readonly flags = {
    ...HolderCommand.holderFlags,
    'error-code': string({ description: 'What went wrong', helpValue: 'CODE', required: true }),
    'error-hash': string({ description: 'Digest that tells like errors apart', helpValue: 'HASH' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Fail);
    const { key } = args;
    const hash = flags['error-hash'];
    const connection = await this.connect(flags);
    const leaseId = await this.handleOf(key, flags['lease-id'], connection);
    return this.finish(key, leaseId, connection, () =>
      connection.client.fail({
        key,
        lease_id: leaseId,
        error_code: flags['error-code'],
        ...(hash === undefined ? {} : { error_hash: hash }),
      }),
    );
  }
}
