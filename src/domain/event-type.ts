/** What can happen to a lease. */
export const EVENT_TYPES = [
  'added',
  'acquired',
  'extended',
  'released',
  'completed',
  'failed',
  'canceled',
  'cancel_requested',
  'broken',
  'expired',
  'refused',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];
