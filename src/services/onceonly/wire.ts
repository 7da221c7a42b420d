import * as z from 'zod/mini';
import { CONTROL } from '../../domain/acting.ts';
import { TTL_RANGE } from '../../domain/duration.ts';
import { ValidationDetail } from '../../http/validation.ts';

/*
 * OnceOnly's requests and answers, as `/v1/ai/*` carries them. Requests are what the embedded
 * service demands; answers are what the client accepts, so every field that a service may leave out
 * is optional, and fields unknown here pass. Each is made when it is used: a command needs one of them.
 */

const HAS_CONTROL = new RegExp(`[${CONTROL}]`);

/** Longest key, in characters (code points). */
export const MAX_KEY_LENGTH = 512;

const Key = z.string().check(
  z.minLength(1),
  z.refine((key) => key.length <= MAX_KEY_LENGTH || [...key].length <= MAX_KEY_LENGTH, {
    error: `Key should have at most ${MAX_KEY_LENGTH} characters`,
  }),
  z.refine((key) => key.isWellFormed() && !HAS_CONTROL.test(key), {
    error: 'Key should have no control characters and no lone surrogates',
  }),
);
/** Seconds. */
const Ttl = z.int().check(z.minimum(TTL_RANGE.min), z.maximum(TTL_RANGE.max));
const LeaseId = z.string().check(z.minLength(1));
const AnyObject = z.record(z.string(), z.unknown());

export const KeyQuery = z.lazy(() => z.object({ key: Key }));

export const LeaseRequest = z.lazy(() =>
  z.object({
    key: Key,
    ttl: z.optional(Ttl),
    metadata: z.optional(AnyObject),
  }),
);
export type LeaseRequest = z.infer<typeof LeaseRequest>;

export const ExtendRequest = z.lazy(() =>
  z.object({ key: Key, lease_id: LeaseId, ttl: z.optional(Ttl) }),
);
export type ExtendRequest = z.infer<typeof ExtendRequest>;

export const CompleteRequest = z.lazy(() =>
  z.object({
    key: Key,
    lease_id: LeaseId,
    result: z.optional(AnyObject),
    result_hash: z.optional(z.string()),
  }),
);
export type CompleteRequest = z.infer<typeof CompleteRequest>;

export const CancelRequest = z.lazy(() =>
  z.object({
    key: Key,
    lease_id: LeaseId,
    reason: z.optional(z.string()),
  }),
);
export type CancelRequest = z.infer<typeof CancelRequest>;

export const FailRequest = z.lazy(() =>
  z.object({
    key: Key,
    lease_id: LeaseId,
    error_code: z.string(),
    error_hash: z.optional(z.string()),
  }),
);
export type FailRequest = z.infer<typeof FailRequest>;

export const ToolRunRequest = z.lazy(() =>
  z.object({
    agent_id: z.string(),
    tool: z.string(),
    args: z.optional(AnyObject),
    spend_usd: z.optional(z.number().check(z.minimum(0))),
  }),
);
export type ToolRunRequest = z.infer<typeof ToolRunRequest>;

const optionalInt = z.nullish(z.int());
const optionalText = z.nullish(z.string());

const known = {
  ttl_left: optionalInt,
  lease_id: optionalText,
  version: optionalInt,
  first_seen_at: optionalText,
  done_at: optionalText,
  result_hash: optionalText,
  error_code: optionalText,
  retry_after_sec: optionalInt,
};

export const LeaseResponse = z.lazy(() =>
  z
    .looseObject({
      ok: z.boolean(),
      status: z.enum(['acquired', 'polling', 'in_progress', 'completed', 'failed']),
      key: z.string(),
      ttl: optionalInt,
      ...known,
      usage: optionalInt,
      limit: optionalInt,
      charged: optionalInt,
    })
    .check(
      z.refine(({ status, lease_id }) => status !== 'acquired' || Boolean(lease_id), {
        path: ['lease_id'],
        error: 'expected a lease_id, for the lease is acquired',
      }),
    ),
);
export type LeaseResponse = z.infer<typeof LeaseResponse>;

export const StatusResponse = z.lazy(() =>
  z.looseObject({
    ok: z.boolean(),
    status: z.enum(['in_progress', 'completed', 'failed']),
    key: z.string(),
    ...known,
  }),
);
export type StatusResponse = z.infer<typeof StatusResponse>;

export const ExtendResponse = z.lazy(() =>
  z.looseObject({
    ok: z.boolean(),
    status: z.literal('extended'),
    key: z.string(),
    ttl: z.int(),
    version: z.int(),
  }),
);
export type ExtendResponse = z.infer<typeof ExtendResponse>;

export const FinishResponse = z.lazy(() =>
  z.looseObject({
    ok: z.boolean(),
    status: z.enum(['completed', 'failed']),
    key: z.string(),
    version: z.int(),
  }),
);
export type FinishResponse = z.infer<typeof FinishResponse>;

export const ResultResponse = z.lazy(() =>
  z.looseObject({
    ok: z.boolean(),
    status: z.enum(['in_progress', 'completed', 'failed']),
    key: z.string(),
    result: z.nullish(AnyObject),
    result_hash: optionalText,
    error_code: optionalText,
    done_at: optionalText,
  }),
);
export type ResultResponse = z.infer<typeof ResultResponse>;

export const ToolRunResponse = z.lazy(() =>
  z.looseObject({
    ok: z.boolean(),
    allowed: z.boolean(),
    decision: z.string(),
    policy_reason: optionalText,
    risk_level: optionalText,
    result: z.nullish(AnyObject),
  }),
);
export type ToolRunResponse = z.infer<typeof ToolRunResponse>;

/** The three forms in which the service refuses. */
export const ErrorBody = z.lazy(() =>
  z.looseObject({
    detail: z.union([
      z.string(),
      ValidationDetail,
      z.looseObject({ error: z.optional(z.string()), message: z.optional(z.string()) }),
    ]),
  }),
);
