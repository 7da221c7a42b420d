import { Failure } from '../../domain/failure.ts';
import { type EventFilter, type NewEvent, ROUTINE } from '../../engine/history.ts';
import type { Transaction } from '../../engine/store.ts';
import { firstValue } from '../../sqlite/database.ts';
import type { Statements } from '../../sqlite/statements.ts';
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
import type { Batch } from './batch.ts';

/** Only what ran out may have been noted before. */
const SAVE_ONCE = `INSERT OR IGNORE INTO events (${EVENT_COLUMNS.join(', ')})
  VALUES (${EVENT_COLUMNS.map(() => '?').join(', ')})`;

/** All but the latest of events that happen all the time, by an index that has nothing but them. */
const forgetRoutine = (index: string, same: string) => `DELETE FROM events INDEXED BY ${index}
  WHERE ${same} AND sequence <= (
    SELECT sequence FROM events INDEXED BY ${index}
    WHERE ${same} ORDER BY sequence DESC LIMIT 1 OFFSET ${ROUTINE.kept})`;
const FORGET = {
  lease: forgetRoutine('events_routine', numbered(SAME_ROUTINE.lease)),
  unknown: forgetRoutine('events_unknown', numbered(SAME_ROUTINE.unknown)),
};
/** SQLite writes parameters as `?1`. */
function numbered(sql: string): string {
  return sql.replaceAll('$', '?');
}

/** From where on events may be of a time, or later. */
const BEGIN = `SELECT sequence FROM events INDEXED BY events_by_time
  WHERE namespace = ? AND at >= ? AND type <> 'expired' ORDER BY at LIMIT 1`;
const LATEST = 'SELECT coalesce(max(sequence), 0) FROM events';
/** The last one that was given, be it forgotten. */
const LAST_GIVEN = `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'`;
const TAIL = `SELECT * FROM events WHERE namespace = ? AND sequence > ?
  ORDER BY sequence LIMIT ?`;

type Events = Pick<Transaction, 'events' | 'saveEvent' | 'tail'>;

/** The part of a transaction that keeps what happened. */
export function bindEvents(
  statement: Statements,
  namespace: string,
  batch: Pick<Batch, 'countEvent' | 'keepEvent' | 'writeEvents'>,
): Events {
  return {
    async events({ since, ...filter }, limit) {
      batch.writeEvents();
      const begin = since === undefined ? 0 : beginOf(statement, namespace, since);
      if (begin === undefined) return [];
      const conditions = conditionsOf(namespace, { since, ...filter }, begin);
      const where = conditions.map(([condition]) => condition).join(' AND ');
      const isRare = filter.id === undefined && filter.types && areRare(filter.types);
      const from = isRare ? `INDEXED BY events_rare WHERE ${RARE} AND` : 'WHERE';
      return statement(`SELECT * FROM events ${from} ${where} ORDER BY sequence DESC LIMIT ?`)
        .all(...conditions.map(([, value]) => value), limit)
        .map(toEvent);
    },
    async tail(after, limit) {
      batch.writeEvents();
      if (after === undefined) {
        return { events: [], cursor: String(firstValue(statement(LATEST).all())) };
      }
      const place = sequenceIn(after);
      const events = statement(TAIL).all(namespace, place, limit).map(toEvent);
      const isBeyond = () => place > Number(firstValue(statement(LAST_GIVEN).all()));
      if (events.length === 0 && isBeyond()) throw noPlace(after);
      return { events, cursor: String(events.at(-1)?.sequence ?? after) };
    },
    async saveEvent(event) {
      const row = toEventRow(namespace, event);
      if (event.type === 'expired') {
        batch.writeEvents();
        const { changes } = statement(SAVE_ONCE).run(row);
        if (changes > 0) batch.countEvent(namespace);
        return changes > 0;
      }
      batch.keepEvent(namespace, row, forgetting(statement, namespace, event));
      return true;
    },
  };
}

/** @returns what is to be done when it is written; undefined where that is nothing */
function forgetting(
  statement: Statements,
  namespace: string,
  event: NewEvent,
): (() => void) | undefined {
  const { kind, id, type } = event;
  const routine = routineOf(event);
  if (routine === 'lease') return () => statement(FORGET.lease).run(namespace, kind, id, type);
  if (routine === 'unknown') return () => statement(FORGET.unknown).run(namespace);
  return undefined;
}

/** @returns undefined where there is none */
function beginOf(statement: Statements, namespace: string, since: number): number | undefined {
  const first = firstValue(statement(BEGIN).all(namespace, since - DISORDER));
  return first === undefined ? undefined : Number(first);
}

type Condition = readonly [condition: string, value: string | number];

function conditionsOf(namespace: string, filter: EventFilter, begin: number): Condition[] {
  const { kind, id, types, before, since } = filter;
  const conditions: Condition[] = [['namespace = ?', namespace]];
  if (kind !== undefined) conditions.push(['kind = ?', kind]);
  if (id !== undefined) {
    conditions.push([kind === undefined ? `${ANY_KIND} AND id = ?` : 'id = ?', id]);
  }
  if (types) conditions.push([`type IN (SELECT value FROM json_each(?))`, JSON.stringify(types)]);
  if (before !== undefined) conditions.push(['sequence < ?', before]);
  if (since !== undefined) conditions.push(['sequence >= ?', begin], ['at >= ?', since]);
  return conditions;
}

/** @throws Failure `invalid_request` for what is no cursor of this database */
function sequenceIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw noPlace(cursor);
}

function noPlace(cursor: string): Failure {
  return new Failure('invalid_request', `${JSON.stringify(cursor)} is no place in this history.`, {
    hint: 'Begin anew, without it. Was the database replaced by another one?',
  });
}
