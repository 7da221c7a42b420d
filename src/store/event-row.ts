import * as z from 'zod/mini';
import { EVENT_TYPES, type Event } from '../engine/history.ts';
import { KindName, toObject } from './lease-row.ts';

const Row = z.object({
  sequence: z.int(),
  kind: KindName,
  id: z.string(),
  type: z.enum(EVENT_TYPES),
  at: z.int(),
  fencing_token: z.int(),
  version: z.int(),
  caller: z.nullable(z.string()),
  detail: z.nullable(z.string()),
});

export function toEvent(value: unknown): Event {
  const { fencing_token, detail, ...row } = Row.parse(value);
  return { ...row, fencingToken: fencing_token, detail: toObject(detail) };
}
