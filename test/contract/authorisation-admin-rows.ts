import { expect } from 'vitest';
import type { Answered, Own, Row } from './authorisation-world.ts';

/*
 * Who may what of the administration, and of the metrics.
 */

const has = (content: object): unknown => expect.objectContaining(content);
const one = (content: object): unknown => expect.arrayContaining([has(content)]);
const none = (content: object): unknown => expect.not.arrayContaining([has(content)]);
const answered = (status: number, body: unknown): Answered => ({ status, body });

export const adminRefusal = (status: number, code: string): Answered =>
  answered(status, { error: { code, message: expect.any(String) } });
const unknown = () => adminRefusal(404, 'not_found');

const admin = { scope: 'admin', isHeld: true } as const;
const aboutKey = ({ key }: Own) => ({ kind: 'key', id: key });
const named = ({ name }: Own) => ({ name });

/** What is made, is made in the namespace of who makes it. */
const making = (body: Row['body'], told: (namespace: string, own: Own) => unknown): Row => ({
  ...{ ...admin, ...(body ? { body } : {}) },
  right: (own) => answered(201, told('default', own)),
  foreign: (own) => answered(201, told('other', own)),
});
const listing = (): Row => ({
  ...admin,
  right: ({ name }) => answered(200, one({ name })),
  foreign: ({ name }) => answered(200, none({ name })),
});

export const ADMIN_ROWS: Readonly<Record<string, Row>> = {
  'GET /metrics': {
    ...{ scope: 'metrics', isHeld: true },
    right: () => answered(200, expect.stringContaining('namespace="default"')),
    foreign: () => answered(200, expect.not.stringContaining('namespace="default"')),
  },

  'POST /admin/v1/jobs': making(
    () => ({ ttl: 60, jobs: [{ job_type: 't' }] }),
    () => [has({ job_type: 't', status: 'pending' })],
  ),
  'POST /admin/v1/runner-jobs': making(
    () => ({ ttl: 60, jobs: [{}] }),
    () => [has({ status: 'PENDING' })],
  ),
  'POST /admin/v1/runner-jobs/cancel': {
    ...{ ...admin, query: ({ runner }) => ({ id: runner }) },
    right: ({ runner }) => answered(200, { id: runner, status: 'RUNNING', cancel_job: true }),
    foreign: unknown,
  },
  'GET /admin/v1/leases': {
    ...{ ...admin, query: ({ key }) => ({ prefix: key }) },
    right: ({ key }) => answered(200, has({ leases: one({ kind: 'key', id: key }) })),
    foreign: () => answered(200, has({ leases: [], next: null })),
  },
  'GET /admin/v1/lease': {
    ...{ ...admin, query: aboutKey },
    right: ({ key }) => answered(200, has({ id: key, state: 'held' })),
    foreign: unknown,
  },
  'POST /admin/v1/lease/break': {
    ...{ ...admin, query: aboutKey },
    right: ({ key }) => answered(200, has({ id: key, state: 'expired' })),
    foreign: unknown,
  },
  'GET /admin/v1/history': {
    ...{ ...admin, query: ({ key }) => ({ id: key }) },
    right: ({ key }) => answered(200, has({ events: one({ id: key, type: 'acquired' }) })),
    foreign: () => answered(200, { events: [], next: null }),
  },

  // What a namespace is told is no other's: admin-events.test.ts.
  'GET /admin/v1/events': {
    ...{ ...admin, query: ({ key }) => ({ id: key }) },
    right: () => answered(200, expect.stringContaining('event: position')),
    foreign: () => answered(200, expect.stringContaining('event: position')),
  },

  'GET /admin/v1/queue': {
    ...{ ...admin, query: () => ({ kind: 'job' }) },
    right: () => answered(200, has({ types: one({ job_type: 'extract_facts' }) })),
    foreign: () => answered(200, has({ types: none({ job_type: 'extract_facts' }) })),
  },

  'GET /admin/v1/tokens': listing(),
  'POST /admin/v1/tokens': making(
    ({ freeName }) => ({ name: freeName, scope: 'keys:read' }),
    (namespace, { freeName }) => has({ name: freeName, namespace, token: expect.any(String) }),
  ),
  'POST /admin/v1/tokens/revoke': {
    ...{ ...admin, query: named },
    right: ({ name }) => answered(200, has({ name, revoked_at: expect.any(String) })),
    foreign: unknown,
  },
  'GET /admin/v1/clients': listing(),
  'POST /admin/v1/clients': making(
    ({ freeName }) => ({ name: freeName, scope: 'keys:read' }),
    (_, { freeName }) => has({ name: freeName, client_secret: expect.any(String) }),
  ),
  'DELETE /admin/v1/clients': {
    ...{ ...admin, query: named },
    right: ({ name }) => answered(200, { name, removed: true }),
    foreign: unknown,
  },
};
