import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type * as z from 'zod/mini';
import type { Scope } from '../../src/engine/access.ts';
import type { Store } from '../../src/engine/store.ts';
import { accessOn } from '../../src/engines.ts';
import { fits } from '../../src/http/schema.ts';
import { servedRoutes } from '../../src/served.ts';
import { createApp } from '../../src/server/app.ts';
import { QueueInfo } from '../../src/services/admin/queue-wire.ts';
import * as wire from '../../src/services/admin/wire.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createClock, type TestClock } from '../support/embedded-server.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** As it came. */
  readonly text: string;
}

type Query = Readonly<Record<string, string>>;

/** Somebody who may ask, in a namespace. */
export interface Caller {
  /** @param where the method and the path, e.g. `GET /admin/v1/leases` */
  ask(where: string, query?: Query, body?: object | string): Promise<Reply>;
  /** The same for what has to succeed. */
  get<T>(schema: z.ZodMiniType<T>, path: string, query?: Query): Promise<T>;
  /** Leases a key. @returns its handle */
  leased(key: string): Promise<string>;
  jobIds(count: number, job?: object): Promise<string[]>;
  /** Claims a job. @returns its lock token */
  claimed(id: string): Promise<string>;
}

type App = ReturnType<typeof createApp>;

export interface AdminService {
  readonly app: App;
  readonly store: Store;
  readonly clock: TestClock;
  caller(namespace: string, scopes?: readonly Scope[]): Promise<Caller>;
}

/** What a success of each endpoint has to look like. */
const ANSWERS: Readonly<Record<string, z.ZodMiniType>> = {
  'POST /admin/v1/jobs': wire.AddedJobs,
  'POST /admin/v1/runner-jobs': wire.AddedRunnerJobs,
  'POST /admin/v1/runner-jobs/cancel': wire.CanceledJob,
  'GET /admin/v1/tokens': wire.TokenList,
  'POST /admin/v1/tokens': wire.AddedToken,
  'POST /admin/v1/tokens/revoke': wire.TokenInfo,
  'GET /admin/v1/clients': wire.ClientList,
  'POST /admin/v1/clients': wire.AddedClient,
  'DELETE /admin/v1/clients': wire.RemovedClient,
  'GET /admin/v1/leases': wire.LeaseList,
  'GET /admin/v1/lease': wire.LeaseDetails,
  'POST /admin/v1/lease/break': wire.LeaseSummary,
  'GET /admin/v1/history': wire.History,
  'GET /admin/v1/queue': QueueInfo,
};

const ALL: readonly Scope[] = [
  ...(['keys:read', 'keys:write', 'jobs:claim', 'jobs:heartbeat'] as const),
  ...(['jobs:submit', 'runner-jobs', 'admin'] as const),
];

/** All that is served, on a real SQLite file, at a time of the test's choice. */
export function createAdminService(capacity?: number): AdminService {
  const clock = createClock('2025-01-15T10:30:00Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  onTestFinished(() => store.close());
  const app = createApp({ routesFor: servedRoutes(store, capacity), access: accessOn(store) });
  return {
    app,
    store,
    clock,
    caller: async (namespace, scopes = ALL) => {
      const name = `caller-${crypto.randomUUID()}`;
      const access = accessOn(store, namespace);
      const added = await access.addToken({ name, scopes, lifetime: undefined });
      if (!added) throw new Error('the name is taken');
      return callerOf(app, added.secret);
    },
  };
}

function callerOf(app: App, token: string): Caller {
  const ask: Caller['ask'] = async (where, query = {}, body) => {
    const [method = '', path = ''] = where.split(' ');
    const text = typeof body === 'string' ? body : body && JSON.stringify(body);
    const response = await app.request(`${path}?${new URLSearchParams(query)}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(text === undefined ? {} : { body: text }),
    });
    const reply = { status: response.status, text: await response.text() };
    const parsed: unknown = JSON.parse(reply.text || 'null');
    const schema = ANSWERS[where];
    if (schema && reply.status < 300) expect(schema.safeParse(parsed).error).toBeUndefined();
    return { ...reply, body: parsed };
  };
  const done = async (where: string, query?: Query, body?: object) => {
    const { status, body: answer, text } = await ask(where, query, body);
    if (status > 299) throw new Error(`${where}: ${status} ${text}`);
    return Object(answer);
  };
  return {
    ask,
    get: async (schema, path, query) => {
      const answer: unknown = await done(`GET /admin/v1${path}`, query);
      if (!fits(schema, answer)) throw new Error(`${path} answers in another form`);
      return answer;
    },
    leased: async (key) => (await done('POST /v1/ai/lease', {}, { key, ttl: 60 })).lease_id,
    jobIds: async (count, job = { job_type: 't' }) => {
      const added = await done('POST /admin/v1/jobs', {}, { ttl: 60, count, jobs: [job] });
      return added.map(({ job_id }: { job_id: string }) => job_id);
    },
    claimed: async (id) => (await done(`POST /api/v1/jobs/${id}/claim`)).lock_token,
  };
}

export function refusal(status: number, code: string) {
  return { status, body: { error: { code, message: expect.any(String) } } };
}
