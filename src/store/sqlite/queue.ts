import type { Kind } from '../../engine/lease.ts';
import type { QueuedWork } from '../../engine/queue.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { QUEUE_COLUMNS, toQueuedWork } from '../queue-row.ts';

/** By the primary key, whose order is the one that is wanted. */
export const queueFrom = (isBelow: boolean) => `SELECT ${QUEUE_COLUMNS} FROM leases NOT INDEXED
  WHERE namespace = ? AND kind = ?${isBelow ? ' AND id < ?' : ''} ORDER BY id DESC LIMIT ?`;

/** As `View.queue`. */
export function findQueue(
  statement: Statements,
  namespace: string,
  kind: Kind,
  below: string | undefined,
  limit: number,
): readonly QueuedWork[] {
  const from = below === undefined ? [] : [below];
  return statement(queueFrom(below !== undefined))
    .all(namespace, kind, ...from, limit)
    .map(toQueuedWork);
}
