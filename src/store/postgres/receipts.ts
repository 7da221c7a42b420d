import * as z from 'zod/mini';
import type { Transaction } from '../../engine/store.ts';
import type { Session } from './session.ts';

const Row = z.object({ request_hash: z.string(), fencing_token: z.int() });

const FIND = `SELECT request_hash, fencing_token FROM leasectl.receipts
  WHERE namespace = $1 AND kind = $2 AND id = $3 AND idempotency_key = $4`;
const SAVE = `INSERT INTO leasectl.receipts
    (namespace, kind, id, idempotency_key, request_hash, fencing_token, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;
const CHARGE = `INSERT INTO leasectl.usage AS usage (namespace, month, shard, acquisitions)
  VALUES ($1, $2, pg_backend_pid() % 16, 1)
  ON CONFLICT (namespace, month, shard) DO UPDATE SET acquisitions = usage.acquisitions + 1`;

/** The part of a transaction that keeps which idempotency keys made a change, and counts. */
export function bindReceipts(
  session: Session,
  namespace: string,
): Pick<Transaction, 'findReceipt' | 'saveReceipt' | 'charge'> {
  return {
    async findReceipt(kind, id, idempotencyKey) {
      const [row] = await session.rows(FIND, namespace, kind, id, idempotencyKey);
      if (row === undefined) return undefined;
      const { request_hash, fencing_token } = Row.parse(row);
      return { idempotencyKey, requestHash: request_hash, fencingToken: fencing_token };
    },
    async saveReceipt(kind, id, { idempotencyKey, requestHash, fencingToken }) {
      const values = [namespace, kind, id, idempotencyKey, requestHash, fencingToken];
      session.send(SAVE, ...values, session.now);
    },
    async charge(month) {
      session.send(CHARGE, namespace, month);
    },
  };
}
