import * as z from 'zod/mini';
import type { Work } from '../../engine/lease.ts';
import { POOL } from './routes.ts';
import { type JobDescription, Source } from './wire.ts';

/** A job to be added. A field that is not known would be one that is misspelt. */
export const NewJob = z.strictObject({
  job_type: z.string().check(z.minLength(1)),
  asset_uuid: z.optional(z.string().check(z.minLength(1))),
  source: z.optional(Source),
  required_capabilities: z.optional(z.array(z.string())),
});
export type NewJob = z.infer<typeof NewJob>;

/** @param newUuid makes up an asset where none is named */
export function workOf(job: NewJob, newUuid: () => string): Work {
  const { job_type, asset_uuid = newUuid(), source, required_capabilities = [] } = job;
  const data: JobDescription = {
    job_type,
    asset_uuid,
    ...(source ? { source } : {}),
    required_capabilities,
  };
  return { pool: POOL, workspace: null, tags: [], runners: [], maxTries: null, data };
}
