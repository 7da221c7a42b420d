import * as z from 'zod/mini';
import type { Lease, Work } from '../../engine/lease.ts';
import { type JobData, RunnerHost, WorkspaceId } from './wire.ts';

const text = z.string();

/** A job to be added. A field that is not known would be one that is misspelt. */
export const NewRunnerJob = z.strictObject({
  host: z.optional(RunnerHost),
  workspace_id: z.optional(WorkspaceId),
  tags: z.optional(z.array(text)),
  runners: z.optional(z.array(text)),
  max_tries: z.optional(z.int().check(z.minimum(1))),
  workflows: z.nullish(z.array(text)),
  data: z.optional(z.record(z.string(), z.unknown())),
  access_token: z.optional(text),
  schedule_results_api_url: z.optional(text),
  results_api_url: z.optional(text),
  workflows_api_url: z.optional(text),
  inference_api_url: z.optional(text),
});
export type NewRunnerJob = z.infer<typeof NewRunnerJob>;

/** The workspace of jobs that name none: the nil UUID. */
const NO_WORKSPACE = '00000000-0000-0000-0000-000000000000';
const DEFAULT_MAX_TRIES = 3;

/** @param newToken makes up an access token where none is named; it opens nothing */
export function workOf(job: NewRunnerJob, newToken: () => string): Work {
  const workspace = job.workspace_id?.toLowerCase() ?? NO_WORKSPACE;
  const data: JobData = {
    credentials: { workspace_id: workspace, access_token: job.access_token ?? newToken() },
    workflows: job.workflows ?? null,
    schedule_results_api_url: job.schedule_results_api_url ?? '',
    results_api_url: job.results_api_url ?? '',
    workflows_api_url: job.workflows_api_url ?? '',
    inference_api_url: job.inference_api_url ?? '',
    ...(job.data ? { data: job.data } : {}),
  };
  return {
    pool: job.host ?? 'SELF',
    workspace,
    tags: job.tags ?? [],
    runners: job.runners ?? [],
    maxTries: job.max_tries ?? DEFAULT_MAX_TRIES,
    data,
  };
}

/** What is told of a job that was added: all but its credentials. */
export function summaryOf({ id, work, fencingToken }: Lease) {
  return {
    id,
    status: 'PENDING',
    host: work?.pool,
    workspace_id: work?.workspace,
    tags: work?.tags,
    runners: work?.runners,
    tries: fencingToken,
    max_tries: work?.maxTries,
  };
}
