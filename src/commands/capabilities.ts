import { listFlags } from '../answer-view.ts';
import { type Answer, BaseCommand } from '../base-command.ts';
import { capabilitiesOf } from '../capability.ts';
import { renderList } from '../output/table.ts';
import { optional } from '../positional.ts';
import { placeOf } from '../profiles/implied.ts';
import { LOCAL } from '../profiles/profile.ts';

export default class Capabilities extends BaseCommand {
  static readonly tellsOfOthers = true;
  static override readonly summary = 'List what the commands can do at a profile';
  static override readonly description = [
    'Nothing is asked: it is what is known of the service, and of what the profile is for.',
    'Without PROFILE it is that of LEASECTL_PROFILE, the only one that is a default, or the',
    'embedded service.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> capabilities',
    '<%= config.bin %> capabilities local --json',
  ];
  static override readonly args = { profile: optional('Name of the profile', 'profile') };

  static override readonly flags = listFlags;

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(Capabilities);
    const place = await placeOf(await this.context.selectionOfAny(args.profile));
    const commands = capabilitiesOf(this.config.commands, place);
    const rows = commands.map(({ command, available, note }) => [
      command,
      available ? 'yes' : 'no',
      note ?? '',
    ]);
    return {
      data: {
        profile: place?.profile ?? LOCAL,
        service: place?.service ?? 'all',
        url: place?.url ?? null,
        commands,
      },
      text: (style) => renderList(['COMMAND', 'AVAILABLE', 'NOTE'], rows, style),
    };
  }
}
