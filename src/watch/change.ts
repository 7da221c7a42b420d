import { type Health, holderOf, type Row } from './row.ts';
import type { Place } from './update.ts';

/** What became of a lease. */
export type LeaseChangeType =
  | 'seen'
  | 'acquired'
  | 'extended'
  | 'late'
  | 'suspended'
  | 'gone'
  | 'ending'
  | 'expired'
  | 'broken'
  | 'released'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'cancel_requested'
  | 'refused'
  | 'added'
  | 'unseen';

/** Something to be told. `at` is this machine's time. */
export type Change =
  | {
      readonly type: LeaseChangeType;
      readonly at: number;
      /** As it was then. */
      readonly lease: Snapshot;
      /** Who did it, and why he said that he did. */
      readonly by: string | undefined;
      readonly reason: string | undefined;
    }
  | {
      readonly type: 'contact_lost' | 'contact_restored';
      readonly at: number;
      readonly place: Place;
      readonly problem: string | undefined;
    };

export interface Snapshot extends Readonly<Omit<Row, 'told'>> {
  readonly health: Health;
  /** Who has it. */
  readonly who: string | undefined;
  /** Milliseconds that are left of it. */
  readonly left: number | undefined;
}

interface By {
  readonly caller?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * @param at this machine's time
 * @param time the same by the clock of the service
 */
export function changeOf(
  type: LeaseChangeType,
  row: Row,
  { at, time }: { readonly at: number; readonly time: number },
  { caller, reason }: By = {},
): Change {
  const { told: health, ...rest } = row;
  const isRunning = row.state === 'held' && row.endsAt !== undefined;
  const left = isRunning ? Math.max(0, (row.endsAt ?? time) - time) : undefined;
  const lease = { ...rest, health, who: holderOf(row), left };
  return { type, at, lease, by: caller, reason };
}
