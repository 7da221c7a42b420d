import { string } from '@oclif/core/flags';
import { BaseCommand } from './base-command.ts';
import type { Connection } from './context.ts';
import { parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject } from './domain/json.ts';
import { quoted } from './domain/shell.ts';
import { lookAt, type OnceOnlyClient } from './services/onceonly/client.ts';

export type KeyConnection = Connection<OnceOnlyClient>;

const DEFAULT_TIMEOUT = '30s';

/** What the commands on keyed leases share: flags, the connection, and the handles of this machine. */
export abstract class KeyCommand extends BaseCommand {
  static override readonly baseFlags = {
    ...BaseCommand.baseFlags,
    profile: string({
      description: 'Profile to use instead of the default one',
      helpGroup: 'GLOBAL',
      helpValue: 'NAME',
    }),
    timeout: string({
      description: `How long to try before giving up on a hosted service [default: ${DEFAULT_TIMEOUT}]`,
      helpGroup: 'GLOBAL',
      helpValue: 'DURATION',
    }),
  };

  protected connect(flags: {
    profile?: string | undefined;
    timeout?: string | undefined;
  }): Promise<KeyConnection> {
    return this.context.onceOnly({
      profile: flags.profile,
      timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout') * 1000,
      version: this.config.version,
    });
  }

  /**
   * The handle to show for a key: the given one, else the one this machine remembers, also when it
   * should have run out: the service decides that.
   *
   * @throws Failure `usage` when there is neither
   */
  protected async handleOf(
    key: string,
    given: string | undefined,
    { addressOf }: KeyConnection,
  ): Promise<string> {
    const { redactor, terminal } = this.context;
    if (given !== undefined) {
      const value = (await terminal.readValue(given, '--lease-id')).trim();
      if (value !== '') return redactor.add(value);
      throw new Failure('usage', '--lease-id is empty.', {
        hint: 'Give the lease_id, @FILE or -.',
      });
    }
    const address = addressOf(key);
    const held = (await this.context.ledger()).find(address);
    if (held) return redactor.add(held.handle);
    throw new Failure(
      'usage',
      `This machine holds no lease on ${key} (profile ${address.profile}).`,
      {
        hint: 'Take it with leasectl lease, name another --profile, or give its --lease-id.',
      },
    );
  }

  /**
   * Runs a holder's call. When the service rejects the handle it is forgotten, and the failure
   * says what the key's state is now.
   */
  protected async asHolder<T>(
    key: string,
    leaseId: string,
    connection: KeyConnection,
    call: () => Promise<T>,
  ): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Failure) || !isOver(error)) throw error;
      await this.forget(key, leaseId, connection);
      const { words, mayLease } = await lookAt(key, connection.client.status);
      const stop = error.code === 'lease_lost' ? 'Stop what relied on it. ' : '';
      const next = mayLease
        ? 'To take it again: leasectl lease'
        : 'What is stored: leasectl result';
      throw new Failure(error.code, `${error.message} ${key} is now ${words}.`, {
        hint: `${stop}${next} ${quoted(key)}`,
        service: error.service,
        status: error.status,
        reason: error.reason,
        cause: error,
      });
    }
  }

  protected async forget(
    key: string,
    leaseId: string,
    { addressOf }: KeyConnection,
  ): Promise<void> {
    (await this.context.ledger()).forget(addressOf(key), leaseId);
  }

  /**
   * Reads a flag whose value is a JSON object, `@FILE` or `-`.
   *
   * @throws Failure `usage` for anything but an object
   */
  protected async readObject(
    value: string | undefined,
    flag: string,
  ): Promise<JsonObject | undefined> {
    if (value === undefined) return undefined;
    const text = await this.context.terminal.readValue(value, flag);
    const parsed = tryParse(text);
    if (isJsonObject(parsed)) return parsed;
    const what = parsed === undefined ? 'is not valid JSON' : 'is not a JSON object';
    throw new Failure('usage', `${flag} ${what}.`, {
      hint: 'Give an object like {"status": "ok"}, @FILE to read a file, or - to read stdin.',
    });
  }
}

/** Whether the service says that the handle will never be good for anything again. */
function isOver({ code, reason }: Failure): boolean {
  return code === 'lease_lost' || reason === 'already_finished';
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
