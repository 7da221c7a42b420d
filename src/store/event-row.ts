import { integer, oneOf, orNull, rowOf, text } from '../domain/columns.ts';
import {
  EVENT_TYPES,
  type Event,
  type EventType,
  type NewEvent,
  ROUTINE,
} from '../engine/history.ts';
import { KIND_NAMES } from '../engine/lease.ts';
import { kindName, toObject } from './lease-row.ts';

const stateOrNull = orNull(oneOf(['held', 'waiting', 'expired', 'completed', 'failed']));

const toColumns = rowOf({
  sequence: integer,
  kind: kindName,
  id: text,
  type: oneOf(EVENT_TYPES),
  at: integer,
  fencing_token: integer,
  version: integer,
  caller: orNull(text),
  detail: orNull(text),
  request_id: orNull(text),
  state_before: stateOrNull,
  state_after: stateOrNull,
});

/** What is written of an event. */
export const EVENT_COLUMNS = [
  'namespace',
  'kind',
  'id',
  'type',
  'at',
  'fencing_token',
  'version',
  'caller',
  'detail',
  'request_id',
  'state_before',
  'state_after',
] as const;

export function toEvent(value: unknown): Event {
  const { fencing_token, request_id, state_before, state_after, detail, ...row } = toColumns(value);
  return {
    ...row,
    fencingToken: fencing_token,
    requestId: request_id,
    before: state_before,
    after: state_after,
    detail: toObject(detail),
  };
}

/** The values of {@link EVENT_COLUMNS}, in their order. */
export type EventRow = readonly (string | number | null)[];

export function toEventRow(namespace: string, event: NewEvent): EventRow {
  const { kind, id, type, at, fencingToken, version, caller, requestId, detail } = event;
  const told = detail && JSON.stringify(detail);
  const states = [event.before, event.after];
  return [namespace, kind, id, type, at, fencingToken, version, caller, told, requestId, ...states];
}

const COMMON: readonly EventType[] = ['added', 'acquired', 'extended', 'completed', 'refused'];
/** What is not common, as SQL, word for word as the index `events_rare` has it. */
export const RARE = `type NOT IN (${COMMON.map((type) => `'${type}'`).join(', ')})`;

/** Whether events of these types are all rare. */
export function areRare(types: readonly EventType[]): boolean {
  return types.every((type) => !COMMON.includes(type));
}

/** Of whatever kind, as SQL that an index by kinds and ids can use. */
export const ANY_KIND = `kind IN (${KIND_NAMES.map((kind) => `'${kind}'`).join(', ')})`;

/** What is the same for events of which only the latest are kept, as SQL. */
export const SAME_ROUTINE = {
  /** Of one lease. */
  lease: `namespace = $1 AND kind = $2 AND id = $3 AND type = $4
    AND type IN (${ROUTINE.types.map((type) => `'${type}'`).join(', ')})`,
  /** Of ids without a lease. */
  unknown: "namespace = $1 AND type = 'refused' AND version = 0",
} as const;

/** Undefined for an event that is kept for as long as any. */
export function routineOf({ type, version }: NewEvent): keyof typeof SAME_ROUTINE | undefined {
  if (!ROUTINE.types.some((routine) => routine === type)) return undefined;
  return type === 'refused' && version === 0 ? 'unknown' : 'lease';
}

/**
 * How far back, in milliseconds, events may be noted that are not in the order of their times: those
 * who note read the time first. Of what ran out that is noted at any time.
 */
export const DISORDER = 60_000;
