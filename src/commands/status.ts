import type { Answer } from '../base-command.ts';
import type { Scope } from '../engine/access.ts';
import { KeyCommand } from '../key-command.ts';
import type { LeaseAddress } from '../ledger/ledger.ts';
import { renderDetails } from '../output/table.ts';
import { serviceTime, timeLeft } from '../output/time.ts';
import { required } from '../positional.ts';
import type { StatusResponse } from '../services/onceonly/wire.ts';

const OURS = ' (held by this machine)';

export default class Status extends KeyCommand {
  static override readonly scopes: readonly Scope[] = ['keys:read'];
  static override readonly summary = 'Show the state of a key';
  static override readonly description = [
    'A lease that ran out reads as failed, with the error "expired", until somebody',
    'acquires the key again. Exit code 3 means that nothing is known of the key.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> status hello',
    '<%= config.bin %> status hello --json',
  ];
  static override readonly args = {
    key: required('Key to look at', 'key'),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Status);
    const { client, target, addressOf } = await this.connect(flags);
    const address = addressOf(args.key);
    const sentAt = this.context.now();
    const answer = await this.askAbout(address, () => client.status(args.key));
    const endsAt = answer.ttl_left == null ? undefined : sentAt + answer.ttl_left * 1000;
    return {
      data: answer,
      text: async (style) =>
        renderDetails(
          [
            ['Key', answer.key],
            ['Status', `${answer.status}${(await this.#isOurs(answer, address)) ? OURS : ''}`],
            ['Until', endsAt && timeLeft(endsAt, this.context.now(), style)],
            ['First seen', serviceTime(answer.first_seen_at, style)],
            ['Finished', serviceTime(answer.done_at, style)],
            ['Error', answer.error_code],
            ['Result hash', answer.result_hash],
            ['Version', answer.version],
            ['Profile', target.profile],
          ],
          style,
        ),
    };
  }

  async #isOurs({ status, lease_id }: StatusResponse, address: LeaseAddress): Promise<boolean> {
    if (status !== 'in_progress' || !lease_id) return false;
    const { isHeldHere } = await import('../ledger/look.ts');
    return isHeldHere(this.context.paths.handles, address, lease_id);
  }
}
