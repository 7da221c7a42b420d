import type { Answer } from '../../base-command.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { SERVICE_NAMES } from '../../profiles/profile.ts';

export default class ProfileRemove extends ProfileCommand {
  static override readonly summary = 'Remove a profile and its token';
  static override readonly examples = ['<%= config.bin %> profile remove staging'];
  static override readonly args = {
    name: required('Name of the profile'),
  };

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileRemove);
    const { name } = args;
    const { profiles } = this.context;
    // A broken one can be removed, too.
    const profile = await profiles.get(name).catch(() => undefined);
    for (const service of await profiles.remove(name, SERVICE_NAMES)) {
      this.notice(`${name} was the default of ${service}, which has none now.`);
    }
    if (profile) await this.context.forgetTokens(profile);
    return { data: { name, removed: true }, text: () => `Removed ${name}.` };
  }
}
