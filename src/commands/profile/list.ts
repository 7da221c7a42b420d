import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import type { Style } from '../../output/style.ts';
import { renderList } from '../../output/table.ts';
import { serviceTime, timeAgo } from '../../output/time.ts';
import { ProfileCommand, type ProfileSummary, shownToken } from '../../profile-command.ts';
import { LOCAL } from '../../profiles/profile.ts';

export default class ProfileList extends ProfileCommand {
  static override readonly summary = 'List the profiles';
  static override readonly examples = ['<%= config.bin %> profile list'];
  static override readonly flags = listFlags;

  protected override changesNothing = true;

  protected async execute(): Promise<Answer> {
    await this.parse(ProfileList);
    const known = await this.context.profiles.all();
    const usable = known.filter(({ problem }) => problem === undefined);
    const summaries = await Promise.all(
      [{ name: LOCAL, profile: undefined }, ...usable].map(({ name, profile }) =>
        this.summarize(name, profile),
      ),
    );
    const shown = await Promise.all(
      summaries.map(async (summary) => ({ summary, isDefault: await this.#isDefault(summary) })),
    );
    const now = this.context.now();
    const rowsFor = (style: Style) =>
      shown.map(({ summary, isDefault }) => [
        summary.name,
        summary.service,
        summary.url ?? 'embedded',
        isDefault,
        shownToken(summary),
        lastUse(summary, now, style),
      ]);
    const head = ['NAME', 'SERVICE', 'URL', 'DEFAULT', 'TOKEN', 'LAST USED'];
    return {
      data: summaries,
      text: (style) => renderList(head, rowsFor(style), style),
      // The others are told all the same.
      failure: known.find(({ problem }) => problem)?.problem,
      isFailureTold: true,
    };
  }

  /**
   * Short: `local` is the default of those services that have no other, and what leasectl serves may
   * be that of some; `profile show` names them.
   */
  async #isDefault(summary: ProfileSummary): Promise<string> {
    const shown = await this.shownDefault(summary);
    if (['yes', 'no'].includes(shown)) return shown;
    return summary.name === LOCAL ? 'others' : 'some';
  }
}

/** Who reads it later, or asks for UTC, gets the time itself. */
function lastUse({ last_used_at }: ProfileSummary, now: number, style: Style): string {
  if (last_used_at === null) return '';
  const isAgo = style.isInteractive && !style.isUtc;
  return isAgo ? timeAgo(Date.parse(last_used_at), now) : (serviceTime(last_used_at, style) ?? '');
}
