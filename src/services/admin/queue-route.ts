import type { Engine } from '../../engine/engine.ts';
import type { Candidate, Kind } from '../../engine/lease.ts';
import type { QueuedWork } from '../../engine/queue.ts';
import { json, type Route } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { invalid, refuseFor } from './errors.ts';
import { type Needs, QueueTally } from './queue-tally.ts';
import { type QueueInfo, QueueQuery } from './queue-wire.ts';
import { BASE_PATH, MOST_LISTED } from './wire.ts';

/** Work that waits for somebody, in the words of the dialect whose it is. */
export interface Countable {
  readonly kind: Kind;
  readonly needsOf: (work: QueuedWork) => Needs;
  /** Somebody who may have whatever waits. */
  readonly anybody: Candidate;
}

/** How much of a queue is counted. */
export interface Counting {
  /** Rows read at once: nobody else is answered while SQLite reads them. */
  readonly piece: number;
  /** Rows read by one request, at most. */
  readonly most: number;
}

const USUALLY: Counting = { piece: 500, most: 200_000 };

/** How a queue stands. */
export function queueRoute(engine: Engine, countable: Countable, counting = USUALLY): Route {
  return {
    method: 'GET',
    path: `${BASE_PATH}/queue`,
    scope: 'admin',
    refuse: refuseFor,
    handle: async ({ query }): Promise<HttpAnswer> => {
      const parameters: unknown = Object.fromEntries(query);
      if (!fits(QueueQuery, parameters)) return invalid(QueueQuery, parameters);
      return json(200, await queueInfo(engine, countable, counting));
    },
  };
}

/**
 * Counts in small pieces, between which others have their turn. By its id each piece of work is met
 * once, whatever becomes of it meanwhile.
 */
async function queueInfo(
  engine: Engine,
  countable: Countable,
  { piece, most }: Counting,
): Promise<QueueInfo> {
  const tally = new QueueTally(countable.needsOf);
  let below: string | undefined;
  let read = 0;
  for (;;) {
    const { work, next, now } = await engine.queue(countable.kind, below, piece);
    tally.add(work, now);
    read += piece;
    if (next === undefined || read >= most) {
      const { whole, types, counted } = tally.result();
      return {
        ...{ kind: countable.kind, now: new Date(now).toISOString() },
        ...{ counted, is_whole: next === undefined },
        ...whole,
        ...(next === undefined ? {} : await known(engine, countable)),
        types: types.slice(0, MOST_LISTED),
        types_left_off: Math.max(0, types.length - MOST_LISTED),
      };
    }
    below = next;
  }
}

/** What an index tells of a queue that is too long to be counted. */
async function known(engine: Engine, { kind, anybody }: Countable) {
  const census = (await engine.census()).find((counted) => counted.kind === kind);
  const [oldest] = await engine.list(kind, anybody, 1);
  return {
    pending: census?.claimable ?? 0,
    claimed: census?.held ?? 0,
    oldest_pending_id: oldest?.id ?? null,
    oldest_pending_at: oldest ? new Date(oldest.firstSeenAt).toISOString() : null,
  };
}
