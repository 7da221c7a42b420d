import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { parseJson } from '../../domain/json.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { draftOf } from '../../profiles/draft.ts';
import { ExchangeFile, withoutSecret } from '../../profiles/exchange-file.ts';
import { checkProfileName, type Profile } from '../../profiles/profile.ts';

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
    file: required('File of profile export; - is stdin'),
  };
  static override readonly flags = {
    'skip-existing': boolean({ description: 'Pass over the names that there are already' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileImport);
    const { terminal, profiles } = this.context;
    const text = await terminal.readValue(args.file === '-' ? '-' : `@${args.file}`, 'FILE');
    const { profiles: given, defaults } = await contentOf(text, args.file);
    const known = await profiles.names();
    const existing = Object.keys(given).filter((name) => known.includes(name));
    if (existing.length > 0 && !flags['skip-existing']) throw nameTaken(existing);
    const added = Object.entries(given)
      .filter(([name]) => !known.includes(name))
      .map(([name, profile]) => [checkProfileName(name), usable(name, profile)] as const);
    for (const [name, profile] of added) await profiles.add(name, profile);
    for (const [name, { service, credential }] of added) {
      if (defaults.includes(name)) await profiles.setFirstDefault(service, name);
      if (credential) this.notice(`${name} has no secret yet: leasectl profile edit ${name}`);
    }
    const names = added.map(([name]) => name);
    return {
      data: { added: names, skipped: existing },
      text: () => (names.length > 0 ? `Added ${names.join(', ')}.` : 'Added none.'),
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
function usable(name: string, profile: Profile): Profile {
  try {
    return withoutSecret(draftOf(profile.service, {}, profile, false));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('usage', `Profile ${name} cannot be added. ${error.message}`, {
      hint: error.hint,
    });
  }
}

function nameTaken(names: readonly string[]): Failure {
  const [are, them] = names.length > 1 ? ['are profiles', 'them'] : ['is a profile', 'it'];
  return new Failure('usage', `There ${are} ${names.join(', ')} already.`, {
    hint: `To keep ${them} as they are: --skip-existing; or rename ${them} first.`,
  });
}
