import { string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { parseDuration } from '../domain/duration.ts';
import { HolderCommand } from '../holder-command.ts';
import { renderDetails } from '../output/table.ts';
import { timeLeft } from '../output/time.ts';

export default class Extend extends HolderCommand {
  static override readonly summary = 'Hold a lease for longer';
  static override readonly description = [
    'Sets the time left to --ttl, counted from now; without --ttl, to what the lease was',
    'acquired with. Exit code 14 means that the lease is no longer yours: stop what',
    'relied on it.',
  ].join(' ');
  static override readonly examples = ['<%= config.bin %> extend hello --ttl 15m'];
  static override readonly args = HolderCommand.holderArgs;
  static override readonly flags = {
    ...HolderCommand.holderFlags,
    ttl: string({ description: 'Time left from now on, 1s to 30d', helpValue: 'DURATION' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Extend);
    const { key } = args;
    const ttl = flags.ttl === undefined ? {} : { ttl: parseDuration(flags.ttl, '--ttl') };
    const connection = await this.connect(flags);
    const leaseId = await this.handleOf(key, flags['lease-id'], connection);
    const sentAt = this.context.now();
    const answer = await this.asHolder(key, leaseId, connection, () =>
      connection.client.extend({ key, lease_id: leaseId, ...ttl }),
    );
    const endsAt = sentAt + answer.ttl * 1000;
    await this.note((ledger) => ledger.prolong(connection.addressOf(key), leaseId, endsAt));
    return {
      data: answer,
      text: (style) =>
        renderDetails(
          [
            ['Key', answer.key],
            ['Status', answer.status],
            ['Until', timeLeft(endsAt, this.context.now(), style)],
            ['Version', answer.version],
            ['Profile', connection.target.profile],
          ],
          style,
        ),
    };
  }
}
