import { string } from '@oclif/core/flags';
import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { renderList } from '../../output/table.ts';
import { optional } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { settingsOf } from '../../resolved-settings.ts';

export default class ProfileShow extends ProfileCommand {
  static override readonly summary = 'Show a profile, without its token';
  static override readonly description = [
    'With --resolve COMMAND it shows what that command would use, and where each value comes',
    'from: a flag, the environment, a project file, a profile, or leasectl itself. NAME then',
    'stands for --profile NAME.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile show local',
    '<%= config.bin %> profile show --resolve lease',
    '<%= config.bin %> profile show --resolve "jobs claim"',
  ];
  static override readonly args = { name: optional('Name of the profile', 'profile') };
  static override readonly flags = {
    resolve: string({
      description: 'Show what this command would use, and what says so',
      helpValue: 'COMMAND',
      completes: 'command-name',
    }),
    ...listFlags,
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileShow);
    if (flags.resolve !== undefined) return this.#resolve(flags.resolve, args.name);
    if (args.name !== undefined) return this.answerWith(args.name, await this.stored(args.name));
    throw new Failure('usage', 'Nothing says which profile to show.', {
      hint: 'Give its NAME (see leasectl profile list), or --resolve COMMAND.',
    });
  }

  async #resolve(words: string, profile: string | undefined): Promise<Answer> {
    const id = words.trim().replaceAll(/[\s:]+/g, ':');
    const command = this.config.findCommand(id);
    if (!command) {
      throw new Failure('usage', `--resolve: there is no command ${JSON.stringify(words)}.`, {
        hint: 'See those there are: leasectl --help',
      });
    }
    const settings = await settingsOf(this.context, command, profile);
    const rows = settings.map(({ setting, value, source }) => [setting, value ?? 'none', source]);
    return {
      data: settings,
      text: (style) => renderList(['SETTING', 'VALUE', 'FROM'], rows, style),
    };
  }
}
