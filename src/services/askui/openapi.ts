import type { DescribedAnswer, DescribedDialect, Named } from '../../http/operation.ts';
import { ORIGIN_HEADERS } from '../../http/origin-header.ts';
import {
  AckQuery,
  CompleteRequest,
  ErrorBody,
  LeaseAnswer,
  LeaseQuery,
  PingAnswer,
} from './wire.ts';

const error: Named = { name: 'RunnerJobError', schema: ErrorBody };
const refused = (description: string): DescribedAnswer => ({ description, body: error });
const lost = { 422: refused('The ack is not, or no longer, in force; or the contract is broken') };

/** What `/api/v1/runner-jobs/*` is. */
export const askUiDescription: DescribedDialect = {
  tag: 'runner jobs',
  description: 'Leases on the next job that fits a runner, as AskUI has them',
  error,
  takesBasic: true,
  operations: [
    {
      id: 'leaseRunnerJob',
      method: 'POST',
      path: '/api/v1/runner-jobs/lease',
      scope: 'runner-jobs',
      summary: 'Lease the oldest job that fits',
      idempotencyKey: 'optional',
      headers: ORIGIN_HEADERS,
      query: LeaseQuery,
      answers: {
        200: {
          description: 'The job, or null when none fits',
          body: {
            name: 'LeasedRunnerJob',
            schema: LeaseAnswer,
            // What a job is beside these, whoever added it says.
            sometimes: ['data', 'credentials', 'workspace_id', 'access_token', 'workflows'],
          },
        },
        409: refused('The Idempotency-Key leased a job with another request'),
        422: refused('The request breaks the contract'),
      },
    },
    {
      id: 'pingRunnerJob',
      method: 'POST',
      path: '/api/v1/runner-jobs/ping',
      scope: 'runner-jobs',
      summary: 'Keep a job, and learn whether to stop',
      query: AckQuery,
      answers: {
        200: { description: 'Kept', body: { name: 'KeptRunnerJob', schema: PingAnswer } },
        ...lost,
      },
    },
    {
      id: 'completeRunnerJob',
      method: 'POST',
      path: '/api/v1/runner-jobs/complete',
      scope: 'runner-jobs',
      summary: 'Finish a job',
      query: AckQuery,
      body: { name: 'RunnerJobEnding', schema: CompleteRequest },
      answers: { 204: { description: 'Finished, now or before' }, ...lost },
    },
  ],
};
