import { Failure } from './domain/failure.ts';
import { ProfileCommand } from './profile-command.ts';
import { isForClient, type WritingFlags } from './profile-flags.ts';
import type { Wishes } from './profiles/draft.ts';
import { type Profile, parseToken, secretOf, withSecret } from './profiles/profile.ts';
import { STORAGES, type Storage, type StoredSecret, sourceOf } from './secrets/secret-store.ts';

/** A secret as a user hands it over: itself, or a command that prints it. */
export type NewSecret = { readonly value: string } | { readonly command: string };

/** Milliseconds. */
const TRIAL_TIMEOUT = 5_000;
const TRIAL_WITH_COMMAND = 30_000;

/** What the commands that make or change a profile share. */
export abstract class ProfileWritingCommand extends ProfileCommand {
  /**
   * What the flags say, of files that were looked at.
   *
   * @param current the profile as it is so far
   * @throws Failure `usage` for files that are not what they should be
   */
  protected async wishesOf(flags: WritingFlags, current?: Profile): Promise<Wishes> {
    const { join, isAbsolute } = await import('node:path');
    const absolute = (path: string | undefined) =>
      path === undefined || isAbsolute(path) ? path : join(this.context.directory(), path);
    const files = {
      caFile: absolute(flags['ca-file']),
      clientCert: absolute(flags['client-cert']),
      clientKey: absolute(flags['client-key']),
    };
    if (Object.values(files).some(Boolean)) await checkFiles(files, current);
    return {
      url: flags.url,
      auth: flags.auth ?? (isForClient(flags) ? 'oauth2' : undefined),
      clientId: flags['client-id'],
      scope: flags.scope,
      tokenUrl: flags['token-url'],
      ...files,
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
      const secrets = await this.context.secrets();
      // Why it was not written is what has to be told.
      await secrets.forget(stored).catch(() => undefined);
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
   * Tries a profile before it is stored, and tells what the service says of it.
   *
   * @param isAsked whether somebody can be asked: who may store what does not work yet
   * @throws Failure when it cannot be asked, or does not take the token
   */
  protected async verify(name: string, draft: Profile, isAsked: boolean): Promise<void> {
    const { tryOut } = await import('./trial.ts');
    const progress = this.progress();
    const secret = secretOf(draft.credential);
    // A command may ask a person, whom the service waits for.
    const isCommand = secret !== undefined && sourceOf(secret) === 'command';
    const timeout = isCommand ? TRIAL_WITH_COMMAND : TRIAL_TIMEOUT;
    const options = { version: this.config.version, timeout, progress };
    try {
      this.notice(await tryOut(this.context, name, draft, options));
    } catch (error) {
      if (!isAsked || !(error instanceof Failure)) throw error;
      this.notice(`This does not work: ${error.message}`);
      const prompts = await this.context.terminal.prompts();
      if (await prompts.confirm('Store it all the same?', false)) return;
      throw new Failure(error.code, 'Nothing was stored.', { hint: error.hint, cause: error });
    }
  }

  async #keep(secret: NewSecret, storage: Storage | undefined): Promise<StoredSecret> {
    if ('command' in secret) return secret;
    const store = await this.context.secrets();
    const { stored, fellBack, why } = await store.keep(secret.value, storage);
    if (fellBack && !this.jsonEnabled() && (await this.context.profiles.isNews('no-keyring'))) {
      this.notice(
        `Warning: no keyring can be used (${why}). The secret is in a file that only you may read. This is said once; to mean it, give --storage file.`,
      );
    }
    return stored;
  }
}

/** A certificate may come for the key that is there, and a key for the certificate. */
async function checkFiles(
  { caFile, clientCert, clientKey }: Pick<Wishes, 'caFile' | 'clientCert' | 'clientKey'>,
  current: Profile | undefined,
): Promise<void> {
  const { checkTlsFiles } = await import('./http/tls-files.ts');
  const isIdentity = clientCert !== undefined || clientKey !== undefined;
  checkTlsFiles({
    caFile,
    certFile: isIdentity ? (clientCert ?? current?.client_cert) : undefined,
    keyFile: isIdentity ? (clientKey ?? current?.client_key) : undefined,
  });
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
