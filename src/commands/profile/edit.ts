import { isDeepStrictEqual } from 'node:util';
import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { required } from '../../positional.ts';
import type { Plan } from '../../profile-questions.ts';
import {
  inline,
  type NewSecret,
  ProfileWritingCommand,
  profileWith,
  type WritingFlags,
} from '../../profile-writing-command.ts';
import { draftOf, type Wishes } from '../../profiles/draft.ts';
import { type Profile, secretOf } from '../../profiles/profile.ts';
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
  static override readonly args = { name: required('Name of the profile') };
  static override readonly flags = {
    ...ProfileWritingCommand.writingFlags,
    'no-token': boolean({ description: 'Drop the token, or the client and its secret' }),
    verify: boolean({
      description: 'Try it first, and change nothing unless the service takes the token',
    }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags, raw } = await this.parse(ProfileEdit);
    const { name } = args;
    const { profiles } = this.context;
    const current = await profiles.get(name);
    const isAsked = raw.every(({ type }) => type === 'arg');
    const { wishes, secret } = isAsked
      ? await this.#asked(name, current)
      : { wishes: await this.wishesOf(flags), secret: await this.#given(name, current, flags) };
    const change = (profile: Profile, stored: StoredSecret | undefined) =>
      changed(name, profile, wishes, stored, flags['no-token'] ?? false);
    // What is wrong is told before anything is kept.
    const draft = change(current, secret && inline(secret));
    if (flags.verify) this.notice(await this.tryOut(name, draft));
    const { before, after } = await this.withKept(secret, flags.storage, (stored) =>
      profiles.change(name, (profile) => change(profile, stored)),
    );
    if (!isDeepStrictEqual(secretOf(before.credential), secretOf(after.credential))) {
      await this.context.forgetCredential(before.credential, (why) =>
        this.notice(`Warning: what is left of the old secret could not be removed: ${why}`),
      );
    }
    return this.answerWith(name);
  }

  /** A new secret, or the one that there is, to be kept elsewhere. */
  async #given(
    name: string,
    { credential }: Profile,
    flags: WritingFlags,
  ): Promise<NewSecret | undefined> {
    const secret = await this.newSecret(flags);
    const stored = secretOf(credential);
    const isMoved = stored !== undefined && ![undefined, sourceOf(stored)].includes(flags.storage);
    if (secret || !isMoved) return secret;
    return { value: await this.context.readSecret({ stored, profile: name }) };
  }

  async #asked(name: string, current: Profile): Promise<Pick<Plan, 'wishes' | 'secret'>> {
    const { terminal, redactor } = this.context;
    if (!terminal.canAsk || this.jsonEnabled()) {
      throw new Failure('usage', `Nothing says what to change of profile ${name}.`, {
        hint: 'Give flags: see leasectl profile edit --help. On a terminal it asks.',
      });
    }
    const { askForSettings } = await import('../../profile-questions.ts');
    const answers = await askForSettings(await terminal.prompts(), current.service, current);
    if (answers.secret && 'value' in answers.secret) redactor.add(answers.secret.value);
    return answers;
  }
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
    throw new Failure('usage', `The token of ${name} was stored for ${credential?.origin} alone.`, {
      hint: 'Give the one for the new address, too (--token-stdin), or drop it: --no-token',
    });
  }
  return result;
}
