import { boolean, string } from '@oclif/core/flags';
import type { Answer } from '../base-command.ts';
import { HolderCommand } from '../holder-command.ts';
import { WorkDirectory } from '../work-directory.ts';

export default class Complete extends HolderCommand {
  static override readonly summary = 'Finish a lease: the work is done';
  static override readonly description = [
    'A completed key is not leased again for seven days. If the answer is lost, run the',
    'same command again: it changes nothing and answers the same.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> complete hello',
    {
      description: 'Store a result, from stdin:',
      command:
        'echo \'{"status": "resolved", "messages": 15}\' | <%= config.bin %> <%= command.id %> hello --result -',
    },
  ];
  static override readonly args = HolderCommand.holderArgs;
  static override readonly flags = {
    ...HolderCommand.holderFlags,
    result: string({ description: 'Object to store as the result', helpValue: 'JSON|@FILE|-' }),
    'result-hash': string({
      description: 'Digest of the result, for others to compare',
      helpValue: 'HASH',
    }),
    resume: boolean({
      description: 'Finish what exec could not, with the result that it kept',
      exclusive: ['result', 'result-hash', 'lease-id'],
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(Complete);
    const { key } = args;
    const given = await this.readObject(flags.result, '--result');
    const hash = flags['result-hash'];
    const connection = await this.connect(flags);
    const leaseId = await this.handleOf(key, flags['lease-id'], connection);
    const address = connection.addressOf(key);
    const kept = new WorkDirectory(this.context.workDirectory, address, leaseId);
    if (flags.resume) kept.assertUnfinished(key);
    const result = flags.resume ? kept.readResult() : given;
    const answer = await this.finish(key, leaseId, connection, () =>
      connection.client.complete({
        key,
        lease_id: leaseId,
        ...(result ? { result } : {}),
        ...(hash === undefined ? {} : { result_hash: hash }),
      }),
    );
    if (flags.resume) kept.remove();
    return answer;
  }
}
