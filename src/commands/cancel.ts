import { string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { HolderCommand } from '../holder-command.ts';

export default class Cancel extends HolderCommand {
  static override readonly summary = 'Finish a lease: the work is not wanted any more';
  static override readonly description =
    'The key then reads as failed, with the error "canceled" or "canceled:REASON".';
  static override readonly examples = ['<%= config.bin %> cancel hello --reason user_requested'];
  static override readonly args = HolderCommand.holderArgs;
  static override readonly flags = {
    ...HolderCommand.holderFlags,
    reason: string({ description: 'Why it is canceled', helpValue: 'TEXT' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Cancel);
    const { key } = args;
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    const connection = await this.connect(flags);
    const leaseId = await this.handleOf(key, flags['lease-id'], connection);
    const call = () => connection.client.cancel({ key, lease_id: leaseId, ...reason });
    return this.finish(key, leaseId, connection, call, 'canceled');
  }
}
