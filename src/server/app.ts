import { Hono } from 'hono';
import { Failure } from '../domain/failure.ts';
import type { Access, Bearer } from '../engine/access.ts';
import type { Route } from '../http/route.ts';
import { KNOWS_ACQUISITIONS } from '../http/transport.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';

/**
 * The lease service as a Fetch-style application; listening is somebody else's part.
 *
 * @param access tells callers apart; without it everybody may everything
 */
export function createApp(routes: readonly Route[], access?: Access): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header(KNOWS_ACQUISITIONS, '1');
  });
  for (const { method, path, guard, handle } of routes) {
    app.on(method, path, async (context) => {
      const { req } = context;
      const token = bearerToken(req.header('authorization'));
      const bearer = token === undefined ? undefined : await access?.bearerOf(token);
      const mayNot = access && guard && denied(guard.scope, bearer);
      const answer = mayNot
        ? guard.refuse(mayNot)
        : await handle({
            params: req.param(),
            query: new URL(req.url).searchParams,
            header: (name) => req.header(name),
            body: await req.text(),
            ...(bearer ? { caller: bearer.name } : {}),
          });
      return new Response(answer.status === 204 ? null : answer.body, {
        status: answer.status,
        headers: answer.headers,
      });
    });
  }
  app.notFound(() => {
    const { status, headers, body } = NO_SUCH_ENDPOINT;
    return new Response(body, { status, headers });
  });
  app.onError((error, context) => {
    if (error instanceof Failure && error.code === 'unavailable') {
      const detail = { error: 'unavailable', message: 'The database is not available.' };
      return context.json({ detail }, 503, { 'retry-after': '1' });
    }
    const detail = { error: 'internal', message: 'The service failed.' };
    return context.json({ detail }, 500);
  });
  return app;
}

function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function denied(scope: string, bearer: Bearer | undefined): 401 | 403 | undefined {
  if (!bearer) return 401;
  return bearer.scopes.some((own) => own === scope) ? undefined : 403;
}
