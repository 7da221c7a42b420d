import type { Kind } from '../../engine/lease.ts';
import { storable, type Value } from './session.ts';

/*
 * What many look up at once, the names by which they find it, and how it is sent.
 */

/** A lease's place among all. */
export interface Address {
  readonly namespace: string;
  readonly kind: Kind;
  readonly id: string;
}

/** An idempotency key that a lease may have been acquired with. */
export interface Key {
  readonly namespace: string;
  readonly kind: Kind;
  readonly acquired_key: string;
}

/** What is counted: acquisitions in a month, or leases where that is null. */
export interface Counter {
  readonly namespace: string;
  readonly month: string | null;
}

export function counterName({ namespace, month }: Counter): string {
  return `${month ?? ''}\n${namespace}`;
}

/** In it is the namespace, which has no control characters. */
export function nameOf({ namespace, kind, id }: Address): string {
  return `${namespace}\n${kind}\n${id}`;
}

export function keyName({ namespace, kind, acquired_key }: Key): string {
  return JSON.stringify([namespace, kind, acquired_key]);
}

export function namespaceIn(name: string): string {
  return name.slice(0, name.indexOf('\n'));
}

export function recordsOf(records: readonly object[]): string {
  const text = JSON.stringify(records);
  if (!UNSTORABLE.test(text)) return text;
  const replace = (_: string, value: unknown) =>
    typeof value === 'string' ? storable(value).toWellFormed() : value;
  return JSON.stringify(records, replace);
}

/** May be in text that PostgreSQL does not take: NUL, and half a surrogate pair. */
const UNSTORABLE = /\\u(0000|d)/;

export function recordOf(columns: readonly string[], values: readonly Value[]) {
  const record: Record<string, Value> = {};
  for (const [index, column] of columns.entries()) {
    const value = values[index];
    if (value !== null && value !== undefined) record[column] = value;
  }
  return record;
}
