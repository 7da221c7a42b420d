import type { Kind } from '../../engine/lease.ts';
import type { QueuedWork } from '../../engine/queue.ts';
import { QUEUE_COLUMNS, toQueuedWork } from '../queue-row.ts';
import type { Session } from './session.ts';

const FROM = `SELECT ${QUEUE_COLUMNS} FROM leasectl.leases WHERE namespace = $1 AND kind = $2`;
const LAST_FIRST = 'ORDER BY id DESC LIMIT $3';

/** As `View.queue`. */
export async function findQueue(
  session: Session,
  namespace: string,
  kind: Kind,
  below: string | undefined,
  limit: number,
): Promise<readonly QueuedWork[]> {
  const rows =
    below === undefined
      ? await session.rows(`${FROM} ${LAST_FIRST}`, namespace, kind, limit)
      : await session.rows(`${FROM} AND id < $4 ${LAST_FIRST}`, namespace, kind, limit, below);
  return rows.map(toQueuedWork);
}
