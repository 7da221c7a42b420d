import * as z from 'zod/mini';
import type { DescribedAnswer, DescribedDialect, Named } from '../../http/operation.ts';
import { ORIGIN_HEADERS } from '../../http/origin-header.ts';
import { BASE_PATH } from './routes.ts';
import {
  ClaimedJob,
  ErrorBody,
  FailRequest,
  HeartbeatAnswer,
  Job,
  ListQuery,
  LockHandle,
  SubmitRequest,
} from './wire.ts';

const text = z.string();
const Refusal = z.extend(ErrorBody, { retryable: z.boolean(), correlation_id: text });
const error: Named = { name: 'JobError', schema: Refusal, sometimes: ['details'] };
const refused = (description: string): DescribedAnswer => ({ description, body: error });
const invalid = { 422: refused('The request breaks the contract') };
const holding = {
  ...invalid,
  409: refused(
    'Another lease on the job is in force, or the Idempotency-Key is of another request',
  ),
  423: refused('There is no lock_token, or no live lease on the job'),
};

/** What a job is depends on who added it, and for whom on whether it is held. */
const job = (name: string, schema: z.ZodMiniType): Named => ({
  name,
  schema,
  sometimes: ['source', 'storage_id', 'original_relative', 'sidecars_relative'],
});
const ended = { 200: { description: 'The job as it is now', body: job('Job', Job) } };

const TokenForm = z.object({
  grant_type: z.literal('client_credentials'),
  client_id: z.optional(text),
  client_secret: z.optional(text),
  scope: z.optional(text),
});
const AccessToken = z.object({
  access_token: text,
  token_type: z.literal('Bearer'),
  expires_in: z.int(),
  scope: text,
});
const NotGranted = z.object({ error: text, error_description: z.optional(text) });
const notGranted: Named = {
  name: 'NotGranted',
  schema: NotGranted,
  sometimes: ['error_description'],
};

/** What `/api/v1/jobs*` is. */
export const retaiaDescription: DescribedDialect = {
  tag: 'jobs',
  description: 'Leases on jobs that an agent picks, as Retaia has them',
  error,
  operations: [
    {
      id: 'listJobs',
      method: 'GET',
      path: `${BASE_PATH}/jobs`,
      scope: 'jobs:claim',
      summary: 'Jobs that can be claimed, the oldest first',
      query: ListQuery,
      answers: {
        200: { description: 'The jobs', body: job('Jobs', z.array(Job)) },
        ...invalid,
      },
    },
    {
      id: 'claimJob',
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/claim`,
      scope: 'jobs:claim',
      summary: 'Acquire a lease on a job',
      idempotencyKey: 'optional',
      headers: ORIGIN_HEADERS,
      answers: {
        200: { description: 'Claimed', body: job('ClaimedJob', ClaimedJob) },
        409: refused(
          'The job is held, finished or not known; or the Idempotency-Key is of another',
        ),
      },
    },
    {
      id: 'heartbeatJob',
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/heartbeat`,
      scope: 'jobs:heartbeat',
      summary: 'Keep a lease, from now on',
      body: { name: 'JobLock', schema: LockHandle },
      answers: {
        200: { description: 'Kept', body: { name: 'KeptJob', schema: HeartbeatAnswer } },
        ...holding,
      },
    },
    {
      id: 'submitJob',
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/submit`,
      scope: 'jobs:submit',
      summary: 'Finish a job with its result',
      idempotencyKey: 'required',
      body: { name: 'JobSubmission', schema: SubmitRequest },
      answers: { ...ended, 400: refused('There is no Idempotency-Key'), ...holding },
    },
    {
      id: 'failJob',
      method: 'POST',
      path: `${BASE_PATH}/jobs/:job_id/fail`,
      scope: 'jobs:submit',
      summary: 'Finish a job as failed, or give it back',
      idempotencyKey: 'required',
      body: { name: 'JobFailure', schema: FailRequest },
      answers: { ...ended, 400: refused('There is no Idempotency-Key'), ...holding },
    },
    {
      id: 'grantToken',
      method: 'POST',
      path: `${BASE_PATH}/oauth/token`,
      summary: 'OAuth 2.0 client credentials (RFC 6749, section 4.4)',
      description: 'The client shows its id and secret by HTTP Basic, or in the form.',
      body: { name: 'TokenForm', schema: TokenForm },
      bodyType: 'application/x-www-form-urlencoded',
      error: notGranted,
      answers: {
        200: { description: 'Granted', body: { name: 'AccessToken', schema: AccessToken } },
        400: { description: 'The request is not for this', body: notGranted },
        401: { description: 'The client is not known', body: notGranted },
      },
    },
  ],
};
