import type { FinishWay, Kind } from '../../../src/engine/lease.ts';

/*
 * What clients asked a service for, and what it answered.
 *
 * All clients are one process, and tell moments by the wall clock, which is the database's too: in
 * milliseconds since 1970.
 */

/** One thing that a client wanted, however often it had to ask. */
interface Asked {
  /** The client. */
  readonly by: string;
  readonly kind: Kind;
  /** When the first request left. */
  readonly sent: number;
  /** When the last answer had come, or was waited for no longer. */
  readonly answered: number;
  /** Requests that were sent: all but the last were left without an answer that tells anything. */
  readonly tries: number;
}

/** Fencing tokens of keys are the versions that they were acquired with. */
interface OnLease {
  readonly id: string;
  readonly token: number;
}

export interface Grant extends Asked, OnLease {
  readonly what: 'acquire';
  readonly outcome: 'granted';
  /** Milliseconds. */
  readonly ttl: number;
}

/** An acquisition that its client got nothing by. */
export interface Miss extends Asked {
  readonly what: 'acquire';
  readonly outcome: 'held' | 'finished' | 'none' | 'unknown';
  /** Undefined where it was for the service to choose. */
  readonly id: string | undefined;
}

export interface Change extends Asked, OnLease {
  readonly what: 'extend' | 'release' | 'finish';
  /** Only of `finish`. */
  readonly way?: FinishWay;
  readonly outcome: 'done' | 'refused' | 'unknown';
  /** Where the answer tells it. */
  readonly version?: number | undefined;
}

/** Somebody looked how things stand. */
export interface Look extends Asked {
  readonly what: 'look';
  readonly outcome: 'told';
  readonly id: string;
  readonly version: number;
  readonly isFinished: boolean;
}

export type Entry = Grant | Miss | Change | Look;

/** A key or job as the database has it at the end. */
export interface Row {
  readonly kind: Kind;
  readonly id: string;
  readonly token: number;
  readonly acquisitions: number;
  readonly version: number;
  /** Null as long as it is not finished. */
  readonly way: FinishWay | null;
  readonly expiresAt: number;
}

export interface Evidence {
  readonly entries: readonly Entry[];
  /** Of all that the entries are about, and that there is. */
  readonly rows: readonly Row[];
  /** Names of all jobs that were added. */
  readonly added: readonly string[];
  /** Answers that no contract has, in words. */
  readonly oddities: readonly string[];
}

export function nameOf({ kind, id }: { kind: Kind; id: string | undefined }): string {
  return `${kind} ${id}`;
}

export function isGrant(entry: Entry): entry is Grant {
  return entry.outcome === 'granted';
}

export function isChange(entry: Entry): entry is Change {
  return entry.what !== 'acquire' && entry.what !== 'look';
}

export function groupBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
