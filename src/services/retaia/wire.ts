import * as z from 'zod/mini';

/*
 * Retaia's jobs, as `/jobs*` carries them. Requests are what the embedded service demands; answers
 * are what the client accepts from real servers: fields may be missing, and others come on top.
 */

const text = z.string();
const optionalText = z.nullish(text);
const FencingToken = z.int().check(z.minimum(1));
const AnyObject = z.record(z.string(), z.unknown());

export const Source = z.strictObject({
  storage_id: z.optional(text),
  original_relative: z.optional(text),
  sidecars_relative: z.optional(z.array(text)),
});

/** What an added job is, and what stays the same as long as it exists. */
export const JobDescription = z.object({
  job_type: text.check(z.minLength(1)),
  asset_uuid: text,
  source: z.optional(Source),
  required_capabilities: z.array(text),
});
export type JobDescription = z.infer<typeof JobDescription>;

export const Job = z.looseObject({
  job_id: text,
  job_type: optionalText,
  status: optionalText,
  asset_uuid: optionalText,
  required_capabilities: z.nullish(z.array(text)),
  claimed_by: optionalText,
  lock_token: optionalText,
  fencing_token: z.nullish(FencingToken),
  locked_until: optionalText,
});
export type Job = z.infer<typeof Job>;

/** The contract's form, and the one that other servers use. */
export const JobList = z.union([z.array(Job), z.looseObject({ items: z.array(Job) })]);
export type JobList = z.infer<typeof JobList>;

export const ClaimedJob = z.extend(Job, { lock_token: text.check(z.minLength(1)) });
export type ClaimedJob = z.infer<typeof ClaimedJob>;

export const HeartbeatAnswer = z.optional(
  z.looseObject({
    locked_until: optionalText,
    fencing_token: z.nullish(FencingToken),
  }),
);
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;

/** The job, or nothing. */
export const FinishAnswer = z.optional(z.unknown());

export const ListQuery = z.object({
  limit: z.optional(z.string().check(z.regex(/^[1-9]\d*$/, 'Limit should be 1 or more'))),
});

const lock = { lock_token: text.check(z.minLength(1)), fencing_token: z.optional(FencingToken) };

export const LockHandle = z.object(lock);
export type LockHandle = z.infer<typeof LockHandle>;

export const SubmitResult = z.object({
  facts_patch: z.optional(AnyObject),
  derived_patch: z.optional(AnyObject),
  transcript_patch: z.optional(AnyObject),
  warnings: z.optional(z.array(text)),
  metrics: z.optional(AnyObject),
});
export type SubmitResult = z.infer<typeof SubmitResult>;

export const SubmitRequest = z.object({ ...lock, job_type: text, result: SubmitResult });
export type SubmitRequest = z.infer<typeof SubmitRequest>;

export const FailRequest = z.object({
  ...lock,
  error_code: text.check(z.minLength(1)),
  message: z.optional(text),
  retryable: z.boolean(),
});
export type FailRequest = z.infer<typeof FailRequest>;

export const ErrorBody = z.looseObject({
  code: optionalText,
  message: optionalText,
  details: z.optional(z.unknown()),
});
