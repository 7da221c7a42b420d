import type { NeededService } from './capability.ts';
import type { Connection } from './connect.ts';
import { Failure } from './domain/failure.ts';
import { sentences } from './domain/nearest.ts';
import { quoted } from './domain/shell.ts';
import type { Scope } from './engine/access.ts';
import { handleIn } from './given-handle.ts';
import { ServiceCommand } from './service-command.ts';
import { type KeyState, lookAt, type OnceOnlyClient } from './services/onceonly/client.ts';

export type KeyConnection = Connection<OnceOnlyClient>;

/** What the commands on keyed leases share: the connection, and the handles of this machine. */
export abstract class KeyCommand extends ServiceCommand {
  // oclif stops looking for what is inherited at a class without statics of its own.
  static override readonly baseFlags = ServiceCommand.baseFlags;
  static readonly service = 'onceonly' satisfies NeededService;
  static readonly scopes: readonly Scope[] = ['keys:write'];

  protected connect(
    flags: Parameters<ServiceCommand['connectOptions']>[0],
  ): Promise<KeyConnection> {
    return this.context.onceOnly(this.connectOptions(flags));
  }

  /**
   * The handle to show for a key: the given one, else the one this machine remembers, also when it
   * should have run out: the service decides that.
   *
   * @throws Failure `usage` when there is neither, `conflict` when the key is finished anyway
   */
  protected async handleOf(
    key: string,
    given: string | undefined,
    { addressOf, client }: KeyConnection,
  ): Promise<string> {
    const { redactor, terminal } = this.context;
    if (given !== undefined) {
      if (given === '-' && terminal.isInteractive('stdin')) {
        throw new Failure('usage', '--lease-id - would show the handle while you type it.', {
          hint: 'Give it in a pipe, or in a file: --lease-id @FILE',
        });
      }
      const text = await terminal.readValue(given, '--lease-id');
      return handleIn(text, 'lease_id', '--lease-id', redactor).handle;
    }
    const address = addressOf(key);
    const held = (await this.context.ledger()).find(address);
    if (held) return redactor.add(held.handle);
    const { words, kind } = await lookAt(() => client.look(key));
    const message = `This machine holds no lease on ${key} (profile ${address.profile}); it is ${words}.`;
    throw kind === 'finished'
      ? new Failure('conflict', message, { hint: seeResult(key) })
      : new Failure('usage', message, {
          hint: sentences(await this.didYouMean(address), WITHOUT_HANDLE[kind](quoted(key))),
        });
  }

  /**
   * Runs a holder's call. When the service rejects the handle, the failure says what the key's
   * state is now. A lost handle stays in the ledger: the next command is to fail in the same way.
   */
  protected async asHolder<T>(
    key: string,
    leaseId: string,
    connection: KeyConnection,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return await this.askAbout(connection.addressOf(key), call);
    } catch (error) {
      if (!(error instanceof Failure) || !isOver(error)) throw error;
      if (error.code !== 'lease_lost') {
        await this.note((ledger) => ledger.forget(connection.addressOf(key), leaseId));
      }
      const { words, kind } = await lookAt(() => connection.client.look(key));
      const stop = error.code === 'lease_lost' ? 'Stop what relied on it. ' : '';
      const next = kind === 'finished' ? seeResult(key) : AFTERWARDS[kind](quoted(key));
      throw new Failure(error.code, `${error.message} ${key} is now ${words}.`, {
        hint: `${stop}${next}`,
        service: error.service,
        status: error.status,
        reason: error.reason,
        cause: error,
      });
    }
  }
}

type Unfinished = Exclude<KeyState['kind'], 'finished'>;
type Hints = Readonly<Record<Unfinished, (key: string) => string>>;

/** What to do without a handle. */
const WITHOUT_HANDLE: Hints = {
  held: (key) =>
    `Name another --profile, give its --lease-id, or wait for the work to end: leasectl wait ${key}`,
  free: (key) => `Name another --profile, give its --lease-id, or take it: leasectl lease ${key}`,
  unknown: () => 'Name another --profile, or give its --lease-id.',
};

/** What to do with a handle that is good for nothing any more. */
const AFTERWARDS: Hints = {
  held: (key) => `Another lease is in force. To wait for the work to end: leasectl wait ${key}`,
  free: (key) => `To take it again: leasectl lease ${key}`,
  unknown: (key) => `See who has it now: leasectl status ${key}`,
};

function seeResult(key: string): string {
  return `What is stored: leasectl result ${quoted(key)}`;
}

/** Whether the service says that the handle will never be good for anything again. */
function isOver({ code, reason }: Failure): boolean {
  return code === 'lease_lost' || reason === 'already_finished';
}
