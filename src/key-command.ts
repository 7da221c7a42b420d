import { string } from '@oclif/core/flags';
import { BaseCommand } from './base-command.ts';
import type { Connection } from './context.ts';
import { parseDuration } from './domain/duration.ts';
import { Failure } from './domain/failure.ts';
import { isJsonObject, type JsonObject, parseJson } from './domain/json.ts';
import { quoted } from './domain/shell.ts';
import type { Ledger } from './ledger/ledger.ts';
import { lookAt, type OnceOnlyClient } from './services/onceonly/client.ts';

export type KeyConnection = Connection<OnceOnlyClient>;

const DEFAULT_TIMEOUT = '30s';
/** Seconds. Who wants to wait for longer waits outside. */
const TIMEOUT_RANGE = { min: 1, max: 3_600 };

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
      timeout: parseDuration(flags.timeout ?? DEFAULT_TIMEOUT, '--timeout', TIMEOUT_RANGE) * 1000,
      version: this.config.version,
    });
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
      const value = (await terminal.readValue(given, '--lease-id')).trim();
      if (value !== '') return redactor.add(value);
      throw new Failure('usage', '--lease-id is empty.', {
        hint: 'Give the lease_id, @FILE or -.',
      });
    }
    const address = addressOf(key);
    const held = (await this.context.ledger()).find(address);
    if (held) return redactor.add(held.handle);
    const { words, isFinished } = await lookAt(() => client.look(key));
    const message = `This machine holds no lease on ${key} (profile ${address.profile}); it is ${words}.`;
    throw isFinished
      ? new Failure('conflict', message, { hint: seeResult(key) })
      : new Failure('usage', message, {
          hint: 'Take it with leasectl lease, name another --profile, or give its --lease-id.',
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
      return await call();
    } catch (error) {
      if (!(error instanceof Failure) || !isOver(error)) throw error;
      if (error.code !== 'lease_lost') {
        await this.note((ledger) => ledger.forget(connection.addressOf(key), leaseId));
      }
      const { words, isFinished } = await lookAt(() => connection.client.look(key));
      const stop = error.code === 'lease_lost' ? 'Stop what relied on it. ' : '';
      const next = isFinished ? seeResult(key) : `To take it again: leasectl lease ${quoted(key)}`;
      throw new Failure(error.code, `${error.message} ${key} is now ${words}.`, {
        hint: `${stop}${next}`,
        service: error.service,
        status: error.status,
        reason: error.reason,
        cause: error,
      });
    }
  }

  /** Brings the ledger up to date. The service has answered: what fails here is only told. */
  protected async note(change: (ledger: Ledger) => void): Promise<void> {
    try {
      change(await this.context.ledger());
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.notice(`Warning: the ledger of this machine could not be brought up to date: ${why}`);
    }
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
    const parsed = parseJson(text);
    const inexact = parsed === undefined ? undefined : inexactNumber(text);
    if (inexact !== undefined) {
      throw new Failure('usage', `${flag}: ${inexact} is not exact as a JSON number.`, {
        hint: 'Write it as a string, in quotes.',
      });
    }
    if (isJsonObject(parsed)) return parsed;
    const what = parsed === undefined ? 'is not valid JSON' : 'is not a JSON object';
    throw new Failure('usage', `${flag} ${what}.`, {
      hint: 'Give an object like {"status": "ok"}, @FILE to read a file, or - to read stdin.',
    });
  }
}

function seeResult(key: string): string {
  return `What is stored: leasectl result ${quoted(key)}`;
}

/** Whether the service says that the handle will never be good for anything again. */
function isOver({ code, reason }: Failure): boolean {
  return code === 'lease_lost' || reason === 'already_finished';
}

/** The first number in a JSON text that would not arrive as it is written, e.g. a 64-bit id. */
function inexactNumber(json: string): string | undefined {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g) ?? [];
  return tokens.find((token) => {
    if (token.startsWith('"')) return false;
    const value = Number(token);
    return !Number.isFinite(value) || (/^-?\d+$/.test(token) && BigInt(token) !== BigInt(value));
  });
}
