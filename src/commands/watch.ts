import { boolean } from '@oclif/core/flags';
import { kindFlag, kindOf } from '../admin-command.ts';
import { colorFlags } from '../answer-view.ts';
import type { NeededService } from '../capability.ts';
import { Failure } from '../domain/failure.ts';
import { optional } from '../positional.ts';
import { connectFlags, ServiceCommand } from '../service-command.ts';

/** Whoever watches is to learn soon that a service does not answer. */
const PATIENCE = '5s';

export default class Watch extends ServiceCommand {
  static readonly service = 'any' satisfies NeededService;
  static override readonly summary = 'Watch leases as they are taken, renewed, lost and ended';
  static override readonly description = [
    "Without a KEY it shows this machine's leases, of all profiles; with --all everybody's, of",
    "leasectl's own service. On a terminal they are a table that is kept up to date: ? tells its",
    'keys. In a pipe, and with --json, each event is a line of JSON.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> watch',
    '<%= config.bin %> watch hello --json',
    '<%= config.bin %> watch --all',
  ];
  // oclif looks at no more than one: there may be several.
  static override readonly strict = false;
  static override readonly args = {
    id: optional("Keys, or ids of jobs, of anybody's leases [default: this machine's]", 'lease'),
  };
  // It prints no answer, so there is nothing to choose of one.
  static override readonly baseFlags = { ...colorFlags, ...connectFlags };
  static override readonly flags = {
    all: boolean({
      description: "Watch everybody's leases, of leasectl's own service; takes the scope admin",
    }),
    kind: kindFlag('What the leases are on [default: as their ids look, and services are known]'),
  };

  protected override async execute(): Promise<number> {
    const { argv, flags } = await this.parse(Watch);
    const ids = argv.map(String);
    if (flags.all && ids.length > 0) {
      throw new Failure('usage', '--all watches every lease: it takes no KEY.', {
        hint: `Leave --all out, or: leasectl watch --all`,
      });
    }
    const { runWatch } = await import('../watch-run.ts');
    return runWatch({
      ids: [...new Set(ids)],
      isAll: flags.all,
      kind: kindOf(flags.kind),
      context: this.context,
      connect: {
        ...this.connectOptions({ ...flags, timeout: flags.timeout ?? PATIENCE }),
        progress: undefined,
      },
      isJson: this.jsonEnabled(),
      argv: this.argv,
    });
  }

  override async finally(): Promise<void> {
    const { leave } = await import('../watch-run.ts');
    await leave(this.context.terminal, super.finally());
  }
}
