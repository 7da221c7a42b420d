import { type Answer, BaseCommand } from './base-command.ts';
import { renderDetails } from './output/table.ts';
import { LOCAL, SERVICE_NAMES, type ServiceName } from './profiles/profile.ts';

/** A profile as it is shown: without its token. */
export interface ProfileSummary {
  readonly name: string;
  /** `all` for the built-in profile: it stands in for every service that has no default. */
  readonly service: string;
  readonly url: string | null;
  /** Of its service; `local` of all of them. */
  readonly default: boolean;
  readonly token: 'stored' | 'none' | 'not needed';
}

/** What the commands on profiles share. */
export abstract class ProfileCommand extends BaseCommand {
  /** @throws Failure `usage` when there is no such profile, or its file is broken */
  protected async summarize(name: string): Promise<ProfileSummary> {
    const { profiles } = this.context;
    if (name === LOCAL) {
      const isDefault = (await this.#servedLocally()).length === SERVICE_NAMES.length;
      return { name, service: 'all', url: null, default: isDefault, token: 'not needed' };
    }
    const { service, url, credential } = await profiles.get(name);
    const isDefault = (await profiles.defaultOf(service)) === name;
    return { name, service, url, default: isDefault, token: credential ? 'stored' : 'none' };
  }

  /** Whether a profile is a default, for people: `local` may be that of some services. */
  protected async shownDefault(summary: ProfileSummary): Promise<string> {
    if (summary.default) return 'yes';
    const served = summary.name === LOCAL ? await this.#servedLocally() : [];
    return served.length > 0 ? `for ${served.join(', ')}` : 'no';
  }

  /** The services that have no other default than the embedded service. */
  async #servedLocally(): Promise<ServiceName[]> {
    const { profiles } = this.context;
    const chosen = await Promise.all(
      SERVICE_NAMES.map(async (service) => ({
        service,
        profile: await profiles.defaultOf(service),
      })),
    );
    return chosen
      .filter(({ profile }) => profile === undefined || profile === LOCAL)
      .map(({ service }) => service);
  }

  protected async answerWith(name: string): Promise<Answer> {
    const summary = await this.summarize(name);
    const shownDefault = await this.shownDefault(summary);
    return {
      data: summary,
      text: (style) =>
        renderDetails(
          [
            ['Profile', summary.name],
            ['Service', summary.service],
            ['URL', summary.url ?? 'embedded'],
            ['Default', shownDefault],
            ['Token', summary.token],
          ],
          style,
        ),
    };
  }
}
