import type { Answer } from '../../base-command.ts';
import { renderList } from '../../output/table.ts';
import { serviceTime } from '../../output/time.ts';
import { ProfileCommand, shownToken } from '../../profile-command.ts';
import { LOCAL } from '../../profiles/profile.ts';

export default class ProfileList extends ProfileCommand {
  static override readonly summary = 'List the profiles';
  static override readonly examples = ['<%= config.bin %> profile list'];

  protected async execute(): Promise<Answer> {
    await this.parse(ProfileList);
    const known = await this.context.profiles.all();
    const summaries = await Promise.all(
      [{ name: LOCAL, profile: undefined }, ...known].map(({ name, profile }) =>
        this.summarize(name, profile),
      ),
    );
    const rows = await Promise.all(
      summaries.map(async (summary) => [
        summary.name,
        summary.service,
        summary.url ?? 'embedded',
        await this.shownDefault(summary),
        shownToken(summary),
        serviceTime(summary.last_used_at) ?? '',
      ]),
    );
    const head = ['NAME', 'SERVICE', 'URL', 'DEFAULT', 'TOKEN', 'LAST USED'];
    return { data: summaries, text: (style) => renderList(head, rows, style) };
  }
}
