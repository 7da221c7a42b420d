import { Failure } from '../../domain/failure.ts';
import type { Feed } from '../../engine/feed.ts';
import type { Event, Tail } from '../../engine/history.ts';
import { EVENT_STREAM } from '../../http/listen.ts';
import type { Route } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { invalid, refuse, refuseFor } from './errors.ts';
import { eventInfo, typesIn } from './lease-routes.ts';
import { BASE_PATH, EventsQuery, POSITION } from './wire.ts';

/** Milliseconds of silence after which a line shows that somebody is there. */
const HEARTBEAT = 15_000;

const HEADERS = {
  'content-type': EVENT_STREAM,
  'cache-control': 'no-store',
  // nginx would gather them.
  'x-accel-buffering': 'no',
};

/** What happens, told as it happens. */
export function eventRoute(feed: Feed, heartbeat = HEARTBEAT): Route {
  return {
    method: 'GET',
    path: `${BASE_PATH}/events`,
    scope: 'admin',
    refuse: refuseFor,
    handle: async ({ query, header }) => {
      const parameters: unknown = Object.fromEntries(query);
      if (!fits(EventsQuery, parameters)) return invalid(EventsQuery, parameters);
      const after = header('last-event-id') || undefined;
      const refusal = await refusalOf(feed, after);
      if (refusal) return refusal;
      const isWanted = filterOf(parameters);
      return {
        status: 200,
        headers: HEADERS,
        body: '',
        pieces: (signal) => piecesOf(feed.follow(after, signal), isWanted, heartbeat),
      };
    },
  };
}

/** What would keep events from coming is told in the place of them. */
async function refusalOf(feed: Feed, after: string | undefined): Promise<HttpAnswer | undefined> {
  try {
    await feed.check(after);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'invalid_request') throw error;
    return refuse('invalid_request', error.message);
  }
}

type Filter = (event: Event) => boolean;

function filterOf({ kind, id, type }: EventsQuery): Filter {
  const types = typesIn(type);
  return (event) =>
    (kind === undefined || event.kind === kind) &&
    (id === undefined || event.id === id) &&
    (types?.includes(event.type) ?? true);
}

/** The text of a stream of events, each part in one piece. */
async function* piecesOf(
  parts: AsyncGenerator<Tail, void>,
  isWanted: Filter,
  heartbeat: number,
): AsyncGenerator<string, void> {
  /** The place that was told last, and the one that is reached. */
  let told: string | undefined;
  let reached: string | undefined;
  for await (const part of withSilences(parts, heartbeat)) {
    const events = part?.events.filter(isWanted) ?? [];
    reached = part?.cursor ?? reached;
    if (events.length > 0 && reached !== undefined) yield textOf(events, reached);
    // Whoever comes again is spared to look for what it did not want.
    else if (reached !== undefined && (told === undefined || (!part && told !== reached))) {
      yield positionAt(reached);
    } else if (!part) yield ALIVE;
    else continue;
    told = reached;
  }
}

/** What comes, and undefined for each time that nothing did for so many milliseconds. */
async function* withSilences<T>(
  source: AsyncGenerator<T, void>,
  milliseconds: number,
): AsyncGenerator<T | undefined, void> {
  let next: Promise<IteratorResult<T, void>> | undefined;
  try {
    for (;;) {
      next ??= source.next();
      const result = await withinTime(next, milliseconds);
      if (result?.done) return;
      if (result) next = undefined;
      else next.catch(() => undefined);
      yield result?.value;
    }
  } finally {
    // It ends with its signal: who waits for it here may be who lets that come.
    source.return().catch(() => undefined);
  }
}

/** @returns undefined where it takes longer */
async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const ALIVE = ': alive\n\n';

function positionAt(cursor: string): string {
  return `id: ${cursor}\nevent: ${POSITION}\ndata: {}\n\n`;
}

/** Only behind all of them is a place from which none of them is missing. */
function textOf(events: readonly Event[], cursor: string): string {
  const last = events.length - 1;
  return events.map((event, at) => (at < last ? '' : `id: ${cursor}\n`) + ownText(event)).join('');
}

/** Made once for all who are told. */
const texts = new WeakMap<Event, string>();

function ownText(event: Event): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = `event: ${event.type}\ndata: ${JSON.stringify(eventInfo(event))}\n\n`;
  texts.set(event, text);
  return text;
}
