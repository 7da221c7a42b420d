import { setTimeout as delay } from 'node:timers/promises';
import stringWidth from 'string-width';
import type { ConnectOptions } from './connect.ts';
import type { Context } from './context.ts';
import type { LeaseKind } from './insight/sighting.ts';
import { openLeaseView } from './look/lease.ts';
import { wrapped } from './output/checks.ts';
import type { Paint } from './output/style.ts';
import { cutMiddle } from './output/table.ts';
import { shownTime } from './output/time.ts';
import { styleFor } from './report.ts';
import type { Terminal } from './terminal/terminal.ts';
import { visible, visibleSource } from './terminal/visible.ts';
import type { Change } from './watch/change.ts';
import { Inbox } from './watch/inbox.ts';
import { changeJson, changeLine } from './watch/line.ts';
import { WatchModel } from './watch/model.ts';
import type { Texts, Tone } from './watch/piece.ts';
import { keyOf, type Row } from './watch/row.ts';
import type { Place } from './watch/update.ts';
import { watchActions } from './watching/actions.ts';
import { type Feed, type FeedOptions, openFeed, openFeedOfAll } from './watching/feed.ts';
import { LedgerWatch } from './watching/ledger.ts';
import { watchLive } from './watching/live.ts';
import { watchInPipe } from './watching/pipe.ts';
import { watchProcesses } from './watching/processes.ts';
import { placeOf, subjectOf } from './watching/subject.ts';

export interface WatchOptions {
  readonly ids: readonly string[];
  readonly isAll: boolean;
  readonly kind: LeaseKind | undefined;
  readonly context: Context;
  readonly connect: ConnectOptions;
  readonly isJson: boolean;
  readonly argv: readonly string[];
}

/** What is watched. */
interface Watched {
  readonly title: string;
  readonly model: WatchModel;
  /** Asks how leases of a place are. */
  readonly ask: (place: Place, leases: readonly Row[]) => Promise<void>;
}

/** @returns the exit code @throws Failure when nothing is to be seen, or not any more */
export async function runWatch(options: WatchOptions): Promise<number> {
  const inbox = new Inbox();
  const ended = new AbortController();
  options.context.terminal.waitForNobody();
  try {
    // Lines of others would stand in the middle of the screen.
    const quiet = { ...options.connect, notice: () => undefined };
    const connect = isLive(options) ? quiet : options.connect;
    const isStrict = options.ids.length > 0;
    // A person waits until it is there; a script is to learn that it is not.
    const isPatient = isLive(options) || (options.ids.length === 0 && !options.isAll);
    const feed = { ...options, connect, inbox, signal: ended.signal, isStrict, isPatient };
    const watched = await begin(options, feed);
    const { now } = options.context;
    watchProcesses(watched.model, now, ended.signal).catch((error) => inbox.fail(error));
    if (isLive(options)) await showLive(options, watched, inbox);
    else await tellAll(options, watched, inbox);
    return 0;
  } finally {
    ended.abort();
    inbox.close();
  }
}

/** What open connections get to be closed, in milliseconds. */
const LAST_CALL = 200;

/** Ends the process. Calls that hang, and connections that are closed, must not hold that up. */
export async function leave(terminal: Terminal, closed: Promise<void>): Promise<never> {
  await Promise.race([closed, delay(LAST_CALL)]);
  await terminal.flushed();
  process.exit();
}

function isLive({ context: { terminal, env }, isJson }: WatchOptions): boolean {
  const isTerminal = terminal.isInteractive('stdin') && terminal.isInteractive('stdout');
  return isTerminal && !isJson && env['TERM'] !== 'dumb';
}

type Beginning = FeedOptions & Pick<WatchOptions, 'kind'>;

async function begin({ ids, isAll, connect }: WatchOptions, feed: Beginning): Promise<Watched> {
  if (isAll) {
    const { place, check } = await openFeedOfAll(feed);
    const title = `All leases of ${place.profile}`;
    return { title, model: new WatchModel(), ask: (_, leases) => check(leases) };
  }
  if (ids.length > 0) return beginWithIds(feed, ids);
  const ledger = new LedgerWatch(feed, connect.profile);
  await ledger.check();
  void ledger.run();
  const ask: Watched['ask'] = (place, leases) => ledger.ask(place, leases);
  const title = `This machine's leases${connect.profile ? `, profile ${connect.profile}` : ''}`;
  return { title, model: new WatchModel(), ask };
}

async function beginWithIds(options: Beginning, ids: readonly string[]): Promise<Watched> {
  const { context, connect, kind } = options;
  const feeds = new Map<string, Feed>();
  const asked = new Set<string>();
  for (const id of ids) {
    const view = await openLeaseView(context, { id, kind }, connect);
    const place = placeOf(view.place);
    const name = keyOf(place, 'key', '');
    const feed = feeds.get(name) ?? openFeed(view, options);
    feeds.set(name, feed);
    asked.add(keyOf(place, view.kind, view.address.id));
    feed.add(subjectOf(view, context.paths.handles, context.now));
  }
  const model = new WatchModel((place, kind, id) => asked.has(keyOf(place, kind, id)));
  const ask: Watched['ask'] = async (place, leases) =>
    feeds.get(keyOf(place, 'key', ''))?.check(leases);
  return { title: ids.length === 1 ? `Lease ${ids[0]}` : `${ids.length} leases`, model, ask };
}

/** Asks for all of them, each where it is. */
function checkOf({ ask }: Watched): (doubts: readonly Row[]) => void {
  return (doubts) => {
    const places = new Map<string, Row[]>();
    for (const row of doubts) {
      const name = keyOf(row.place, 'key', '');
      const there = places.get(name) ?? [];
      there.push(row);
      places.set(name, there);
    }
    for (const [first, ...others] of places.values()) {
      if (first) void ask(first.place, [first, ...others]);
    }
  };
}

async function tellAll(
  { context, isJson }: WatchOptions,
  watched: Watched,
  source: Inbox,
): Promise<void> {
  const { terminal, redactor, now } = context;
  const isForPeople = terminal.isInteractive('stdout') && !isJson;
  const lineOf = (change: Change) => {
    if (!isForPeople) return visibleSource(redactor.clean(JSON.stringify(changeJson(change))));
    return visible(redactor.clean(changeLine(change, shownTime(change.at, { isUtc: false }))));
  };
  await watchInPipe({
    source,
    model: watched.model,
    check: checkOf(watched),
    now,
    tell: (changes) => terminal.writeOut(changes.map(lineOf).join('\n')),
  });
}

async function showLive(options: WatchOptions, watched: Watched, source: Inbox): Promise<void> {
  const { context, connect, argv } = options;
  const { terminal, redactor, env, now } = context;
  const { paint } = await styleFor('stdout', { terminal, redactor, env, argv, isJson: false });
  const safe = (text: string) => visible(redactor.clean(text));
  const texts: Texts = { safe, widthOf: stringWidth, cut: cutMiddle, wrap: wrapped };
  const actions = watchActions({ context, connect, host: process, safe });
  await watchLive({
    ...{ ...watched, source, host: process, texts, actions, now },
    check: checkOf(watched),
    paint: (text, tone) => painted(paint, text, tone),
  });
}

function painted(paint: Paint, text: string, tone: Tone): string {
  return tone === 'plain' ? text : paint[tone](text);
}
