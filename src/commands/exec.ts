import { string } from '@oclif/core/flags';
import type { NeededService } from '../capability.ts';
import { parseDuration } from '../domain/duration.ts';
import type { Scope } from '../engine/access.ts';
import { ExecCommand } from '../exec-command.ts';
import { required } from '../positional.ts';

export default class Exec extends ExecCommand {
  static readonly service = 'onceonly' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['keys:write'];
  static override readonly summary = 'Hold a lease on a key while a command runs';
  static override readonly description = [
    'Takes the lease, renews it, and finishes it as the command ends: completed with 0,',
    'else failed. The exit code is that of the command; or 11 when somebody else holds',
    'the lease, 7 when the key is already finished, 10 when --wait was in vain. When the',
    'lease is lost the command is stopped before it ends, and the exit code is 14.',
  ].join(' ');
  static override readonly usage = 'exec KEY [flags] -- COMMAND [ARGS…]';
  static override readonly examples = [
    '<%= config.bin %> exec hello -- echo "this runs once"',
    "<%= config.bin %> exec nightly --ttl 5m --wait 10m --shell -- 'date > last-run && cat last-run'",
  ];
  static override readonly args = { key: required('Key to hold', 'key') };
  static override readonly flags = {
    ttl: string({
      description: 'How long the lease lasts unless it is renewed, which it is in time; 1s to 30d',
      helpValue: 'DURATION',
      default: '60s',
    }),
    ...ExecCommand.execFlags,
    ...ExecCommand.resultFlags,
  };

  protected async execute(): Promise<number> {
    const { own, command } = this.split();
    const { args, flags } = await this.parse(Exec, own);
    const request = { key: args.key, ttl: parseDuration(flags.ttl, '--ttl') };
    return this.exec(command, flags, async () => {
      const { keyWork } = await import('../key-work.ts');
      const connection = await this.context.onceOnly(this.connectOptions(flags));
      return keyWork(request, connection, await this.workHost(flags));
    });
  }
}
