import type { Clock } from '../domain/clock.ts';
import { integer, orNull, rowOf, text } from '../domain/columns.ts';
import type { Connection } from '../sqlite/database.ts';
import { explained } from '../sqlite/errors.ts';
import { ADDRESS, key, type LeaseAddress, PLACE, place } from './address.ts';

/** A request with an idempotency key of which no answer is known yet. */
export interface Attempt {
  readonly idempotencyKey: string;
  /** Digest of what the user asked for. */
  readonly requestHash: string;
  /** Of the lease that the request is about. Secret. */
  readonly handle: string;
  /** The one that was sent: to repeat the request is to send it again. */
  readonly fencingToken: number | undefined;
}

/** The part of the ledger that makes the repetition of a lost request the same request. */
export interface Attempts {
  /**
   * Begins an attempt, unless one with the same handle is waiting for its answer.
   *
   * @returns the one that waits, else the one that was given
   */
  begin(address: LeaseAddress, attempt: Attempt): Attempt;
  /** The one that waits for its answer, if there is one. */
  waiting(address: LeaseAddress): Attempt | undefined;
  /** Begins an attempt in place of whatever waits. */
  replace(address: LeaseAddress, attempt: Attempt): void;
  /** Its answer is known. */
  settle(address: LeaseAddress, idempotencyKey: string): void;
}

const toColumns = rowOf({
  idempotency_key: text,
  request_hash: text,
  handle: text,
  fencing_token: orNull(integer),
});

export function bindAttempts(db: Connection, file: string, now: Clock): Attempts {
  const put = (address: LeaseAddress, attempt: Attempt, condition: string, ...more: string[]) => {
    const { idempotencyKey, requestHash, handle, fencingToken } = attempt;
    db.prepare(
      `INSERT INTO attempts (service, profile, location, id,
         idempotency_key, request_hash, handle, fencing_token, begun_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET
         (idempotency_key, request_hash, handle, fencing_token, begun_at) =
         (excluded.idempotency_key, excluded.request_hash, excluded.handle,
          excluded.fencing_token, excluded.begun_at)
       ${condition}`,
    ).run(
      ...key(address),
      idempotencyKey,
      requestHash,
      handle,
      fencingToken ?? null,
      now(),
      ...more,
    );
  };
  const waiting = (address: LeaseAddress) => {
    const sql = `SELECT idempotency_key, request_hash, handle, fencing_token
      FROM attempts WHERE ${ADDRESS}`;
    const [row] = db.prepare(sql).all(...key(address));
    if (row === undefined) return undefined;
    const { idempotency_key, request_hash, handle, fencing_token } = toColumns(row);
    return {
      idempotencyKey: idempotency_key,
      requestHash: request_hash,
      handle,
      fencingToken: fencing_token ?? undefined,
    };
  };
  return {
    begin: (address, attempt) =>
      explained(file, () => {
        // One statement decides which of several processes begins; then all go on with its attempt.
        put(address, attempt, 'WHERE handle <> ?', attempt.handle);
        // None where another process settled it in this very moment.
        return waiting(address) ?? attempt;
      }),
    waiting: (address) => explained(file, () => waiting(address)),
    replace: (address, attempt) => explained(file, () => put(address, attempt, '')),
    settle: (address, idempotencyKey) =>
      explained(file, () => {
        const sql = `DELETE FROM attempts WHERE ${PLACE} AND idempotency_key = ?`;
        db.prepare(sql).run(...place(address), idempotencyKey);
      }),
  };
}
