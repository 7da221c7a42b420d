import { boolean, option, string } from '@oclif/core/flags';
import { Failure } from './domain/failure.ts';
import { ProfileCommand } from './profile-command.ts';
import { AUTHENTICATIONS, type Wishes } from './profiles/draft.ts';
import { type Profile, parseToken, withSecret } from './profiles/profile.ts';
import { STORAGES, type Storage, type StoredSecret } from './secrets/secret-store.ts';

/** A secret as a user hands it over: itself, or a command that prints it. */
export type NewSecret = { readonly value: string } | { readonly command: string };

/** The flags of the commands that make or change a profile, as they were given. */
export interface WritingFlags {
  readonly url?: string | undefined;
  readonly auth?: (typeof AUTHENTICATIONS)[number] | undefined;
  readonly 'token-stdin': boolean;
  readonly 'token-file'?: string | undefined;
  readonly 'token-command'?: string | undefined;
  readonly 'client-id'?: string | undefined;
  readonly 'client-secret-stdin': boolean;
  readonly 'client-secret-file'?: string | undefined;
  readonly 'client-secret-command'?: string | undefined;
  readonly scope?: string | undefined;
  readonly 'token-url'?: string | undefined;
  readonly storage?: Storage | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly 'client-cert'?: string | undefined;
  readonly 'client-key'?: string | undefined;
}

const SECRETS = [
  'token-stdin',
  'token-file',
  'token-command',
  'client-secret-stdin',
  'client-secret-file',
  'client-secret-command',
] as const;

/** Milliseconds. */
const TRIAL_TIMEOUT = 5_000;

const others = (flag: (typeof SECRETS)[number]) => SECRETS.filter((name) => name !== flag);
const file = (description: string) => string({ description, helpValue: 'FILE' });

/** What the commands that make or change a profile share. */
export abstract class ProfileWritingCommand extends ProfileCommand {
  // oclif sees a command's own flags only: each has to name these.
  static readonly writingFlags = {
    url: string({ description: "Base URL [default: the service's own]", helpValue: 'URL' }),
    auth: option({
      description: 'How one authenticates [default: basic for askui, else bearer]',
      options: AUTHENTICATIONS,
    })(),
    'token-stdin': boolean({
      description: 'Read the token from stdin',
      exclusive: others('token-stdin'),
    }),
    'token-file': string({
      description: 'Read the token from a file, once',
      helpValue: 'FILE',
      exclusive: others('token-file'),
    }),
    'token-command': string({
      description: 'Run this line of shell each time: it prints the token',
      helpValue: 'COMMAND',
      exclusive: others('token-command'),
    }),
    'client-id': string({ description: 'Get tokens as this OAuth 2.0 client', helpValue: 'ID' }),
    'client-secret-stdin': boolean({
      description: "Read the client's secret from stdin",
      exclusive: others('client-secret-stdin'),
    }),
    'client-secret-file': string({
      description: "Read the client's secret from a file, once",
      helpValue: 'FILE',
      exclusive: others('client-secret-file'),
    }),
    'client-secret-command': string({
      description: "Run this line of shell each time: it prints the client's secret",
      helpValue: 'COMMAND',
      exclusive: others('client-secret-command'),
    }),
    scope: string({
      description: 'What to ask a token for, separated by spaces',
      helpValue: 'LIST',
    }),
    'token-url': string({
      description: "Where the client gets tokens [default: retaia's /oauth/token]",
      helpValue: 'URL',
    }),
    storage: option({
      description:
        'Where to keep the secret [default: LEASECTL_STORAGE, the keyring, or a file where there is none]',
      options: STORAGES,
    })(),
    'ca-file': file('Certificates of authorities to trust beside the usual ones, PEM'),
    'client-cert': file('Certificate to show to the service, PEM'),
    'client-key': file('Key of that certificate, PEM'),
  };

