import type { Failure } from './domain/failure.ts';
import type { AdminClient } from './services/admin/client.ts';
import { type EventInfo, type HistoryQuery, MOST_LISTED } from './services/admin/wire.ts';

export interface FollowedHistory {
  /** How many of the past are told at most, the latest. Default: all, up to {@link MOST_TOLD}. */
  readonly most?: number | undefined;
  /** Told that there were more, and where they end. */
  readonly onMore: (before: number) => void;
  /** How long there may be no connection at first, in milliseconds. */
  readonly patience: number;
  /** Told each event, in the order in which they happened; the next one when it is done. */
  readonly print: (event: EventInfo) => Promise<void>;
  /** Told that the connection is lost, and why; and that there is one again. */
  readonly onLost: (failure: Failure) => void;
  readonly onConnectedAgain: () => void;
}

/** They are kept until the first of them is told. */
const MOST_TOLD = 100_000;

/**
 * Tells what happened, and goes on with what happens: nothing in between is missing or told twice.
 *
 * @param query what is told of the past and followed
 * @throws Failure as `AdminClient.history` and `AdminClient.follow`
 */
export async function followHistory(
  client: Pick<AdminClient, 'history' | 'follow'>,
  query: HistoryQuery,
  signal: AbortSignal,
  { most, onMore, patience, print, onLost, onConnectedAgain }: FollowedHistory,
): Promise<void> {
  const { kind, id, type } = query;
  const ending = new AbortController();
  signal.addEventListener('abort', () => ending.abort());
  const told = new Set<number>();
  let failure: { readonly error: unknown } | undefined;
  const tellPast = async () => {
    const { events, next } = await latest(client, query, most ?? MOST_TOLD);
    if (next !== null && most === undefined) onMore(next);
    for (const event of events.toReversed()) {
      told.add(event.sequence);
      await print(event);
    }
  };
  // Asked for when whatever comes later is followed already.
  let past: Promise<void> | undefined;
  const onConnected = () => {
    if (past) onConnectedAgain();
    past ??= tellPast().catch((error) => {
      failure = { error };
      ending.abort();
    });
  };
  const hooks = { patience, onLost, onConnected };
  for await (const event of client.follow({ kind, id, type }, ending.signal, hooks)) {
    await past;
    if (!failure && !told.delete(event.sequence)) await print(event);
  }
  await past;
  if (failure) throw failure.error;
}

/** The latest events, as many as there are in so many, whatever one answer holds. */
async function latest(
  client: Pick<AdminClient, 'history'>,
  query: HistoryQuery,
  most: number,
): Promise<{ readonly events: readonly EventInfo[]; readonly next: number | null }> {
  const events: EventInfo[] = [];
  let next: number | null = null;
  do {
    const limit = String(Math.min(most - events.length, MOST_LISTED));
    const before: Pick<HistoryQuery, 'before'> = next === null ? {} : { before: String(next) };
    const answer = await client.history({ ...query, ...before, limit });
    events.push(...answer.events);
    next = answer.next;
  } while (next !== null && events.length < most);
  return { events, next };
}
