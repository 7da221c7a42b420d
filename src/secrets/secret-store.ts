import * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import type { Keyring, Outcome } from './keyring.ts';

const Text = z.string().check(z.minLength(1));

/**
 * A secret as a profile's file holds it: itself; the name that it has in the system's keyring, with
 * what may be shown of it; or a shell command that prints it.
 */
export const StoredSecret = z.lazy(() =>
  z.union([
    Text,
    z.object({ keyring: Text, tail: z.optional(z.string()) }),
    z.object({ command: Text }),
  ]),
);
export type StoredSecret = z.infer<typeof StoredSecret>;

/** Where a secret can be kept. */
export const STORAGES = ['keyring', 'file'] as const;
export type Storage = (typeof STORAGES)[number];

export interface Kept {
  /** What belongs into the profile's file. */
  readonly stored: StoredSecret;
  /** Whether it is in the file only because there is no keyring that takes it. */
  readonly fellBack: boolean;
  /** Then: why, to be put in brackets or behind a colon. */
  readonly why?: string;
}

export type Probe =
  | { readonly available: true; readonly name: string }
  | { readonly available: false; readonly name: string; readonly why: string };

/** Where profiles' secrets are kept. */
export interface SecretStore {
  /**
   * @param profile whose it is; for the failures, and for the command
   * @param most milliseconds that this may take, where that is less than it usually may
   * @throws Failure `unauthorized` when it is not there any more, here is no keyring, or the command
   *   fails or prints none; `unavailable` when keyring or command do not answer in time, or the keyring refuses
   */
  read(secret: StoredSecret, profile?: string, most?: number): Promise<string>;
  /**
   * Keeps a value under a new name: replacing one is keeping the new, and forgetting the old when the
   * profile's file has the new.
   *
   * @param where undefined: in the keyring if there is one that takes it, else in the file
   * @throws Failure for the keyring only: `usage` when there is none, `unavailable` when it does not
   *   answer in time, or refuses
   */
  keep(value: string, where: Storage | undefined): Promise<Kept>;
  /**
   * Removes a secret from the keyring; that it was not there is fine. Those elsewhere need nothing.
   *
   * @throws Failure `unavailable` when the keyring does not do it
   */
  forget(secret: StoredSecret): Promise<void>;
  /** Whether the keyring can be used, found out by doing so; and what it is called. */
  probe(): Promise<Probe>;
}

export interface SecretStoreOptions {
  /** Where the keyring is looked for, and what commands get. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The variables that commands do not get: leasectl's own credentials. */
  readonly withhold: readonly string[];
  /** Makes names that nobody has. */
  readonly newId: () => string;
  /** How long the keyring has for an answer, in milliseconds: 3000. */
  readonly timeout?: number;
  /** How long a command has, in milliseconds: 30000. */
  readonly commandTimeout?: number;
  /** The built keyring.js, where it is not beside the running bundle. */
  readonly program?: string;
}

export function createSecretStore(options: SecretStoreOptions): SecretStore {
  const { env, withhold, newId, timeout = 3_000, commandTimeout = 30_000, program } = options;
  const keyring = async (most = timeout): Promise<Keyring> => {
    const { createKeyring } = await import('./keyring.ts');
    const time = Math.min(timeout, most);
    return createKeyring({ env, platform: process.platform, timeout: time, program });
  };
  const ask = async (...[order]: Parameters<Keyring['ask']>) => (await keyring()).ask(order);

  return {
    read: async (secret, profile, most = commandTimeout) => {
      if (typeof secret === 'string') return secret;
      if ('command' in secret) {
        const { tokenFrom } = await import('./token-command.ts');
        const kept = Object.entries(env).filter(([name]) => !withhold.includes(name));
        const time = Math.min(commandTimeout, most);
        return tokenFrom(secret.command, { env: Object.fromEntries(kept), timeout: time, profile });
      }
      const outcome = await (await keyring(most)).ask({
        operation: 'read',
        account: secret.keyring,
      });
      const value = doneBy(outcome, 'unauthorized', elsewhere(profile));
      if (value) return value;
      const whose = profile === undefined ? 'that token' : `the token of profile ${profile}`;
      throw new Failure('unauthorized', `The keyring does not have ${whose} any more.`, {
        hint: `Store it again: leasectl profile edit ${profile ?? 'NAME'} --token-stdin`,
      });
    },

    keep: async (value, where) => {
      if (where === 'file') return { stored: value, fellBack: false };
      const account = newId();
      const outcome = await ask({ operation: 'keep', account, value });
      if (outcome.type !== 'done' && where === undefined) {
        return { stored: value, fellBack: true, why: reasonOf(outcome) };
      }
      doneBy(outcome, 'usage', 'take --storage file.');
      const tail = tailOf(value);
      return { stored: { keyring: account, ...(tail ? { tail } : {}) }, fellBack: false };
    },

    forget: async (secret) => {
      if (typeof secret === 'string' || 'command' in secret) return;
      const outcome = await ask({ operation: 'forget', account: secret.keyring });
      doneBy(outcome, 'unavailable', `remove "${secret.keyring}" of leasectl from it by hand.`);
    },

    probe: async () => {
      const { name, ask } = await keyring();
      const outcome = await ask({ operation: 'probe', account: newId() });
      if (outcome.type === 'done') return { available: true, name };
      return { available: false, name, why: reasonOf(outcome) };
    },
  };
}

/** Where a stored secret comes from, as people call it. */
export function sourceOf(secret: StoredSecret): 'keyring' | 'file' | 'command' {
  if (typeof secret === 'string') return 'file';
  return 'command' in secret ? 'command' : 'keyring';
}

/** What may be shown of a secret: its last four characters, where that leaves enough of it unknown. */
export function tailOf(value: string): string | undefined {
  return value.length < 16 ? undefined : `…${value.slice(-4)}`;
}

/** What a keyring's user can do who cannot use it. */
function elsewhere(profile = 'NAME'): string {
  return `set LEASECTL_TOKEN, or store the token in a file: leasectl profile edit ${profile} --storage file --token-stdin`;
}

/**
 * What the keyring gave.
 *
 * @param absent the code where there is none
 * @param otherwise what to do instead of unlocking it
 * @throws Failure unless it was done
 */
function doneBy(
  outcome: Outcome,
  absent: 'unauthorized' | 'usage' | 'unavailable',
  otherwise: string,
): string | null {
  switch (outcome.type) {
    case 'done':
      return outcome.value;
    case 'absent':
      throw new Failure(absent, `There is no keyring here: ${reasonOf(outcome)}.`, {
        hint: `${otherwise.charAt(0).toUpperCase()}${otherwise.slice(1)}`,
      });
    case 'refused':
      throw new Failure('unavailable', `The keyring refuses: ${reasonOf(outcome)}.`, {
        hint: `Unlock it, or ${otherwise}`,
      });
    case 'silent':
      throw new Failure('unavailable', `The keyring did not answer within ${outcome.seconds} s.`, {
        hint: `Unlock it, or ${otherwise}`,
      });
  }
}

function reasonOf(outcome: Exclude<Outcome, { type: 'done' }>): string {
  if (outcome.type === 'silent') return `it did not answer within ${outcome.seconds} s`;
  return outcome.why.trim().replace(/\.$/, '');
}
