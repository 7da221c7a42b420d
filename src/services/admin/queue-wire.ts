import * as z from 'zod/mini';

/*
 * How a queue stands, as `/admin/v1/queue` carries it.
 */

const text = z.string();
const whole = z.int().check(z.minimum(0));

export const QueueQuery = z.object({ kind: z.literal('job') });
export type QueueQuery = z.infer<typeof QueueQuery>;

const queueCounts = {
  /** That could be claimed, those among them that ran out. */
  pending: whole,
  /** Whose holder let them run out. */
  ran_out: whole,
  claimed: whole,
  completed: whole,
  failed: whole,
  /** Not finished, though three holders or more had them and have them no more. */
  retried: whole,
};
export type QueueCounts = Record<keyof typeof queueCounts, number>;

const queueFields = {
  ...queueCounts,
  /** When it was added. */
  oldest_pending_at: z.nullable(text),
  /** Null where nobody ever claimed any, of what is remembered. */
  last_claimed_at: z.nullable(text),
  last_claimed_by: z.nullable(text),
};

export const QueueType = z.looseObject({
  job_type: text,
  required_capabilities: z.array(text),
  ...queueFields,
  /** Those of its capabilities that no job needed which anybody claimed. */
  unclaimed_capabilities: z.array(text),
});
export type QueueType = z.infer<typeof QueueType>;

export const QueueInfo = z.looseObject({
  kind: text,
  /** By the clock that decides. */
  now: text,
  /** Jobs that were looked at. */
  counted: whole,
  /** Whether these were all; else the latest, and of the others only pending and claimed are known. */
  is_whole: z.boolean(),
  ...queueFields,
  oldest_pending_id: z.nullable(text),
  /** Of those that are retried the one that was had most often. */
  most_retried_id: z.nullable(text),
  /** By type, and what they need. */
  types: z.array(QueueType),
  types_left_off: whole,
});
export type QueueInfo = z.infer<typeof QueueInfo>;
