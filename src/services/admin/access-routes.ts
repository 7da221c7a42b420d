import type * as z from 'zod/mini';
import { type Access, type Client, SCOPES, type Scope, type Token } from '../../engine/access.ts';
import { json, type Route, type RouteRequest } from '../../http/route.ts';
import { fits } from '../../http/schema.ts';
import type { HttpAnswer } from '../../http/transport.ts';
import { parseBody } from '../../http/validation.ts';
import { invalid, refuse, refuseFor } from './errors.ts';
import { BASE_PATH, NameQuery, NewClient, NewToken } from './wire.ts';

const GUARD = { scope: 'admin', refuse: refuseFor } as const;

/** Who may ask the service: tokens and clients of one namespace. */
export function accessRoutes(access: Access): Route[] {
  return [...tokenRoutes(access), ...clientRoutes(access)];
}

function tokenRoutes(access: Access): Route[] {
  const path = `${BASE_PATH}/tokens`;
  return [
    {
      ...GUARD,
      method: 'GET',
      path,
      handle: async () => json(200, (await access.tokens()).map(tokenInfo)),
    },
    {
      ...GUARD,
      method: 'POST',
      path,
      handle: withBody(NewToken, async ({ name, scope, expires_in }) => {
        const lifetime = expires_in === undefined ? undefined : expires_in * 1000;
        const added = await access.addToken({ name, scopes: scopesIn(scope), lifetime });
        if (!added) return taken('token', name);
        return uncached({ token: added.secret, ...tokenInfo(added.token) });
      }),
    },
    {
      ...GUARD,
      method: 'POST',
      path: `${path}/revoke`,
      handle: withName(async (name) => {
        const revoked = await access.revokeToken(name);
        return revoked ? json(200, tokenInfo(revoked)) : none('token', name);
      }),
    },
  ];
}

function clientRoutes(access: Access): Route[] {
  const path = `${BASE_PATH}/clients`;
  return [
    {
      ...GUARD,
      method: 'GET',
      path,
      handle: async () => json(200, (await access.clients()).map(clientInfo)),
    },
    {
      ...GUARD,
      method: 'POST',
      path,
      handle: withBody(NewClient, async ({ name, scope }) => {
        const scopes = scopesIn(scope);
        const added = await access.addClient(name, scopes);
        if (!added) return taken('client', name);
        const { id: client_id, secret: client_secret } = added;
        return uncached({ client_id, client_secret, name, scope: scopes.join(' ') });
      }),
    },
    {
      ...GUARD,
      method: 'DELETE',
      path,
      handle: withName(async (name) =>
        (await access.removeClient(name))
          ? json(200, { name, removed: true })
          : none('client', name),
      ),
    },
  ];
}

/** In the order in which all are told, each once. */
function scopesIn(list: string): Scope[] {
  const names = list.split(' ');
  return SCOPES.filter((scope) => names.includes(scope));
}

function tokenInfo({ name, namespace, scopes, ...times }: Token) {
  const { createdAt, expiresAt, lastUsedAt, revokedAt } = times;
  return {
    name,
    namespace,
    scope: scopes.join(' '),
    created_at: moment(createdAt),
    expires_at: moment(expiresAt),
    last_used_at: moment(lastUsedAt),
    revoked_at: moment(revokedAt),
  };
}

function clientInfo({ id, name, scopes }: Client) {
  return { client_id: id, name, scope: scopes.join(' ') };
}

function moment(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

function taken(what: string, name: string): HttpAnswer {
  return refuse('name_taken', `There is a ${what} ${name} already.`);
}

function none(what: string, name: string): HttpAnswer {
  return refuse('not_found', `There is no ${what} ${name}.`);
}

/** What has a secret in it: for nobody to keep on the way. */
function uncached(body: object): HttpAnswer {
  const answer = json(201, body);
  return { ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } };
}

function withBody<T>(
  schema: z.ZodMiniType<T>,
  handle: (body: T) => Promise<HttpAnswer>,
): Route['handle'] {
  return async (request) => {
    const body = parseBody(request);
    return fits(schema, body) ? handle(body) : invalid(schema, body);
  };
}

function withName(handle: (name: string) => Promise<HttpAnswer>): Route['handle'] {
  return async ({ query }: RouteRequest) => {
    const parameters = Object.fromEntries(query);
    return fits(NameQuery, parameters) ? handle(parameters.name) : invalid(NameQuery, parameters);
  };
}
