import { boolean, option, string } from '@oclif/core/flags';
import { AdminCommand, kindFlag, kindOf } from '../../admin-command.ts';
import { listFlags } from '../../answer-view.ts';
import type { Answer } from '../../base-command.ts';
import { parseCount } from '../../count.ts';
import { EVENT_TYPES } from '../../engine/history.ts';
import { createEventLines } from '../../event-lines.ts';
import { type FollowedHistory, followHistory } from '../../follow-history.ts';
import { eventColumns, eventRow } from '../../lease-view.ts';
import { cutMiddle, renderList } from '../../output/table.ts';
import { shownPast } from '../../output/time.ts';
import { optional } from '../../positional.ts';
import type { AdminClient } from '../../services/admin/client.ts';
import { type HistoryQuery, MOST_LISTED, USUALLY_LISTED } from '../../services/admin/wire.ts';
import { parseSince } from '../../since.ts';

/** Columns that an id gets in a sentence. */
const LONGEST = 64;
/** What is told of the past before what comes. */
const USUALLY_FOLLOWED = 10;

export default class AdminHistory extends AdminCommand {
  static override readonly summary = "List what happened to the leases of leasectl's own service";
  static override readonly description = [
    'The latest comes first; with --follow it comes last, and then what happens, as it happens, until',
    'Ctrl-C, with --json an event a line. They are in the order in which they were noted: that one ran',
    'out is noted when somebody sees it, as who acquires again or the next housekeeping of the service,',
    'with the time of its end. Of renewals, and of those who were refused, each lease keeps the latest',
    '100.',
  ].join(' ');
  static override readonly examples = [
    '<%= config.bin %> admin history',
    '<%= config.bin %> admin history hello --type acquired --type expired --limit 5 --json',
    '<%= config.bin %> admin history --since 1h --type refused',
    "<%= config.bin %> admin history hello --query 'events[].id'",
  ];
  static override readonly args = {
    id: optional('Key, or id of a job, to which it happened [default: all]', 'lease'),
  };
  static override readonly flags = {
    kind: kindFlag('Only what happened to leases on these'),
    type: option({
      description: 'Only events of this type; repeatable',
      options: EVENT_TYPES,
      multiple: true,
      helpValue: 'TYPE',
    })(),
    since: string({
      description: 'Only what happened since: so long ago, or a time, like 2025-01-15T10:30:00Z',
      helpValue: 'DURATION|TIME',
    }),
    follow: boolean({
      description: 'Go on with what happens, as it happens',
      exclusive: ['before'],
    }),
    limit: string({
      description: `At most so many of the past, up to ${MOST_LISTED} [default: ${USUALLY_LISTED}; with --follow ${USUALLY_FOLLOWED}, or all with --since]`,
      helpValue: 'NUMBER',
    }),
    before: string({
      description: 'Only what happened before this event: the next of an earlier answer',
      helpValue: 'NUMBER',
    }),
    ...listFlags,
  };

  protected override changesNothing = true;

  protected async execute(): Promise<Answer | number> {
    const { args, flags } = await this.parse(AdminHistory);
    const limit = flags.limit && String(parseCount(flags.limit, '--limit', MOST_LISTED));
    const before =
      flags.before && String(parseCount(flags.before, '--before', Number.MAX_SAFE_INTEGER));
    const since = flags.since && parseSince(flags.since, '--since', this.context.now());
    const query = { kind: kindOf(flags.kind), id: args.id, type: flags.type?.join(','), since };
    const { client } = await this.connect(flags);
    if (!flags.follow) return this.#list(client, { ...query, before, limit });
    this.context.terminal.waitForNobody();
    const usual = since === undefined ? USUALLY_FOLLOWED : undefined;
    const most = limit === undefined ? usual : Number(limit);
    return this.#follow(client, query, { most, patience: this.connectOptions(flags).timeout });
  }

  async #list(client: AdminClient, query: HistoryQuery): Promise<Answer> {
    const answer = await client.history(query);
    if (answer.next !== null) this.notice(`There are more: --before ${answer.next}`);
    if (answer.events.length === 0) this.#tellOfNone(query);
    const now = this.context.now();
    return {
      data: answer,
      text: (style) =>
        renderList(
          eventColumns(style),
          answer.events.map((event) => eventRow(event, shownPast(event.at, now, style), style)),
          style,
        ),
    };
  }

  #tellOfNone({ id, kind, type, since, before }: HistoryQuery): void {
    const asked = [kind, type, since, before].some((value) => value !== undefined);
    const words = `Nothing${asked ? ' that is asked for' : ''} is noted`;
    this.notice(
      id === undefined
        ? `${words}.`
        : `${words} of ${cutMiddle(id, LONGEST)}: check the spelling. Events are kept for 30 days.`,
    );
  }

  /** Ends with a failure, or with the process. */
  async #follow(
    client: AdminClient,
    query: HistoryQuery,
    bounds: Pick<FollowedHistory, 'most' | 'patience'>,
  ): Promise<number> {
    const linesOf = createEventLines();
    await followHistory(client, query, new AbortController().signal, {
      ...bounds,
      onMore: (before) => this.notice(`There were more: admin history --before ${before}`),
      print: (event) => this.printPart({ data: event, text: (style) => linesOf(event, style) }),
      onConnectedAgain: () => this.notice('Connected again: it goes on from where it was.'),
      onLost: ({ message }) => this.notice(`${message} It is tried again.`),
    });
    return 0;
  }
}
