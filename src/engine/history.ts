import type { EventType } from '../domain/event-type.ts';
import type { JsonObject } from '../domain/json.ts';
import { originIn } from '../domain/origin.ts';
import { NOBODY, type Requester } from '../domain/requester.ts';
import type { Command, Outcome, Rejection } from './command.ts';
import {
  type FinishWay,
  type Instant,
  judgedAt,
  type Kind,
  type Lease,
  type LeaseState,
  remembered,
  stateOf,
} from './lease.ts';

export { EVENT_TYPES, type EventType } from '../domain/event-type.ts';

/**
 * What happens all the time, to a lease that is held and to one that others wait for. Of each of these
 * a store keeps so many for each lease, the latest; and for all ids together that nobody has leased.
 */
export const ROUTINE = { types: ['extended', 'refused'], kept: 100 } as const;

/** Events that a namespace keeps, the latest, however often they happen. */
export const MOST_EVENTS = 1_000_000;

/** That something happened to a lease, or that somebody was refused. */
export interface Event extends Requester {
  /** Grows with every event that a database is told of. */
  readonly sequence: number;
  readonly kind: Kind;
  readonly id: string;
  readonly type: EventType;
  /** For `expired`, when the lease ended; else when the change was made, or refused. */
  readonly at: Instant;
  /** In force afterwards: which acquisition it was. 0 where there is none, or no lease. */
  readonly fencingToken: number;
  /** Likewise. */
  readonly version: number;
  /** What the lease was; null where there was none, or where that was not noted. */
  readonly before: LeaseState | null;
  /** What it is afterwards. */
  readonly after: LeaseState | null;
  /** What else there is to tell, without handles: e.g. `ttl`, `error_code`, `reason`. */
  readonly detail: JsonObject | null;
}

export interface EventFilter {
  readonly kind?: Kind | undefined;
  readonly id?: string | undefined;
  /** Of any of these types. */
  readonly types?: readonly EventType[] | undefined;
  /** Only events with a lower sequence. */
  readonly before?: number | undefined;
  /** Only of what happened then or later. */
  readonly since?: Instant | undefined;
}

/** A part of the history as it goes on. */
export interface Tail {
  readonly events: readonly Event[];
  /** What to go on behind. */
  readonly cursor: string;
}

/** What a store is given to note. */
export type NewEvent = Omit<Event, 'sequence'>;

/** What was asked for, and what came of it. */
export interface Change {
  readonly kind: Kind;
  readonly id: string;
  readonly before: Lease | undefined;
  readonly command: Command;
  readonly outcome: Outcome;
  readonly now: Instant;
  readonly by: Requester;
}

const ENDINGS: Readonly<Record<FinishWay, EventType>> = {
  complete: 'completed',
  fail: 'failed',
  cancel: 'canceled',
};

/** What is to be noted of a change, made or refused: nothing of one that was made before. */
export function eventsOf(change: Change): NewEvent[] {
  const { before, command, outcome } = change;
  switch (outcome.type) {
    case 'acquired': {
      if (outcome.replayed) return [];
      const { lease } = outcome;
      const acquired = noted(change, 'acquired', lease, taken(lease));
      return before && ranOut(before) ? [expiryOf(before), acquired] : [acquired];
    }
    case 'extended':
      return [noted(change, 'extended', outcome.lease, { ttl: outcome.lease.ttl / 1000 })];
    case 'added':
    case 'released':
    case 'broken':
    case 'cancel_requested':
      return [noted(change, outcome.type, outcome.lease, detailOf(command))];
    case 'finished': {
      const { lease } = outcome;
      if (command.type === 'acquire') return refused(change, 'already_finished');
      if (!lease.finish || lease.finish === before?.finish) return [];
      const { way, errorCode } = lease.finish;
      return [
        noted(change, ENDINGS[way], lease, errorCode === null ? null : { error_code: errorCode }),
      ];
    }
    case 'held':
      return refused(change, 'held');
    case 'rejected':
      return refused(change, outcome.reason);
    case 'repeated':
      return [];
  }
}

function noted(
  { before, now, by }: Change,
  type: EventType,
  lease: Lease,
  detail: JsonObject | null,
): NewEvent {
  const { kind, id, fencingToken, version, changedAt } = lease;
  return {
    ...{ kind, id, type, at: changedAt, fencingToken, version, ...by, detail },
    before: stateAt(before, now),
    after: stateAt(lease, changedAt),
  };
}

/** The lease stays as it is. Of what can be no id nothing is noted: it may be as long as it likes. */
function refused(change: Change, reason: Rejection | 'held'): NewEvent[] {
  const { kind, id, before, command, now, by } = change;
  if (!before && !POSSIBLE_ID.test(id)) return [];
  const { fencingToken = 0, version = 0 } = before ?? {};
  const state = stateAt(before, now);
  const at = before ? judgedAt(before, now) : now;
  const detail = { command: command.type === 'finish' ? command.way : command.type, reason };
  const event = { kind, id, type: 'refused', at, fencingToken, version, ...by, detail } as const;
  return [{ ...event, before: state, after: state }];
}

/** As the longest ones are that are leased. */
const POSSIBLE_ID = /^\P{Cc}{1,512}$/u;

function stateAt(lease: Lease | undefined, now: Instant): LeaseState | null {
  const known = remembered(lease, now);
  return known ? stateOf(known, now) : null;
}

/** For how long it was acquired, and by whom as far as he says so himself. */
function taken({ ttl, metadata }: Lease): JsonObject {
  const origin = originIn(metadata);
  return { ttl: ttl / 1000, ...(origin ? { origin: { ...origin } } : {}) };
}

function detailOf(command: Command): JsonObject | null {
  return ('detail' in command ? command.detail : undefined) ?? null;
}

/** Whether somebody held it to its end, and nothing came of it; to be asked of what is not held. */
function ranOut({ finish, fencingToken, expiresAt, changedAt }: Lease): boolean {
  return finish === null && fencingToken > 0 && expiresAt > changedAt;
}

function expiryOf({ kind, id, fencingToken, version, expiresAt }: Lease): NewEvent {
  const end = { at: expiresAt, before: 'held', after: 'expired' } as const;
  return { kind, id, type: 'expired', ...end, fencingToken, version, ...NOBODY, detail: null };
}
