import { isAbsolute } from 'node:path';
import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { parseJson } from '../../domain/json.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { draftOf } from '../../profiles/draft.ts';
import { ExchangeFile, withoutSecret } from '../../profiles/exchange-file.ts';
import { checkProfileName, type Profile, storeWith } from '../../profiles/profile.ts';

export default class ProfileImport extends ProfileCommand {
  static override readonly summary = 'Add the profiles that profile export printed';
  static override readonly description = [
    'They come without secrets: those are added with profile edit. A name that there is',
    'already is refused, and then none is added.',
  ].join(' ');
  static override readonly examples = [
    'echo \'{"version": 1, "profiles": {}, "defaults": []}\' | <%= config.bin %> profile import -',
  ];
  static override readonly args = {
    file: required('File of profile export; - is stdin', 'file'),
  };
  static override readonly flags = {
    'skip-existing': boolean({ description: 'Pass over the names that there are already' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileImport);
    const { terminal, profiles } = this.context;
    const text = await terminal.readValue(args.file === '-' ? '-' : `@${args.file}`, 'FILE');
    const { profiles: given, defaults } = await contentOf(text, args.file);
    const usable = Object.fromEntries(
      Object.entries(given).map(([name, profile]) => [
        checkProfileName(name),
        usableFrom(name, profile),
      ]),
    );
    const added = await profiles.addAll(usable, defaults, flags['skip-existing'] ?? false);
    for (const name of added) {
      const { credential } = usable[name] ?? {};
      if (credential) this.notice(`${name} has no secret yet: ${storeWith(name, credential.type)}`);
    }
    const skipped = Object.keys(usable).filter((name) => !added.includes(name));
    const skippedWords = skipped.length > 0 ? ` Left alone: ${skipped.join(', ')}.` : '';
    return {
      data: { added, skipped },
      text: () => `Added ${added.join(', ') || 'none'}.${skippedWords}`,
    };
  }
}

async function contentOf(text: string, file: string): Promise<ExchangeFile> {
  const parsed = ExchangeFile.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the whole of it';
  throw new Failure('usage', `${file} is nothing that profile export printed (${where}).`, {
    hint: 'Make it anew: leasectl profile export > FILE',
  });
}

/** As `profile add` would have it: what came over may have been written by hand. */
function usableFrom(name: string, profile: Profile): Profile {
  try {
    for (const file of [profile.ca_file, profile.client_cert, profile.client_key]) {
      // It would be another one in every directory.
      if (file !== undefined && !isAbsolute(file)) throw notAbsolute(file);
    }
    return withoutSecret(draftOf(profile.service, {}, profile, false));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('usage', `Profile ${name} cannot be added. ${error.message}`, {
      hint: error.hint,
    });
  }
}

function notAbsolute(file: string): Failure {
  return new Failure('usage', `It names ${JSON.stringify(file)}, which is no absolute path.`, {
    hint: 'Write down the whole path of that file on this machine.',
  });
}