  protected async wishesOf(flags: WritingFlags): Promise<Wishes> {
    const { resolve } = await import('node:path');
    const absolute = (path: string | undefined) => path && resolve(path);
    return {
      url: flags.url,
      auth: flags.auth ?? (isForClient(flags) ? 'oauth2' : undefined),
      clientId: flags['client-id'],
      scope: flags.scope,
      tokenUrl: flags['token-url'],
      caFile: absolute(flags['ca-file']),
      clientCert: absolute(flags['client-cert']),
      clientKey: absolute(flags['client-key']),
    };
  }

  /**
   * The secret that the flags hand over, if they do.
   *
   * @throws Failure `usage` when it cannot be read, or there is none
   */
  protected async newSecret(flags: WritingFlags): Promise<NewSecret | undefined> {
    const command = flags['token-command'] ?? flags['client-secret-command'];
    if (command !== undefined) return { command };
    const { terminal, redactor } = this.context;
    const path = flags['token-file'] ?? flags['client-secret-file'];
    if (path !== undefined) {
      const flag = flags['token-file'] === undefined ? '--client-secret-file' : '--token-file';
      const text = await terminal.readValue(`@${path}`, flag);
      return { value: redactor.add(parseToken(text, path)) };
    }
    if (!flags['token-stdin'] && !flags['client-secret-stdin']) return undefined;
    const flag = flags['token-stdin'] ? '--token-stdin' : '--client-secret-stdin';
    if (terminal.isInteractive('stdin')) {
      throw new Failure('usage', `${flag} would show it while you type it.`, {
        hint: 'Give it in a file or a pipe, or leave the flags out and be asked.',
      });
    }
    return { value: redactor.add(parseToken(await terminal.readStdin(flag), 'stdin')) };
  }

  /**
   * Keeps a new secret for whoever writes down where it is. What is not written down is not kept.
   *
   * @throws Failure as the secret store, and as `write`
   */
  protected async withKept<T>(
    secret: NewSecret | undefined,
    storage: Storage | undefined,
    write: (stored: StoredSecret | undefined) => Promise<T>,
  ): Promise<T> {
    if (secret === undefined) return write(undefined);
    const stored = await this.#keep(secret, storage ?? this.#usualStorage());
    try {
      return await write(stored);
    } catch (error) {
      await (await this.context.secrets()).forget(stored);
      throw error;
    }
  }

  #usualStorage(): Storage | undefined {
    const given = this.context.env['LEASECTL_STORAGE'];
    const storage = STORAGES.find((name) => name === given);
    if (!given || storage) return storage;
    throw new Failure('usage', `LEASECTL_STORAGE is no storage: ${JSON.stringify(given)}.`, {
      hint: `It is ${STORAGES.join(' or ')}.`,
    });
  }

  /**
   * Tries a profile before it is stored.
   *
   * @returns what the service says of it, in words
   * @throws Failure when it cannot be asked, or does not take the token
   */
  protected async tryOut(name: string, profile: Profile): Promise<string> {
    const { tryOut } = await import('./trial.ts');
    const options = { version: this.config.version, timeout: TRIAL_TIMEOUT };
    return tryOut(this.context, name, profile, options);
  }

  async #keep(secret: NewSecret, storage: Storage | undefined): Promise<StoredSecret> {
    if ('command' in secret) return secret;
    const store = await this.context.secrets();
    const { stored, fellBack, why } = await store.keep(secret.value, storage);
    if (fellBack && (await this.context.profiles.isNews('no-keyring'))) {
      this.notice(
        `Warning: no keyring can be used (${why}): secrets are kept in files that only you may read. --storage file says that this is meant.`,
      );
    }
    return stored;
  }
}

/** A new secret as a profile could have it, in its own file. */
export function inline(secret: NewSecret): StoredSecret {
  return 'value' in secret ? secret.value : secret;
}

/** A profile with a secret in its credential. */
export function profileWith(draft: Profile, secret: StoredSecret | undefined): Profile {
  const { credential } = draft;
  if (secret === undefined || credential === undefined) return draft;
  return { ...draft, credential: withSecret(credential, secret) };
}

function isForClient(flags: WritingFlags): boolean {
  return (
    flags['client-id'] !== undefined ||
    flags['client-secret-stdin'] ||
    flags['client-secret-file'] !== undefined ||
    flags['client-secret-command'] !== undefined
  );
}
