import { integer, rowOf, text } from '../../domain/columns.ts';
import type { Instant } from '../../engine/lease.ts';
import type { Transaction } from '../../engine/store.ts';
import type { Statements } from '../../sqlite/statements.ts';

const toColumns = rowOf({ request_hash: text, fencing_token: integer });

/** The part of a transaction that keeps which idempotency keys made a change. */
export function bindReceipts(
  statement: Statements,
  namespace: string,
  now: Instant,
): Pick<Transaction, 'findReceipt' | 'saveReceipt'> {
  return {
    async findReceipt(kind, id, idempotencyKey) {
      const [row] = statement(
        `SELECT request_hash, fencing_token FROM receipts
           WHERE namespace = ? AND kind = ? AND id = ? AND idempotency_key = ?`,
      ).all(namespace, kind, id, idempotencyKey);
      if (row === undefined) return undefined;
      const { request_hash, fencing_token } = toColumns(row);
      return { idempotencyKey, requestHash: request_hash, fencingToken: fencing_token };
    },
    async saveReceipt(kind, id, { idempotencyKey, requestHash, fencingToken }) {
      statement(
        `INSERT INTO receipts
           (namespace, kind, id, idempotency_key, request_hash, fencing_token, at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(namespace, kind, id, idempotencyKey, requestHash, fencingToken, now);
    },
  };
}
