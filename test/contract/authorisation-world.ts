import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { type Access, SCOPES, type Scope } from '../../src/engine/access.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Event } from '../../src/engine/history.ts';
import type { Lease } from '../../src/engine/lease.ts';
import { accessOn, engineOn } from '../../src/engines.ts';
import type { Route } from '../../src/http/route.ts';
import { createService } from '../../src/serve/service.ts';
import { createLog } from '../../src/server/log.ts';
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
  /** Name of a token and of a client, and one that is not taken. */
  readonly name: string;
  readonly freeName: string;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Row {
  /** What a caller needs; undefined where anybody may. */
  readonly scope: Scope | undefined;
  /** Whether the request is about what its owner holds; else about what is to be had. */
  readonly isHeld: boolean;
  readonly query?: (own: Own) => Readonly<Record<string, string>>;
  readonly body?: (own: Own) => object;
  readonly headers?: Readonly<Record<string, string>>;
  /** To who may. */
  readonly right: (own: Own) => Answered;
  /** To who may, in another namespace: nothing is known there of what the request is about. */
  readonly foreign: (own: Own) => Answered;
}

/** How a token is shown. */
export const FORMS = ['Bearer', 'Basic', 'OAuth'] as const;
export type Form = (typeof FORMS)[number];

export interface World {
  request(path: string, init?: RequestInit): Promise<Response>;
  /** All that is served, whoever asks. */
  readonly routes: readonly Pick<Route, 'method' | 'path' | 'scope'>[];
  readonly clock: TestClock;
  accessTo(namespace: string): Access;
  prepare(isHeld: boolean): Promise<Own>;
  /** What was noted last of this id. */
  lastOf(id: string): Promise<Event | undefined>;
  /** What is stored of it. */
  stateOf(own: Own): Promise<unknown>;
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
  const service = createService({
    ...{ store, isGuarded: true, rate: 0, capacity: 1_000_000, faults: undefined },
    log: createLog(
      () => undefined,
      'error',
      (text) => text,
    ),
    openApi: async () => '{}',
  });
  const request: World['request'] = async (path, init) =>
    service.answer(new Request(`http://127.0.0.1${path}`, init), { id: 'r' });
  const engine = engineOn(store);
  const access = accessOn(store, OWNER);
  return {
    request,
    clock,
    routes: service.routes,
    accessTo: (namespace) => accessOn(store, namespace),
    lastOf: async (id) => (await engine.history({ id }, 1))[0],
    prepare: (isHeld) => prepare(engine, access, isHeld),
    async stateOf({ key, job, runner, name }) {
      const looks = [
        engine.look('key', key),
        engine.look('job', job),
        engine.look('runner_job', runner),
      ];
      const [tokens, clients] = [await access.tokens(), await access.clients()];
      return {
        leases: (await Promise.all(looks)).map(({ lease }) => lease),
        token: tokens.find((token) => token.name === name),
        client: clients.find((client) => client.name === name),
      };
    },
    admit: (form, scopes, namespace) => admit(request, accessOn(store, namespace), form, scopes),
  };
}

async function prepare(engine: Engine, access: Access, isHeld: boolean): Promise<Own> {
  const id = randomUUID();
  await access.addToken({ name: id, scopes: ['keys:read'], lifetime: undefined });
  await access.addClient(id, ['keys:read']);
  const work = workOf({ job_type: 'extract_facts' }, randomUUID);
  const runnerWork = runnerWorkOf({ runners: [id] }, randomUUID);
  await engine.add([{ kind: 'job', id, ttl: TTL, work }], NOBODY);
  await engine.add([{ kind: 'runner_job', id, ttl: TTL, work: runnerWork }], NOBODY);
  const names = { key: id, job: id, runner: id, name: id, freeName: randomUUID() };
  const own = { ...names, leaseId: 'none', lock: 'none', ack: 'none' };
  if (!isHeld) return own;
  const handle = async (kind: Lease['kind']) => {
    const nothing = { metadata: null, idempotencyKey: null, requestHash: null };
    const { outcome } = await engine.acquire({ kind, id, ttl: TTL, ...nothing }, NOBODY);
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
  request: World['request'],
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
    const answer = await request('/api/v1/oauth/token', { method: 'POST', body });
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
