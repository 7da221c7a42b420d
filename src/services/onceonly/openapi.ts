import * as z from 'zod/mini';
import type { DescribedAnswer, DescribedDialect, Named } from '../../http/operation.ts';
import {
  CancelRequest,
  CompleteRequest,
  ErrorBody,
  ExtendRequest,
  ExtendResponse,
  FailRequest,
  FinishResponse,
  KeyQuery,
  LeaseRequest,
  LeaseResponse,
  ResultResponse,
  StatusResponse,
  ToolRunRequest,
} from './wire.ts';

const named = (name: string, schema: z.ZodMiniType): Named => ({ name: `Key${name}`, schema });

const error = named('Error', ErrorBody);
const refused = (description: string): DescribedAnswer => ({ description, body: error });
const invalid = { 422: refused('The request breaks the contract') };
const leased = named('Lease', LeaseResponse);
const finished = {
  200: { description: 'Finished, now or before', body: named('Finished', FinishResponse) },
};
const acquiring = {
  200: { description: 'Acquired; or held by somebody else (`polling`); or finished', body: leased },
  402: refused('No acquisitions are left this month, or as many keys are stored as may be'),
  409: refused('The Idempotency-Key acquired a lease with another request'),
  ...invalid,
};
const holding = {
  404: refused('Nothing is known of the key'),
  409: refused('The handle does not hold the key, or its lease ran out or is finished'),
  ...invalid,
};
const looking = { 404: refused('Nothing is known of the key'), ...invalid };

/** What `/v1/ai/*` is. */
export const onceOnlyDescription: DescribedDialect = {
  tag: 'keys',
  description: 'Leases on keys, as OnceOnly has them',
  error,
  operations: [
    {
      id: 'leaseKey',
      method: 'POST',
      path: '/v1/ai/lease',
      scope: 'keys:write',
      summary: 'Acquire a lease on a key, or learn who holds it',
      idempotencyKey: 'optional',
      body: named('LeaseRequest', LeaseRequest),
      answers: acquiring,
    },
    {
      id: 'runKey',
      method: 'POST',
      path: '/v1/ai/run',
      scope: 'keys:write',
      summary: 'The same as lease; no tools are run here',
      idempotencyKey: 'optional',
      body: named('RunRequest', z.union([LeaseRequest, ToolRunRequest])),
      answers: { ...acquiring, 403: refused('The request is for a tool') },
    },
    {
      id: 'keyStatus',
      method: 'GET',
      path: '/v1/ai/status',
      scope: 'keys:read',
      summary: 'What is known of a key',
      query: KeyQuery,
      answers: {
        200: { description: 'Its state', body: named('Status', StatusResponse) },
        ...looking,
      },
    },
    {
      id: 'keyResult',
      method: 'GET',
      path: '/v1/ai/result',
      scope: 'keys:read',
      summary: 'What came of a key',
      query: KeyQuery,
      answers: {
        200: {
          description: 'Its state, with what was stored',
          body: named('Result', ResultResponse),
        },
        ...looking,
      },
    },
    {
      id: 'extendKey',
      method: 'POST',
      path: '/v1/ai/extend',
      scope: 'keys:write',
      summary: 'Keep a lease, from now on',
      body: named('ExtendRequest', ExtendRequest),
      answers: {
        200: { description: 'Extended', body: named('Extended', ExtendResponse) },
        ...holding,
      },
    },
    {
      id: 'completeKey',
      method: 'POST',
      path: '/v1/ai/complete',
      scope: 'keys:write',
      summary: 'Finish a key, with or without a result',
      body: named('CompleteRequest', CompleteRequest),
      answers: { ...finished, ...holding },
    },
    {
      id: 'cancelKey',
      method: 'POST',
      path: '/v1/ai/cancel',
      scope: 'keys:write',
      summary: 'Finish a key as canceled',
      body: named('CancelRequest', CancelRequest),
      answers: { ...finished, ...holding },
    },
    {
      id: 'failKey',
      method: 'POST',
      path: '/v1/ai/fail',
      scope: 'keys:write',
      summary: 'Finish a key as failed',
      body: named('FailRequest', FailRequest),
      answers: { ...finished, ...holding },
    },
  ],
};
