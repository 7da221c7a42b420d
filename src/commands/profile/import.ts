import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { parseJson } from '../../domain/json.ts';
import { renderList } from '../../output/table.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { draftOf } from '../../profiles/draft.ts';
import { ExchangeFile, portable } from '../../profiles/exchange-file.ts';
import { checkProfileName, type Profile, storeWith } from '../../profiles/profile.ts';

export default class ProfileImport extends ProfileCommand {
  static override readonly summary = 'Add the profiles that profile export printed';
  static override readonly description = [
    'They come without secrets, token commands and certificates: those are added with profile',
    'edit. A name that there is already is refused, and then none is added.',
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
    const names = await profiles.addAll(usable, defaults, flags['skip-existing'] ?? false);
    const added = await Promise.all(
      Object.entries(usable)
        .filter(([name]) => names.includes(name))
        .map(async ([name, profile]) => ({
          name,
          profile,
          isDefault: (await profiles.defaultOf(profile.service)) === name,
        })),
    );
    for (const { name, profile } of added) this.#tellOfSecret(name, profile);
    const skipped = Object.keys(usable).filter((name) => !names.includes(name));
    if (skipped.length > 0) this.notice(`Left alone: ${skipped.join(', ')}.`);
    const rows = added.map(({ name, profile, isDefault }) => [
      name,
      profile.service,
      profile.url,
      isDefault ? 'yes' : 'no',
    ]);
    const chosen = added.filter(({ isDefault }) => isDefault).map(({ name }) => name);
    return {
      data: { added: added.map(({ name }) => name), skipped, defaults: chosen },
      text: (style) => renderList(['ADDED', 'SERVICE', 'URL', 'DEFAULT'], rows, style),
    };
  }

  #tellOfSecret(name: string, { credential }: Profile): void {
    if (credential === undefined) return;
    const receiver =
      credential.type === 'oauth2' ? new URL(credential.token_url).origin : credential.origin;
    const command = storeWith(name, credential.type);
    this.notice(`${name} has no secret yet. It will be sent to ${receiver}: ${command}`);
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
    return portable(draftOf(profile.service, {}, portable(profile), false));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('usage', `Profile ${name} cannot be added. ${error.message}`, {
      hint: error.hint,
    });
  }
}
