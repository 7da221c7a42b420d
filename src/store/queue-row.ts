import * as z from 'zod/mini';
import type { QueuedWork } from '../engine/queue.ts';
import { toObject } from './lease-row.ts';

/** The columns of `leases` that tell how a queue stands. */
export const QUEUE_COLUMNS = [
  ...['id', 'fencing_token', 'first_seen_at', 'changed_at', 'expires_at', 'acquired_at'],
  ...['metadata', 'work_data', 'finish_way', 'finish_at'],
].join(', ');

const Row = z.lazy(() =>
  z.object({
    id: z.string(),
    fencing_token: z.int(),
    first_seen_at: z.int(),
    changed_at: z.int(),
    expires_at: z.int(),
    acquired_at: z.int(),
    metadata: z.nullable(z.string()),
    work_data: z.nullable(z.string()),
    finish_way: z.nullable(z.enum(['complete', 'fail', 'cancel'])),
    finish_at: z.nullable(z.int()),
  }),
);

/** @throws ZodError, or Error, when the row is not one of these columns */
export function toQueuedWork(value: unknown): QueuedWork {
  const row = Row.parse(value);
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
