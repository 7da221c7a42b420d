import { boolean, string } from '@oclif/core/flags';
import type { NeededService } from './capability.ts';
import type { Connection } from './connect.ts';
import { Failure } from './domain/failure.ts';
import { sentences } from './domain/nearest.ts';
import type { Scope } from './engine/access.ts';
import { readGivenHandle } from './given-handle.ts';
import { optional } from './positional.ts';
import { ServiceCommand } from './service-command.ts';
import type { AskUiClient } from './services/askui/client.ts';

export type RunnerJobConnection = Connection<AskUiClient>;

/** What proves that this runner has the job. */
export interface HeldAck {
  readonly ack: string;
  /** Undefined when an ack was given without the id of its job. */
  readonly id: string | undefined;
}

/** What the commands on runner jobs share: the connection, and the acks of this machine. */
export abstract class RunnerJobCommand extends ServiceCommand {
  static readonly service = 'askui' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['runner-jobs'];
  // oclif sees a command's own args and flags only: each has to name these.
  static readonly holderArgs = {
    job: optional(
      'Id of a job that you leased [default: the only one that this machine holds]',
      'held-runner-job',
    ),
  };
  static readonly ackFlags = {
    'ack-stdin': boolean({
      description: 'Read the ack from stdin, instead of what this machine remembers',
      exclusive: ['handle-file'],
    }),
    'handle-file': string({
      description:
        'Read the ack from a file (- for stdin), alone or as what runner-jobs lease --json printed',
      helpValue: 'FILE|-',
    }),
  };

  protected connect(
    flags: Parameters<ServiceCommand['connectOptions']>[0],
  ): Promise<RunnerJobConnection> {
    return this.context.askUi(this.connectOptions(flags));
  }

  /**
   * The ack to show: the given one, else the one that this machine remembers for the job, or for
   * the only job that it holds.
   *
   * @throws Failure `usage` when there is none, or no telling which
   */
  protected async ackOf(
    job: string | undefined,
    flags: { readonly 'ack-stdin': boolean; readonly 'handle-file'?: string | undefined },
    { addressOf }: RunnerJobConnection,
  ): Promise<HeldAck> {
    const source = {
      stdinFlag: '--ack-stdin',
      isOnStdin: flags['ack-stdin'],
      file: flags['handle-file'],
      field: 'ack',
    };
    const given = await readGivenHandle(source, this.context);
    if (given) {
      const told = typeof given.answer['id'] === 'string' ? given.answer['id'] : undefined;
      if (job === undefined || told === undefined || job === told) {
        return { ack: given.handle, id: job ?? told };
      }
      throw new Failure('usage', `The handle that was given is of job ${told}.`, {
        hint: `Give that job's id, or the handle of ${job}.`,
      });
    }
    const ledger = await this.context.ledger();
    const id = job ?? onlyOne(ledger.idsAt(addressOf('')), addressOf('').profile);
    const held = ledger.find(addressOf(id));
    if (held) return { ack: this.context.redactor.add(held.handle), id };
    throw new Failure(
      'usage',
      `This machine holds no lease on job ${id} (profile ${addressOf(id).profile}).`,
      {
        hint: sentences(
          'Name another --profile, or give its ack with --handle-file or --ack-stdin.',
          await this.didYouMean(addressOf(id)),
        ),
      },
    );
  }
}

function onlyOne(ids: readonly string[], profile: string): string {
  const [id] = ids;
  if (id === undefined) {
    throw new Failure('usage', `This machine holds no job (profile ${profile}).`, {
      hint: 'Lease one with leasectl runner-jobs lease, or give an ack with --handle-file or --ack-stdin.',
    });
  }
  if (ids.length === 1) return id;
  throw new Failure(
    'usage',
    `This machine has the handles of ${ids.length} jobs (profile ${profile}).`,
    {
      hint: `Say which: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}`,
    },
  );
}
