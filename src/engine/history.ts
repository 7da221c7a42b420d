import type { JsonObject } from '../domain/json.ts';
import type { Outcome } from './command.ts';
import type { FinishWay, Instant, Kind, Lease } from './lease.ts';

/**
 * What can happen to a lease. Neither extending is among it, which a holder does all the time, nor
 * being added: the lease itself tells when that was.
 */
export const EVENT_TYPES = [
  'acquired',
  'released',
  'completed',
  'failed',
  'canceled',
  'cancel_requested',
  'broken',
  'expired',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** That something happened to a lease. */
export interface Event {
  /** Grows with every event that a database is told of. */
  readonly sequence: number;
  readonly kind: Kind;
  readonly id: string;
  readonly type: EventType;
  /** For `expired`, when the lease ended; else when the change was made. */
  readonly at: Instant;
  /** In force afterwards: which acquisition it was. */
  readonly fencingToken: number;
  readonly version: number;
  /** Who did it, as far as that is known; null where nobody did. */
  readonly caller: string | null;
  /** What else there is to tell, without handles: e.g. `until`, `error_code`, `reason`. */
  readonly detail: JsonObject | null;
}

export interface EventFilter {
  readonly kind?: Kind | undefined;
  readonly id?: string | undefined;
  readonly type?: EventType | undefined;
  /** Only events with a lower sequence. */
  readonly before?: number | undefined;
}

/** What a store is given to note. */
export type NewEvent = Omit<Event, 'sequence'>;

const ENDINGS: Readonly<Record<FinishWay, EventType>> = {
  complete: 'completed',
  fail: 'failed',
  cancel: 'canceled',
};

/**
 * What is to be noted of a change.
 *
 * @param detail what the command told beside what the lease keeps
 */
export function eventsOf(
  before: Lease | undefined,
  outcome: Outcome,
  caller: string | null,
  detail: JsonObject | null = null,
): NewEvent[] {
  const noted = (type: EventType, { kind, id, fencingToken, version, changedAt }: Lease) => ({
    kind,
    id,
    type,
    at: changedAt,
    fencingToken,
    version,
    caller,
    detail,
  });
  switch (outcome.type) {
    case 'acquired': {
      const { lease } = outcome;
      const acquired = { ...noted('acquired', lease), detail: { ttl: lease.ttl / 1000 } };
      return before && ranOut(before) ? [expiryOf(before), acquired] : [acquired];
    }
    case 'released':
    case 'broken':
    case 'cancel_requested':
      return [noted(outcome.type, outcome.lease)];
    case 'finished': {
      const { lease } = outcome;
      if (!lease.finish) return [];
      const { way, errorCode } = lease.finish;
      const why = errorCode === null ? null : { error_code: errorCode };
      return [{ ...noted(ENDINGS[way], lease), detail: why }];
    }
    default:
      return [];
  }
}

/** Whether somebody held it to its end, and nothing came of it; to be asked of what is not held. */
function ranOut({ finish, fencingToken, expiresAt, changedAt }: Lease): boolean {
  return finish === null && fencingToken > 0 && expiresAt > changedAt;
}

function expiryOf({ kind, id, fencingToken, version, expiresAt }: Lease): NewEvent {
  const nobody = { caller: null, detail: null };
  return { kind, id, type: 'expired', at: expiresAt, fencingToken, version, ...nobody };
}
