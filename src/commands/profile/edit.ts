import { isDeepStrictEqual } from 'node:util';
import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { required } from '../../positional.ts';
import { checkFlags, SECRETS, type WritingFlags, writingFlags } from '../../profile-flags.ts';
import {
  inline,
  type NewSecret,
  ProfileWritingCommand,
  profileWith,
} from '../../profile-writing-command.ts';
import { draftOf, isSameAddressee, type Wishes } from '../../profiles/draft.ts';
import { type Credential, type Profile, secretOf } from '../../profiles/profile.ts';
import { type StoredSecret, sourceOf } from '../../secrets/secret-store.ts';

export default class ProfileEdit extends ProfileWritingCommand {
  static override readonly summary = 'Change a profile, or store another token for it';
  static override readonly description = [
    'What no flag names stays as it is; without any flag, on a terminal, it asks. A token stays',
    'only as long as it goes to the origin that it was stored for. --storage alone moves it.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile edit prod --token-stdin < token.txt',
    '<%= config.bin %> profile edit staging --url http://localhost:4041 --no-token',
  ];
  static override readonly args = { name: required('Name of the profile', 'stored-profile') };
  static override readonly flags = {
    ...writingFlags,
    'no-token': boolean({
      description: 'Drop the token, or the client and its secret',
      exclusive: SECRETS,
    }),
    'no-scope': boolean({
      description: 'Leave to the service what a token is for',
      exclusive: ['scope'],
    }),
    'no-ca-file': boolean({
      description: 'Trust the usual authorities only',
      exclusive: ['ca-file'],
    }),
    'no-client-cert': boolean({
      description: 'Show no certificate any more',
      exclusive: ['client-cert', 'client-key'],
    }),
    verify: boolean({
      description: 'Try it first, and change nothing unless the service takes the token',
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags, raw } = await this.parse(ProfileEdit);
    const { name } = args;
    const { profiles } = this.context;
    const current = await profiles.get(name);
    checkFlags(flags, flags['no-token'] ? undefined : current.credential?.type, false);
    const isAsked = raw.every((word) => word.type === 'arg' || !(word.flag in ProfileEdit.flags));
    const { wishes, secret, isDropped } = isAsked
      ? await this.#asked(name, current)
      : await this.#given(name, current, flags);
    // What is wrong is told before anything is kept.
    const draft = changed(name, current, wishes, secret && inline(secret), isDropped);
    const isWorthTrying = isAsked && secretOf(draft.credential) !== undefined;
    if (flags.verify || isWorthTrying) await this.verify(name, draft, isAsked);
    const { before, after } = await this.withKept(secret, flags.storage, (stored) =>
      profiles.change(name, (profile) => {
        const result = changed(name, profile, wishes, stored, isDropped);
        if (secret) assertMeant(name, draft, { before: profile, after: result }, secret);
        return result;
      }),
    );
    await this.forgetCredential(name, before.credential);
    return this.answerWith(name, after);
  }

  async #given(name: string, current: Profile, flags: EditFlags): Promise<Change> {
    const { credential } = current;
    const wishes = { ...(await this.wishesOf(flags, current)), ...dropped(flags) };
    const change = { wishes, isDropped: flags['no-token'] ?? false };
    const secret = await this.newSecret(flags);
    const moved = secretOf(credential);
    const { storage } = flags;
    if (secret || change.isDropped || storage === undefined || moved === undefined) {
      return { ...change, secret };
    }
    const source = sourceOf(moved);
    if (source === storage) return { ...change, secret: undefined };
    if (source === 'command') throw notStored(name);
    const value = await this.context.readSecret({ stored: moved, profile: name });
    return { ...change, secret: { value, moved } };
  }

  async #asked(name: string, current: Profile): Promise<Change> {
    const { terminal, redactor } = this.context;
    if (!terminal.canAsk || this.jsonEnabled()) {
      throw new Failure('usage', `Nothing says what to change of profile ${name}.`, {
        hint: 'Give flags: see leasectl profile edit --help. On a terminal it asks.',
      });
    }
    const { askForSettings } = await import('../../profile-questions.ts');
    const prompts = await terminal.prompts();
    const answers = await askForSettings(prompts, current.service, { wishes: {} }, current);
    if (answers.secret && 'value' in answers.secret) redactor.add(answers.secret.value);
    return answers;
  }
}

type EditFlags = WritingFlags &
  Readonly<Record<'no-token' | 'no-scope' | 'no-ca-file' | 'no-client-cert', boolean>>;

function dropped(flags: EditFlags): Wishes {
  return {
    ...(flags['no-scope'] ? { scope: '' } : {}),
    ...(flags['no-ca-file'] ? { caFile: '' } : {}),
    ...(flags['no-client-cert'] ? { clientCert: '', clientKey: '' } : {}),
  };
}

interface Change {
  readonly wishes: Wishes;
  /** A new one; or the one that there is, to be kept elsewhere. */
  readonly secret: (NewSecret & { readonly moved?: StoredSecret }) | undefined;
  readonly isDropped: boolean;
}

/**
 * A secret that comes is for whom the profile was going to send it to when this began.
 *
 * @throws Failure `unavailable` when others have made that somebody else meanwhile, or have replaced
 *   the secret that is being moved
 */
function assertMeant(
  name: string,
  draft: Profile,
  { before, after }: { readonly before: Profile; readonly after: Profile },
  { moved }: { readonly moved?: StoredSecret },
): void {
  const [meant, actual] = [draft.credential, after.credential];
  const isMeant = meant && actual && isSameAddressee(meant, actual);
  if (isMeant && (!moved || isDeepStrictEqual(secretOf(before.credential), moved))) return;
  throw new Failure('unavailable', `Profile ${name} was changed by another command meanwhile.`, {
    hint: `Nothing was changed. See leasectl profile show ${name}, then try again.`,
  });
}

function notStored(name: string): Failure {
  return new Failure(
    'usage',
    `The secret of ${name} is printed by a command, and stored nowhere.`,
    {
      hint: 'To store one in its place: --token-stdin, or --client-secret-stdin.',
    },
  );
}

/** @throws Failure `usage` when a stored secret would have to go where it was not stored for */
function changed(
  name: string,
  profile: Profile,
  wishes: Wishes,
  stored: StoredSecret | undefined,
  isDropped: boolean,
): Profile {
  const { credential, ...rest } = profile;
  const base = isDropped || credential === undefined ? rest : profile;
  const draft = draftOf(profile.service, wishes, base, stored !== undefined);
  const result = profileWith(draft, stored);
  if (secretOf(base === rest ? undefined : credential) && !secretOf(result.credential)) {
    throw new Failure(
      'usage',
      `The secret of ${name} was stored for ${addressees(credential)} alone.`,
      {
        hint: 'Give the one for the new address, too (--token-stdin, --client-secret-stdin), or drop it: --no-token',
      },
    );
  }
  return result;
}

/** Whom a secret may be sent to. */
function addressees(credential: Credential | undefined): string {
  if (credential?.type !== 'oauth2') return String(credential?.origin);
  return [...new Set([credential.origin, new URL(credential.token_url).origin])].join(' and ');
}
