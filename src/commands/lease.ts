import { boolean } from '@oclif/core/flags';
import { AcquireCommand } from '../acquire-command.ts';
import type { Answer } from '../base-command.ts';
import { required } from '../positional.ts';

export default class Lease extends AcquireCommand {
  static override readonly summary = 'Acquire a lease on a key, or learn for how long it is held';
  static override readonly description = [
    'Exit code 0 means that the lease is yours, 11 that somebody else holds it, 7 that',
    'the key is already finished. This machine remembers the handle of the lease, so that',
    'extend, complete, cancel and fail need only the key. The handle, the lease_id, is a',
    'secret: it is shown with --json, --field and --query only.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> lease hello --ttl 60s',
    '<%= config.bin %> lease support_chat_001 --ttl 30m --meta agent_id=support_bot --meta ticket_id=TCK-123',
    {
      description: 'Note an object with it, from stdin, and print the answer with the handle:',
      command:
        'echo \'{"ticket": 7}\' | <%= config.bin %> <%= command.id %> ticket-7 --metadata - --json',
    },
  ];
  static override readonly args = { key: required('Key to lease', 'key') };
  static override readonly flags = {
    ...AcquireCommand.acquireFlags,
    idempotent: boolean({
      description:
        'Succeed if this machine holds the lease already (with --json its status is then "polling")',
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Lease);
    const request = await this.leaseRequest(args.key, flags);
    const connection = await this.connect(flags);
    const origin = await this.origin(flags);
    return this.acquire(connection, 'lease', request, { isIdempotent: flags.idempotent, origin });
  }
}
