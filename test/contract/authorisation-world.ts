import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Access, SCOPES, type Scope } from '../../src/engine/access.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Lease } from '../../src/engine/lease.ts';
import { accessOn, engineOn } from '../../src/engines.ts';
import type { Route } from '../../src/http/route.ts';
import { servedRoutes } from '../../src/served.ts';
import { createApp } from '../../src/server/app.ts';
import { createCallers } from '../../src/server/callers.ts';
import { workOf as runnerWorkOf } from '../../src/services/askui/new-job.ts';
import { workOf } from '../../src/services/retaia/new-job.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { createClock, type TestClock } from '../support/embedded-server.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** What a request is about: a lease of each kind, that its owner holds or that is to be had. */
export interface Own {
  readonly key: string;
  readonly job: string;
  /** May have the runner job, as the only one. */
  readonly runner: string;
  /** Holder's secrets, by what they are for; there is none for what is to be had. */
  readonly leaseId: string;
  readonly lock: string;
  readonly ack: string;
}

/** How a token is shown. */
export const FORMS = ['Bearer', 'Basic', 'OAuth'] as const;
export type Form = (typeof FORMS)[number];

export interface World {
  readonly app: Pick<ReturnType<typeof createApp>, 'request'>;
  readonly routes: readonly Route[];
  readonly clock: TestClock;
  accessTo(namespace: string): Access;
  prepare(isHeld: boolean): Promise<Own>;
  /** What is stored of it. */
  leasesOf(own: Own): Promise<readonly (Lease | undefined)[]>;
  /** @returns what to send as the Authorization header */
  admit(form: Form, scopes: readonly Scope[], namespace: string): Promise<string>;
}

export const OWNER = 'default';
export const STRANGER = 'other';

/** What lasts until the test is over, in milliseconds. */
const TTL = 600_000;

/** All that is served, and callers of two namespaces. */
export function createWorld(): World {
  const clock = createClock('2025-01-15T10:30:00Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  onTestFinished(() => store.close());
  const routesFor = servedRoutes(store);
  const callers = createCallers({ access: accessOn(store), elapsed: clock, isGuarded: true });
  const app = createApp({ routesFor, access: callers });
  const engine = engineOn(store, 'owner');
  return {
    app,
    clock,
    routes: routesFor(undefined),
    accessTo: (namespace) => accessOn(store, namespace),
    prepare: (isHeld) => prepare(engine, isHeld),
    leasesOf: async ({ key, job, runner }) => {
      const looks = [
        engine.look('key', key),
        engine.look('job', job),
        engine.look('runner_job', runner),
      ];
      return (await Promise.all(looks)).map(({ lease }) => lease);
    },
    admit: (form, scopes, namespace) => admit(app, accessOn(store, namespace), form, scopes),
  };
}

async function prepare(engine: Engine, isHeld: boolean): Promise<Own> {
  const id = randomUUID();
  const work = workOf({ job_type: 'extract_facts' }, randomUUID);
  const runnerWork = runnerWorkOf({ runners: [id] }, randomUUID);
  await engine.add([{ kind: 'job', id, ttl: TTL, work }]);
  await engine.add([{ kind: 'runner_job', id, ttl: TTL, work: runnerWork }]);
  const own = { key: id, job: id, runner: id, leaseId: 'none', lock: 'none', ack: 'none' };
  if (!isHeld) return own;
  const handle = async (kind: Lease['kind']) => {
    const nothing = { metadata: null, idempotencyKey: null, requestHash: null };
    const { outcome } = await engine.acquire({ kind, id, ttl: TTL, ...nothing });
    if (outcome.type !== 'acquired') throw new Error(outcome.type);
    return outcome.lease.handle;
  };
  return {
    ...own,
    leaseId: await handle('key'),
    lock: await handle('job'),
    ack: await handle('runner_job'),
  };
}

async function admit(
  app: World['app'],
  access: Access,
  form: Form,
  scopes: readonly Scope[],
): Promise<string> {
  const name = randomUUID();
  if (form === 'OAuth') {
    const client = await access.addClient(name, scopes);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client?.id ?? '',
      client_secret: client?.secret ?? '',
    });
    const answer = await app.request('/api/v1/oauth/token', { method: 'POST', body });
    return `Bearer ${Object(await answer.json()).access_token}`;
  }
  const added = await access.addToken({ name, scopes, lifetime: undefined });
  return shown(form, added?.secret ?? '');
}

/** A token as a header has it. */
export function shown(form: Form, token: string): string {
  return form === 'Basic' ? `Basic ${Buffer.from(token).toString('base64')}` : `Bearer ${token}`;
}

export function allBut(scope: Scope): Scope[] {
  return SCOPES.filter((other) => other !== scope);
}
