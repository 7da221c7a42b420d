import type { Answer } from '../../base-command.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';

export default class ProfileUse extends ProfileCommand {
  static override readonly summary = "Make a profile its service's default";
  static override readonly description = [
    '"local", the embedded service, becomes the default of every service, and so does a',
    'profile of service leasectl.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> profile use prod',
    '<%= config.bin %> profile use local',
  ];
  static override readonly args = {
    name: required('Name of the profile', 'profile'),
  };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileUse);
    return this.answerWith(args.name, await this.context.profiles.use(args.name));
  }
}
