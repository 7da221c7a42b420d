import { integer, orNull, rowOf, text } from '../domain/columns.ts';
import type { QueuedWork } from '../engine/queue.ts';
import { finishWay, toObject } from './lease-row.ts';

/** The columns of `leases` that tell how a queue stands. */
export const QUEUE_COLUMNS = [
  ...['id', 'fencing_token', 'first_seen_at', 'changed_at', 'expires_at', 'acquired_at'],
  ...['metadata', 'work_data', 'finish_way', 'finish_at'],
].join(', ');

const toColumns = rowOf({
  id: text,
  fencing_token: integer,
  first_seen_at: integer,
  changed_at: integer,
  expires_at: integer,
  acquired_at: integer,
  metadata: orNull(text),
  work_data: orNull(text),
  finish_way: orNull(finishWay),
  finish_at: orNull(integer),
});

/** @throws Error when the row is not one of these columns */
export function toQueuedWork(value: unknown): QueuedWork {
  const row = toColumns(value);
  const { finish_way: way, finish_at: at } = row;
  return {
    id: row.id,
    fencingToken: row.fencing_token,
    firstSeenAt: row.first_seen_at,
    changedAt: row.changed_at,
    expiresAt: row.expires_at,
    acquiredAt: row.acquired_at,
    metadata: toObject(row.metadata),
    finish: way === null || at === null ? null : { way, at },
    data: toObject(row.work_data) ?? {},
  };
}
