import type { Answer } from '../../base-command.ts';
import { optional } from '../../positional.ts';
import { ProfileCommand } from '../../profile-command.ts';
import { exportOf } from '../../profiles/exchange-file.ts';
import { SERVICE_NAMES } from '../../profiles/profile.ts';
import { visibleJson } from '../../terminal/visible.ts';

export default class ProfileExport extends ProfileCommand {
  static override readonly summary = 'Print profiles, without their secrets, for another machine';
  static override readonly description =
    'Token commands and certificates are left out, too: they are of this machine.';
  static override readonly examples = ['<%= config.bin %> profile export > profiles.json'];
  static override readonly args = {
    name: optional('Profile to print [default: all]', 'stored-profile'),
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    const { args } = await this.parse(ProfileExport);
    const { profiles } = this.context;
    const { name } = args;
    const found =
      name === undefined ? await profiles.all() : [{ name, profile: await profiles.get(name) }];
    const usable = found.filter((entry) => entry.profile !== undefined);
    const defaults = await Promise.all(
      SERVICE_NAMES.map(async (service) => [service, await profiles.defaultOf(service)] as const),
    );
    const data = exportOf(usable, Object.fromEntries(defaults));
    const broken = found.find((entry) => entry.profile === undefined);
    return {
      data,
      text: () => visibleJson(data),
      failure: broken?.problem,
      isFailureTold: true,
    };
  }
}
