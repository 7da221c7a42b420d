import type { Answer } from '../../base-command.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';

export default class ProfileShow extends ProfileCommand {
  static override readonly summary = 'Show a profile, without its token';
  static override readonly examples = ['<%= config.bin %> profile show local'];
  static override readonly args = {
    name: required('Name of the profile'),
  };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileShow);
    return this.answerWith(args.name);
  }
}
