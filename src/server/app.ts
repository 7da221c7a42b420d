import { Hono } from 'hono';
import { Failure } from '../domain/failure.ts';
import type { Access, Bearer } from '../engine/access.ts';
import { PROBLEMS, type Problem, type Route } from '../http/route.ts';
import { type HttpAnswer, KNOWS_ACQUISITIONS } from '../http/transport.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';

export interface AppOptions {
  /**
   * The endpoints, bound to who asks; undefined where that does not matter. Their methods, paths,
   * scopes and refusals, and their order, are the same for everybody.
   */
  readonly routesFor: (bearer: Bearer | undefined) => readonly Route[];
  /** Tells callers apart; without it, or while it is open, everybody may everything. */
  readonly access?: Pick<Access, 'bearerOf' | 'isOpen'>;
  /** Told what was thrown, of which the answer says no more than that something was. */
  readonly report?: (error: unknown) => void;
}

/** Callers whose endpoints are kept ready. */
const MOST_CALLERS = 1_000;

/** The lease service as a Fetch-style application; listening is somebody else's part. */
export function createApp({ routesFor, access, report }: AppOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header(KNOWS_ACQUISITIONS, '1');
  });
  const routesOf = remembering(routesFor);
  for (const [index, { method, path, scope, refuse }] of routesOf(undefined).entries()) {
    app.on(method, path, async ({ req }) => {
      try {
        const token = tokenIn(req.header('authorization'));
        const bearer = token === undefined ? undefined : await access?.bearerOf(token);
        const problem = scope && access && (await problemOf(access, bearer, scope));
        if (problem) return responseOf(refuse(problem));
        const answer = await routesOf(bearer)[index]?.handle({
          params: req.param(),
          query: new URL(req.url).searchParams,
          header: (name) => req.header(name),
          body: await req.text(),
          ...(bearer ? { caller: bearer.name } : {}),
        });
        return responseOf(answer ?? NO_SUCH_ENDPOINT);
      } catch (error) {
        report?.(error);
        return responseOf(refuse(meaningOf(error)));
      }
    });
  }
  app.notFound(() => responseOf(NO_SUCH_ENDPOINT));
  return app;
}

/** Keeps what was made for a caller, for as many callers as there usually are. */
function remembering(routesFor: AppOptions['routesFor']): AppOptions['routesFor'] {
  const known = new Map<string, readonly Route[]>();
  return (bearer) => {
    const caller = JSON.stringify([bearer?.namespace, bearer?.name]);
    const routes = known.get(caller) ?? routesFor(bearer);
    if (known.size >= MOST_CALLERS) known.clear();
    known.set(caller, routes);
    return routes;
  };
}

/** The token of a request: as a bearer, or by AskUI's Basic, in which it stands alone. */
function tokenIn(authorization: string | undefined): string | undefined {
  const [, scheme, value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (scheme === undefined) return undefined;
  return /^bearer$/i.test(scheme) ? value : Buffer.from(value, 'base64').toString();
}

async function problemOf(
  access: Pick<Access, 'isOpen'>,
  bearer: Bearer | undefined,
  scope: string,
): Promise<Problem | undefined> {
  if (bearer) return bearer.scopes.some((own) => own === scope) ? undefined : 'forbidden';
  return (await access.isOpen()) ? undefined : 'unauthorized';
}

function meaningOf(error: unknown): Problem {
  return error instanceof Failure && error.code === 'unavailable' ? 'unavailable' : 'internal';
}

/** When to come back, in seconds, after what passes by itself. */
const RETRY_AFTER = '1';

function responseOf({ status, headers, body }: HttpAnswer): Response {
  const passes = status === PROBLEMS.rate_limited.status || status === PROBLEMS.unavailable.status;
  return new Response(status === 204 ? null : body, {
    status,
    headers: passes ? { 'retry-after': RETRY_AFTER, ...headers } : headers,
  });
}
