import type { JsonObject } from '../domain/json.ts';
import { type Finish, type Instant, type Kind, type Lease, remembered } from './lease.ts';
import type { View } from './store.ts';

/** A piece of work as far as it tells how its queue stands: neither handles nor results. */
export interface QueuedWork
  extends Pick<
    Lease,
    'id' | 'fencingToken' | 'firstSeenAt' | 'changedAt' | 'expiresAt' | 'metadata'
  > {
  readonly acquiredAt: Instant;
  readonly finish: Pick<Finish, 'way' | 'at'> | null;
  readonly data: JsonObject;
}

/** What is read of a queue at once. */
export interface QueuePiece {
  readonly work: readonly QueuedWork[];
  /** What to go on below; undefined at the end. */
  readonly next: string | undefined;
  readonly now: Instant;
}

export async function pieceOf(
  view: View,
  kind: Kind,
  below: string | undefined,
  limit: number,
): Promise<QueuePiece> {
  const found = await view.queue(kind, below, limit);
  const { now } = view;
  const next = found.length < limit ? undefined : found.at(-1)?.id;
  return { work: found.filter((work) => remembered(work, now)), next, now };
}
