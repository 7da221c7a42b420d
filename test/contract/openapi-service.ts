import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Scope } from '../../src/engine/access.ts';
import type { Store } from '../../src/engine/store.ts';
import { accessOn, engineOn } from '../../src/engines.ts';
import type { Route } from '../../src/http/route.ts';
import { createBeside } from '../../src/serve/beside.ts';
import { createService, type Service } from '../../src/serve/service.ts';
import { servedRoutes } from '../../src/served.ts';
import { parseFaults } from '../../src/server/faults.ts';
import { healthRoutes } from '../../src/server/health.ts';
import { createLog } from '../../src/server/log.ts';
import { openApiDocument } from '../../src/server/openapi.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { textOf } from '../support/response-text.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { createJudge } from './openapi-schema.ts';

interface Described {
  readonly operationId: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly content?: Content; readonly headers?: object }>
  >;
}
type Content = Readonly<Record<string, { readonly schema: { readonly $ref: string } }>>;

/** The description as these tests go on with it; that it is one, another test finds out. */
export interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

export const DESCRIPTION = JSON.parse(JSON.stringify(openApiDocument('1.2.3'))) as Description &
  Record<string, unknown>;

export interface Endpoint {
  readonly method: string;
  /** As the description writes it. */
  readonly path: string;
  readonly operation: Described;
}

export const ENDPOINTS: readonly Endpoint[] = Object.entries(DESCRIPTION.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);

const log = createLog(
  () => undefined,
  'error',
  (text) => text,
);
const openApi = async () => JSON.stringify(DESCRIPTION);

/** A store of its own. */
export function openStore(): Store {
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db') });
  onTestFinished(() => store.close());
  return store;
}

/** Every endpoint that there is. */
export function allRoutes(): Route[] {
  const store = openStore();
  const health = healthRoutes({ check: () => store.check(), isStopping: () => false });
  const beside = createBeside(store, {
    faults: undefined,
    openApi,
    log,
    streams: { count: () => 0 },
  });
  return [...health, ...beside.routesFor(undefined), ...servedRoutes(store)(undefined)];
}

export interface Asking {
  readonly token?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, an object as JSON, a form as a form. */
  readonly body?: object | string | URLSearchParams;
  /** In place of the names of the path. */
  readonly params?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A service in this process, every answer of which has to be as it is described. */
export interface DescribedService {
  readonly service: Service;
  readonly ask: (operationId: string, asking?: Asking) => Promise<Answer>;
  /** A token of the default namespace. */
  readonly token: (name: string, scopes: readonly Scope[]) => Promise<string>;
  readonly engine: ReturnType<typeof engineOn>;
  readonly access: ReturnType<typeof accessOn>;
}

const judge = createJudge(DESCRIPTION);

export async function startDescribed(
  store: Store,
  { rate = 0, capacity = 1_000, fault }: { rate?: number; capacity?: number; fault?: string } = {},
): Promise<DescribedService> {
  const faults = fault === undefined ? undefined : await parseFaults(fault, () => 1);
  const options = { store, rate, capacity, faults, log, openApi };
  const service = createService({ ...options, isGuarded: false });
  const access = accessOn(store);
  const ask: DescribedService['ask'] = async (operationId, asking = {}) => {
    const endpoint = ENDPOINTS.find(({ operation }) => operation.operationId === operationId);
    if (!endpoint) throw new Error(`no ${operationId} is described`);
    const response = await service.answer(requestTo(endpoint, asking), { id: 'test' });
    const text = await textOf(response);
    const type = response.headers.get('content-type')?.split(';')[0];
    const body: unknown = type === 'application/json' ? JSON.parse(text) : text || undefined;
    check(endpoint, response, body, asking);
    return { status: response.status, body };
  };
  return {
    service,
    ask,
    token: async (name, scopes) => {
      const added = await access.addToken({ name, scopes, lifetime: undefined });
      if (!added) throw new Error(`there is a token ${name}`);
      return added.secret;
    },
    engine: engineOn(store),
    access,
  };
}

function requestTo({ method, path }: Endpoint, asking: Asking): Request {
  const { token, query = {}, headers = {}, body, params = {} } = asking;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(params[name] ?? 'none'),
  );
  const sent =
    body === undefined || typeof body === 'string' || body instanceof URLSearchParams
      ? body
      : JSON.stringify(body);
  return new Request(`http://127.0.0.1${filled}?${new URLSearchParams(query)}`, {
    method: method.toUpperCase(),
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  });
}

/** Whether an answer is as it is described, and what was asked for, if it was done. */
function check(
  { operation }: Endpoint,
  response: Response,
  body: unknown,
  { body: asked }: Asking,
): void {
  const { operationId, responses, requestBody } = operation;
  const { status, headers } = response;
  const described = responses[status];
  const where = `${operationId} ${status} ${JSON.stringify(body)}`;
  expect(described, where).toBeDefined();
  const [type, content] = Object.entries(described?.content ?? {})[0] ?? [];
  expect(headers.get('content-type')?.split(';')[0], where).toBe(type);
  if (content) expect(judge(content.schema.$ref, body), where).toEqual([]);
  else expect(body, where).toBeUndefined();
  const needed = Object.keys(described?.headers ?? {});
  for (const name of needed) expect(headers.get(name), where).toMatch(/^[1-9]\d*$/);
  if (status >= 300 || asked === undefined) return;
  const [wanted] = Object.values(requestBody?.content ?? {});
  const value = asked instanceof URLSearchParams ? Object.fromEntries(asked) : asked;
  expect(judge(wanted?.schema.$ref ?? '', value), `${where}: asked`).toEqual([]);
}
