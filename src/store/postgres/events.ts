import type { Transaction } from '../../engine/store.ts';
import { toEvent } from '../event-row.ts';
import type { Session, Value } from './session.ts';

const COLUMNS = 'sequence, kind, id, type, at, fencing_token, version, caller, detail';
const SAVE = `INSERT INTO leasectl.events
    (namespace, kind, id, type, at, fencing_token, version, caller, detail)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT DO NOTHING`;

/** The part of a transaction that keeps what happened. */
export function bindEvents(
  session: Session,
  namespace: string,
): Pick<Transaction, 'events' | 'saveEvent'> {
  return {
    async events({ kind, id, type, before }, limit) {
      const values: Value[] = [];
      const conditions: string[] = [];
      const add = (condition: string, value: Value | undefined) => {
        if (value !== undefined) conditions.push(`${condition} $${values.push(value)}`);
      };
      add('namespace =', namespace);
      add('kind =', kind);
      add('id =', id);
      add('type =', type);
      add('sequence <', before);
      const rows = await session.rows(
        `SELECT ${COLUMNS} FROM leasectl.events WHERE ${conditions.join(' AND ')}
         ORDER BY sequence DESC LIMIT $${values.push(limit)}`,
        ...values,
      );
      return rows.map(toEvent);
    },
    async saveEvent({ kind, id, type, at, fencingToken, version, caller, detail }) {
      const told = detail && JSON.stringify(detail);
      session.send(SAVE, namespace, kind, id, type, at, fencingToken, version, caller, told);
    },
  };
}
