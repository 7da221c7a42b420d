import type { Transaction } from '../../engine/store.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { toEvent } from '../event-row.ts';

/** The part of a transaction that keeps what happened. */
export function bindEvents(
  statement: Statements,
  namespace: string,
): Pick<Transaction, 'events' | 'saveEvent'> {
  return {
    async events({ kind, id, type, before }, limit) {
      const conditions = [
        ['namespace = ?', namespace],
        ['kind = ?', kind],
        ['id = ?', id],
        ['type = ?', type],
        ['sequence < ?', before],
      ].filter(([, value]) => value !== undefined);
      const where = conditions.map(([condition]) => condition).join(' AND ');
      return statement(`SELECT * FROM events WHERE ${where} ORDER BY sequence DESC LIMIT ?`)
        .all(...conditions.map(([, value]) => value), limit)
        .map(toEvent);
    },
    async saveEvent({ kind, id, type, at, fencingToken, version, caller, detail }) {
      statement(
        `INSERT OR IGNORE INTO events
           (namespace, kind, id, type, at, fencing_token, version, caller, detail)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        namespace,
        kind,
        id,
        type,
        at,
        fencingToken,
        version,
        caller,
        detail && JSON.stringify(detail),
      );
    },
  };
}
