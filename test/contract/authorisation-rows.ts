import { expect } from 'vitest';
import { ADMIN_ROWS, adminRefusal } from './authorisation-admin-rows.ts';
import type { Answered, Own, Row } from './authorisation-world.ts';

/*
 * Who may what: each endpoint, with a request that is right, and what it is answered.
 */

const has = (content: object): unknown => expect.objectContaining(content);
const ok = (content: object): Answered => ({ status: 200, body: has(content) });

const keyRefusal = (status: number, error: string): Answered => ({
  status,
  body: { detail: { error, message: expect.any(String) } },
});
const jobRefusal = (status: number, code: string): Answered => ({
  status,
  body: {
    ...{ code, message: expect.any(String), retryable: false },
    correlation_id: expect.any(String),
  },
});
const ackRefusal: Answered = {
  status: 422,
  body: { detail: [{ loc: ['query', 'ack'], msg: expect.any(String), type: 'ack_outdated' }] },
};

const key = ({ key }: Own) => ({ key });
const keyLease = ({ key, leaseId }: Own) => ({ key, lease_id: leaseId });
const lock = ({ lock }: Own) => ({ lock_token: lock });
const runner = ({ runner }: Own) => ({ runner_host: 'SELF', runner_id: runner });
const ack = ({ ack }: Own) => ({ ack });
const idempotent = { 'idempotency-key': 'once' };

const leasing: Row = {
  ...{ scope: 'keys:write', isHeld: false, body: key },
  right: ({ key }) => ok({ status: 'acquired', key, version: 1 }),
  foreign: ({ key }) => ok({ status: 'acquired', key, version: 1 }),
};
const looking: Row = {
  ...{ scope: 'keys:read', isHeld: true, query: key },
  right: ({ key }) => ok({ status: 'in_progress', key }),
  foreign: () => keyRefusal(404, 'not_found'),
};
const holding = (status: string, more: object = {}): Row => ({
  ...{ scope: 'keys:write', isHeld: true, body: (own) => ({ ...keyLease(own), ...more }) },
  right: ({ key }) => ok({ status, key, version: 2 }),
  foreign: () => keyRefusal(404, 'not_found'),
});
const ending = (status: string, more: object): Row => ({
  ...{ scope: 'jobs:submit', isHeld: true, headers: idempotent },
  body: (own) => ({ ...lock(own), ...more }),
  right: ({ job }) => ok({ job_id: job, status }),
  foreign: () => jobRefusal(423, 'LOCK_INVALID'),
});

/** For everybody. */
const open = (answered: Answered): Row => ({
  ...{ scope: undefined, isHeld: false, right: () => answered, foreign: () => answered },
});

export const ROWS: Readonly<Record<string, Row>> = {
  'POST /v1/ai/lease': leasing,
  'POST /v1/ai/run': leasing,
  'GET /v1/ai/status': looking,
  'GET /v1/ai/result': looking,
  'POST /v1/ai/extend': holding('extended'),
  'POST /v1/ai/complete': holding('completed', { result: { a: 1 } }),
  'POST /v1/ai/cancel': holding('failed', { reason: 'r' }),
  'POST /v1/ai/fail': holding('failed', { error_code: 'E' }),

  'GET /api/v1/jobs': {
    ...{ scope: 'jobs:claim', isHeld: false },
    right: ({ job }) => ({ status: 200, body: [has({ job_id: job })] }),
    foreign: () => ({ status: 200, body: [] }),
  },
  'POST /api/v1/jobs/:job_id/claim': {
    ...{ scope: 'jobs:claim', isHeld: false },
    right: ({ job }) => ok({ job_id: job, status: 'claimed', fencing_token: 1 }),
    foreign: () => ({ status: 409, body: has({ code: 'STATE_CONFLICT' }) }),
  },
  'POST /api/v1/jobs/:job_id/heartbeat': {
    ...{ scope: 'jobs:heartbeat', isHeld: true, body: lock },
    right: () => ok({ fencing_token: 1 }),
    foreign: () => jobRefusal(423, 'LOCK_INVALID'),
  },
  'POST /api/v1/jobs/:job_id/submit': ending('completed', {
    job_type: 'extract_facts',
    result: { facts_patch: {} },
  }),
  'POST /api/v1/jobs/:job_id/fail': ending('failed', { error_code: 'E', retryable: false }),

  'POST /api/v1/oauth/token': open({ status: 400, body: has({ error: 'invalid_request' }) }),
  'GET /healthz': open({ status: 200, body: { status: 'ok' } }),
  'GET /readyz': open({ status: 200, body: { status: 'ready' } }),
  'GET /openapi.json': open({ status: 200, body: {} }),

  'POST /api/v1/runner-jobs/lease': {
    ...{ scope: 'runner-jobs', isHeld: false, query: runner },
    right: ({ runner }) => ok({ id: runner, status: 'RUNNING', tries: 1 }),
    foreign: () => ({ status: 200, body: null }),
  },
  'POST /api/v1/runner-jobs/ping': {
    ...{ scope: 'runner-jobs', isHeld: true, query: ack },
    right: () => ok({ cancel_job: false }),
    foreign: () => ackRefusal,
  },
  'POST /api/v1/runner-jobs/complete': {
    ...{ scope: 'runner-jobs', isHeld: true, query: ack, body: () => ({ status: 'PASSED' }) },
    right: () => ({ status: 204, body: undefined }),
    foreign: () => ackRefusal,
  },

  ...ADMIN_ROWS,
};

/** What those get who are not known, and those who may not, by where the path begins. */
const REFUSALS: readonly (readonly [path: string, unknown: Answered, forbidden: Answered])[] = [
  ['/v1/ai/', keyRefusal(401, 'invalid_api_key'), keyRefusal(403, 'forbidden')],
  ['/api/v1/jobs', jobRefusal(401, 'UNAUTHORIZED'), jobRefusal(403, 'FORBIDDEN_SCOPE')],
  [
    '/api/v1/runner-jobs/',
    { status: 401, body: { detail: expect.any(String) } },
    { status: 403, body: { detail: expect.any(String) } },
  ],
  ['/metrics', keyRefusal(401, 'unauthorized'), keyRefusal(403, 'forbidden')],
  ['/admin/v1/', adminRefusal(401, 'unauthorized'), adminRefusal(403, 'forbidden')],
];

export function refusalsOf(endpoint: string): { unknown: Answered; forbidden: Answered } {
  const [, path = ''] = endpoint.split(' ');
  const [, unknown, forbidden] = REFUSALS.find(([prefix]) => path.startsWith(prefix)) ?? [];
  if (!unknown || !forbidden) throw new Error(`there are no refusals for ${endpoint}`);
  return { unknown, forbidden };
}
