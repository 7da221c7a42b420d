import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import type { Access, Scope } from '../../src/engine/access.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { accessOn, engineOn } from '../../src/engines.ts';
import { servedRoutes } from '../../src/served.ts';
import { createApp } from '../../src/server/app.ts';
import { workOf as runnerJobOf } from '../../src/services/askui/new-job.ts';
import { workOf as jobOf } from '../../src/services/retaia/new-job.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from './sandbox.ts';

/** Milliseconds. */
const LEASE = 120_000;

/** What leasectl serves, in the process of the test, with access control. */
export interface TeamService {
  readonly url: string;
  readonly access: Access;
  /** The requests so far: method, path, and what was shown. */
  readonly seen: readonly string[];
  /** Whether it takes requests, by its own word. */
  isReady: boolean;
  /** Adds a token for all that the scopes are for. @returns its secret */
  token(name: string, ...scopes: readonly Scope[]): Promise<string>;
  /** Adds a job for `jobs`, and one for `runner-jobs`. @returns their ids */
  addWork(): Promise<readonly string[]>;
}

/** @param prefix path that stands before all others, as behind a proxy */
export async function startTeamService(prefix = ''): Promise<TeamService> {
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db') });
  const access = accessOn(store);
  const seen: string[] = [];
  const team = { isReady: true };
  const app = new Hono();
  app.use(async ({ req }, next) => {
    seen.push(`${req.method} ${req.path} ${req.header('authorization') ?? 'nothing'}`);
    await next();
  });
  app.get(`${prefix}/healthz`, (context) => context.text('ok'));
  app.get(`${prefix}/readyz`, (context) =>
    context.json(
      team.isReady ? { status: 'ready' } : { status: 'unavailable' },
      team.isReady ? 200 : 503,
    ),
  );
  app.route(prefix || '/', createApp({ routesFor: servedRoutes(store), access }));
  const url = await new Promise<string>((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}${prefix}`),
    );
    onTestFinished(async () => {
      server.close();
      await store.close();
    });
  });
  return Object.assign(team, {
    url,
    access,
    seen,
    token: async (name: string, ...scopes: readonly Scope[]) => {
      const added = await access.addToken({ name, scopes, lifetime: undefined });
      return added?.secret ?? '';
    },
    addWork: () => addWork(engineOn(store)),
  });
}

async function addWork(engine: Engine): Promise<readonly string[]> {
  const added = await engine.add(
    [
      {
        kind: 'job',
        id: 'job_1',
        ttl: LEASE,
        work: jobOf({ job_type: 'extract_facts' }, randomUUID),
      },
      { kind: 'runner_job', id: 'rjob_1', ttl: LEASE, work: runnerJobOf({}, randomUUID) },
    ],
    NOBODY,
  );
  return added.map(({ id }) => id);
}
