import * as z from 'zod/mini';
import { type EventFilter, ROUTINE } from '../../engine/history.ts';
import type { Transaction } from '../../engine/store.ts';
import {
  ANY_KIND,
  areRare,
  DISORDER,
  EVENT_COLUMNS,
  RARE,
  routineOf,
  SAME_ROUTINE,
  toEvent,
  toEventRow,
} from '../event-row.ts';
import type { Session, Value } from './session.ts';
import { bindTail } from './tail.ts';

const SELECTED = ['sequence', ...EVENT_COLUMNS].join(', ');
const SAVE = `INSERT INTO leasectl.events (${EVENT_COLUMNS.join(', ')})
  VALUES (${EVENT_COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT DO NOTHING`;
/**
 * All but the latest of events that happen all the time; with the one that is saved there are as many
 * as are kept. What somebody else is about to forget is left to him.
 */
const savingRoutine = (same: string) => `WITH gone AS (
    DELETE FROM leasectl.events WHERE sequence IN (
      SELECT sequence FROM leasectl.events WHERE ${same} AND sequence <= (
        SELECT sequence FROM leasectl.events
        WHERE ${same} ORDER BY sequence DESC LIMIT 1 OFFSET ${ROUTINE.kept - 1})
      FOR UPDATE SKIP LOCKED))
  ${SAVE}`;
const SAVE_ROUTINE = {
  lease: savingRoutine(SAME_ROUTINE.lease),
  unknown: savingRoutine(SAME_ROUTINE.unknown),
};
/** From where on events may be of a time, or later. */
const BEGIN = `SELECT sequence FROM leasectl.events
  WHERE namespace = $1 AND at >= $2 AND type <> 'expired' ORDER BY at, sequence LIMIT 1`;

const Begin = z.object({ sequence: z.int() });

type Events = Pick<Transaction, 'events' | 'saveEvent' | 'tail'>;

/** The part of a transaction that keeps what happened. */
export function bindEvents(session: Session, namespace: string): Events {
  return {
    ...bindTail(session, namespace),
    async events(filter, limit) {
      const begin = await beginOf(session, namespace, filter.since);
      if (begin === undefined) return [];
      const values: Value[] = [];
      const parameter = (value: Value) => `$${values.push(value)}`;
      const where = conditionsOf(namespace, filter, begin)
        .map(([condition, value]) => condition(parameter(value)))
        .join(' AND ');
      const rows = await session.rows(
        `SELECT ${SELECTED} FROM leasectl.events WHERE ${where}
         ORDER BY sequence DESC LIMIT ${parameter(limit)}`,
        ...values,
      );
      return rows.map(toEvent);
    },
    async saveEvent(event) {
      const row = toEventRow(namespace, event);
      // Only of an end it may be known already.
      if (event.type === 'expired') return (await session.change(SAVE, ...row)) > 0;
      const routine = routineOf(event);
      session.send(routine === undefined ? SAVE : SAVE_ROUTINE[routine], ...row);
      return true;
    },
  };
}

/** @returns undefined where there is none */
async function beginOf(
  session: Session,
  namespace: string,
  since: number | undefined,
): Promise<number | undefined> {
  if (since === undefined) return 0;
  const [row] = await session.rows(BEGIN, namespace, since - DISORDER);
  return row === undefined ? undefined : Begin.parse(row).sequence;
}

type Condition = readonly [condition: (parameter: string) => string, value: Value];

function conditionsOf(namespace: string, filter: EventFilter, begin: number): Condition[] {
  const { kind, id, types, before, since } = filter;
  const conditions: Condition[] = [[(value) => `namespace = ${value}`, namespace]];
  if (kind !== undefined) conditions.push([(value) => `kind = ${value}`, kind]);
  if (id !== undefined) {
    const anyKind = kind === undefined ? `${ANY_KIND} AND ` : '';
    conditions.push([(value) => `${anyKind}id = ${value}`, id]);
  }
  if (types) {
    const isRare = id === undefined && areRare(types) ? `${RARE} AND ` : '';
    conditions.push([(value) => `${isRare}type = ANY (${value}::text[])`, types]);
  }
  if (before !== undefined) conditions.push([(value) => `sequence < ${value}`, before]);
  if (since !== undefined) {
    conditions.push([(value) => `sequence >= ${value}`, begin]);
    conditions.push([(value) => `at >= ${value}`, since]);
  }
  return conditions;
}
