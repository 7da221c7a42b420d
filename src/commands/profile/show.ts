import { string } from '@oclif/core/args';
import type { Answer } from '../../base-command.ts';
import { ProfileCommand } from '../../profile-command.ts';

export default class ProfileShow extends ProfileCommand {
  static override readonly summary = 'Show a profile, without its token';
  static override readonly examples = ['<%= config.bin %> profile show local'];
  static override readonly args = {
    name: string({ description: 'Name of the profile', required: true }),
  };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileShow);
    return this.answerWith(args.name);
  }
}
