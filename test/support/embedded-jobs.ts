import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { expect, onTestFinished } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { type Access, createAccess } from '../../src/engine/access.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { Kind, Work } from '../../src/engine/lease.ts';
import { DEFAULT_NAMESPACE, type Store } from '../../src/engine/store.ts';
import { createApp } from '../../src/server/app.ts';
import { type NewRunnerJob, workOf as workOfRunnerJob } from '../../src/services/askui/new-job.ts';
import { askUiRoutes } from '../../src/services/askui/routes.ts';
import { onceOnlyRoutes } from '../../src/services/onceonly/routes.ts';
import { type NewJob, workOf as workOfJob } from '../../src/services/retaia/new-job.ts';
import { retaiaRoutes } from '../../src/services/retaia/routes.ts';
import { retaiaTokenRoute } from '../../src/services/retaia/token-route.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createClock, type EmbeddedServer } from './embedded-server.ts';
import { temporaryDirectory } from './sandbox.ts';

/** What a lease on the jobs of {@link EmbeddedJobs} lasts, in milliseconds. */
export const LEASE = 120_000;

export interface Sending {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, an object as JSON, a form as a form. */
  readonly body?: object | string | URLSearchParams | undefined;
}

export interface Reply {
  readonly status: number;
  /** Undefined when the answer has no body. */
  readonly body: unknown;
}

/** Every way in which the answer of an endpoint departs from its contract. */
export type Departures = (endpoint: string, status: number, body: unknown) => string[];

export interface EmbeddedJobs extends EmbeddedServer {
  readonly engine: Engine;
  readonly access: Access;
  /**
   * Adds jobs in one batch, as extract_facts unless said otherwise.
   *
   * @param ids without them in the order of the jobs
   * @returns their ids
   */
  addJobs(jobs: readonly Partial<NewJob>[], ids?: readonly string[]): Promise<string[]>;
  addJob(job?: Partial<NewJob>): Promise<string>;
  addRunnerJobs(jobs: readonly NewRunnerJob[], ids?: readonly string[]): Promise<string[]>;
  addRunnerJob(job?: NewRunnerJob): Promise<string>;
  /**
   * Sends a request; its answer has to keep the contract.
   *
   * @param endpoint what `departures` knows it by
   */
  send(sending: Sending, endpoint: string, departures: Departures): Promise<Reply>;
}

/**
 * The embedded service, all dialects of it, on a real socket and a real SQLite file, at a time of
 * the test's choice.
 *
 * @param isGuarded whether it tells callers apart
 */
export async function startEmbeddedJobs({
  isGuarded = false,
}: {
  isGuarded?: boolean;
} = {}): Promise<EmbeddedJobs> {
  const clock = createClock('2025-01-15T10:30:00Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  const newHandle = (kind: Kind) => `${kind}_${randomHex(16)}`;
  const engine = createEngine({ store, newHandle, monthlyLimit: 3000 });
  const access = createAccess({
    store,
    namespace: DEFAULT_NAMESPACE,
    newSecret: () => randomHex(32),
    hash: (secret) => createHash('sha256').update(secret).digest('hex'),
  });
  const url = await listen(engine, access, isGuarded, store);
  const adding = addingTo(engine);
  return { url, clock, engine, access, ...adding, send: sendingTo(url) };
}

function listen(engine: Engine, access: Access, isGuarded: boolean, store: Store): Promise<string> {
  const routes = [
    ...onceOnlyRoutes(engine),
    ...retaiaRoutes(engine),
    retaiaTokenRoute(access),
    ...askUiRoutes(engine),
  ];
  const routesFor = () => routes;
  // Nobody may do anything before there is a client, either.
  const guard = { ...access, isOpen: async () => false };
  const app = createApp(isGuarded ? { routesFor, access: guard } : { routesFor });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
    onTestFinished(async () => {
      server.close();
      await store.close();
    });
  });
}

type Adding = Pick<EmbeddedJobs, 'addJobs' | 'addJob' | 'addRunnerJobs' | 'addRunnerJob'>;

function addingTo(engine: Engine): Adding {
  let count = 0;
  const add = async (kind: Kind, works: readonly Work[], ids: readonly string[] | undefined) => {
    const named = works.map((work, index) => {
      count += 1;
      const id = ids?.[index] ?? `${kind}_${String(count).padStart(6, '0')}`;
      return { kind, id, ttl: LEASE, work };
    });
    const added = await engine.add(named, NOBODY);
    return added.map(({ id }) => id);
  };
  const addJobs: Adding['addJobs'] = (jobs, ids) => {
    const works = jobs.map((job) => workOfJob({ job_type: 'extract_facts', ...job }, randomUUID));
    return add('job', works, ids);
  };
  const addRunnerJobs: Adding['addRunnerJobs'] = (jobs, ids) => {
    const works = jobs.map((job) => workOfRunnerJob(job, () => randomHex(32)));
    return add('runner_job', works, ids);
  };
  return {
    addJobs,
    addJob: async (job = {}) => (await addJobs([job])).join(),
    addRunnerJobs,
    addRunnerJob: async (job = {}) => (await addRunnerJobs([job])).join(),
  };
}

function sendingTo(url: string): EmbeddedJobs['send'] {
  return async (
    { method = 'POST', path, query = {}, headers = {}, body },
    endpoint,
    departures,
  ) => {
    const search = new URLSearchParams(query).toString();
    const isPlain = body === undefined || body instanceof URLSearchParams;
    const response = await fetch(`${url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: isPlain ? headers : { 'content-type': 'application/json', ...headers },
      body: isPlain ? (body ?? null) : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const type = response.headers.get('content-type');
    if (text === '') expect(type).toBeNull();
    else expect(type).toMatch(/^application\/json/);
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    expect(departures(endpoint, response.status, answer), text).toEqual([]);
    return { status: response.status, body: answer };
  };
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
