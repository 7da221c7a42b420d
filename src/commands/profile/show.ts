import { string } from '@oclif/core/flags';
import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { renderList } from '../../output/table.ts';
import { optional } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { settingsOf } from '../../resolved-settings.ts';

export default class ProfileShow extends ProfileCommand {
  static readonly tellsOfOthers = true;
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
    const { args, flags } = await this.parse(ProfileShow, this.#withOneWord());
    if (flags.resolve !== undefined) return this.#resolve(flags.resolve, args.name);
    if (args.name !== undefined) return this.answerWith(args.name, await this.stored(args.name));
    throw new Failure('usage', 'Nothing says which profile to show.', {
      hint: 'Give its NAME (see leasectl profile list), or --resolve COMMAND.',
    });
  }

  /** The command line with the words of the command to resolve as one, also where no quotes said so. */
  #withOneWord(): string[] {
    const begin = this.argv.indexOf('--resolve') + 1;
    if (begin === 0) return this.argv;
    const rest = this.argv.slice(begin);
    const end = rest.findIndex((word) => word.startsWith('-'));
    const words = end < 0 ? rest : rest.slice(0, end);
    const count = words.findLastIndex((_, last) =>
      this.config.findCommand(idOf(words.slice(0, last + 1).join(' '))),
    );
    const found = words.slice(0, count + 1);
    return found.length < 2 ? this.argv : this.argv.toSpliced(begin, found.length, found.join(' '));
  }

  async #resolve(words: string, profile: string | undefined): Promise<Answer> {
    const id = idOf(words);
    const command = this.config.findCommand(id);
    if (!command) {
      const { unknownCommand } = await import('../../unknown-words.ts');
      throw await unknownCommand(id.split(':'), this.config);
    }
    const settings = await settingsOf(this.context, command, profile);
    const rows = settings.map(({ setting, value, source }) => [setting, value ?? 'none', source]);
    return {
      data: settings,
      text: (style) => renderList(['SETTING', 'VALUE', 'FROM'], rows, style),
    };
  }
}

/** As oclif names a command, that may be typed with the program before it. */
function idOf(words: string): string {
  return words
    .trim()
    .replace(/^leasectl(?=[\s:])/, '')
    .trim()
    .replaceAll(/[\s:]+/g, ':');
}
