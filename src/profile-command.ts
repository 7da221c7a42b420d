import { type Answer, BaseCommand } from './base-command.ts';
import { renderDetails } from './output/table.ts';
import { LOCAL, SERVICE_NAMES } from './profiles/profile.ts';

/** A profile as it is shown: without its token. */
export interface ProfileSummary {
  readonly name: string;
  /** `all` for the built-in profile: it stands in for every service that has no default. */
  readonly service: string;
  readonly url: string | null;
  readonly default: boolean;
  readonly token: 'stored' | 'none' | 'not needed';
}

/** What the commands on profiles share. */
export abstract class ProfileCommand extends BaseCommand {
  /** @throws Failure `usage` when there is no such profile, or its file is broken */
  protected async summarize(name: string): Promise<ProfileSummary> {
    const { profiles } = this.context;
    if (name === LOCAL) {
      const chosen = await Promise.all(SERVICE_NAMES.map((service) => profiles.defaultOf(service)));
      const isDefault = chosen.some((profile) => profile === undefined || profile === LOCAL);
      return { name, service: 'all', url: null, default: isDefault, token: 'not needed' };
    }
    const { service, url, credential } = await profiles.get(name);
    const isDefault = (await profiles.defaultOf(service)) === name;
    return { name, service, url, default: isDefault, token: credential ? 'stored' : 'none' };
  }

  protected async answerWith(name: string): Promise<Answer> {
    const summary = await this.summarize(name);
    return {
      data: summary,
      text: (style) =>
        renderDetails(
          [
            ['Profile', summary.name],
            ['Service', summary.service],
            ['URL', summary.url ?? 'embedded'],
            ['Default', summary.default ? 'yes' : 'no'],
            ['Token', summary.token],
          ],
          style,
        ),
    };
  }
}
