import { boolean } from '@oclif/core/flags';
import type { Answer } from '../../base-command.ts';
import { Failure } from '../../domain/failure.ts';
import { required } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';

export default class ProfileRemove extends ProfileCommand {
  static override readonly summary = 'Remove a profile and its token';
  static override readonly description = 'It asks first, and without a terminal it needs --yes.';
  static override readonly examples = ['<%= config.bin %> profile remove staging --yes'];
  static override readonly args = {
    name: required('Name of the profile', 'stored-profile'),
  };
  static override readonly flags = {
    yes: boolean({ char: 'y', description: 'Do not ask' }),
  };

  protected async execute(): Promise<Answer> {
    const { args, flags } = await this.parse(ProfileRemove);
    const { name } = args;
    const { profiles } = this.context;
    if (!(await profiles.names()).includes(name)) await profiles.get(name);
    if (!flags.yes && !(await this.#isMeant(name))) {
      return { data: { name, removed: false }, text: () => `Kept ${name}.` };
    }
    const { profile, orphaned } = await profiles.remove(name);
    if (orphaned.length > 0) {
      const have = orphaned.length > 1 ? 'have' : 'has';
      this.notice(
        `${name} was the default of ${orphaned.join(', ')}, which ${have} none now: leasectl profile use NAME chooses one.`,
      );
    }
    await this.forgetCredential(name, profile?.credential);
    return { data: { name, removed: true }, text: () => `Removed ${name}.` };
  }

  async #isMeant(name: string): Promise<boolean> {
    const { terminal } = this.context;
    if (terminal.canAsk && !this.jsonEnabled()) {
      return (await terminal.prompts()).confirm(`Remove profile ${name} and its token?`, false);
    }
    throw new Failure('usage', `Nobody can be asked whether profile ${name} is to be removed.`, {
      hint: `If it is: leasectl profile remove ${name} --yes`,
    });
  }
}
