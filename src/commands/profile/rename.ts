import type { Answer } from '../../base-command.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';

export default class ProfileRename extends ProfileCommand {
  static override readonly summary = 'Give a profile another name';
  static override readonly description =
    'It stays the default that it is, and this machine goes on holding what it leased with it.';
  static override readonly examples = ['<%= config.bin %> profile rename prod production'];
  static override readonly args = {
    name: required('Name of the profile', 'stored-profile'),
    newName: required('Its new name'),
  };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileRename);
    const { name, newName } = args;
    const ledger = await this.context.ledger();
    const profile = await this.context.profiles.rename(name, newName);
    ledger.renameProfile(name, newName);
    return this.answerWith(newName, profile);
  }
}
