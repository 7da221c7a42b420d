import * as z from 'zod/mini';
import { ValidationDetail } from '../../http/validation.ts';

/*
 * AskUI's runner jobs, as `/api/v1/runner-jobs/*` carries them. Requests are what the embedded
 * service demands; answers are what the client accepts.
 */

export const HOSTS = ['SELF', 'ASKUI'] as const;
export const RunnerHost = z.enum(HOSTS);
export type RunnerHost = z.infer<typeof RunnerHost>;

/** How a runner may end a job. */
export const ENDINGS = ['PASSED', 'FAILED', 'CANCELED'] as const;
export type Ending = (typeof ENDINGS)[number];

const text = z.string();
const Present = text.check(z.minLength(1));
const AnyObject = z.record(z.string(), z.unknown());
export const WorkspaceId = z.guid();

/** Query parameters, of which `tags` may come many times. */
export const LeaseQuery = z.object({
  runner_host: RunnerHost,
  runner_id: Present,
  workspace_id: z.optional(WorkspaceId),
  tags: z.array(text),
});
export type LeaseQuery = z.infer<typeof LeaseQuery>;

export const AckQuery = z.object({ ack: Present });

export const CompleteRequest = z.object({ status: z.enum(ENDINGS) });

/** What an added job tells whoever leases it. */
export const JobData = z.object({
  credentials: z.object({ workspace_id: text, access_token: text }),
  workflows: z.nullable(z.array(text)),
  schedule_results_api_url: text,
  results_api_url: text,
  workflows_api_url: text,
  inference_api_url: text,
  data: z.optional(AnyObject),
});
export type JobData = z.infer<typeof JobData>;

/** RFC 3339; some servers tell the seconds since 1970 instead. */
const Moment = z.union([text, z.number()]);

export const LeasedJob = z.looseObject({
  id: text,
  ack: Present,
  status: text,
  visible: Moment,
  runner_id: z.nullish(text),
  tries: z.nullish(z.int()),
  data: z.nullish(
    z.looseObject({
      credentials: z.nullish(
        z.looseObject({ workspace_id: z.nullish(text), access_token: z.nullish(text) }),
      ),
      workflows: z.nullish(z.array(text)),
    }),
  ),
});
export type LeasedJob = z.infer<typeof LeasedJob>;

/** Null when no job fits. */
export const LeaseAnswer = z.nullable(LeasedJob);
export type LeaseAnswer = z.infer<typeof LeaseAnswer>;

export const PingAnswer = z.looseObject({ visible: z.nullish(Moment), cancel_job: z.boolean() });
export type PingAnswer = z.infer<typeof PingAnswer>;

/** Nothing: 204. */
export const CompleteAnswer = z.optional(z.unknown());

export const ErrorBody = z.looseObject({ detail: z.union([text, ValidationDetail]) });
