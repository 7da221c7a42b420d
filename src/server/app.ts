import { Hono } from 'hono';
import { Failure } from '../domain/failure.ts';
import type { Route } from '../http/route.ts';

/** The lease service as a Fetch-style application; listening is somebody else's part. */
export function createApp(routes: readonly Route[]): Hono {
  const app = new Hono();
  for (const { method, path, handle } of routes) {
    app.on(method, path, async (context) => {
      const { req } = context;
      const answer = await handle({
        params: req.param(),
        query: new URL(req.url).searchParams,
        header: (name) => req.header(name),
        body: await req.text(),
      });
      return new Response(answer.body, { status: answer.status, headers: answer.headers });
    });
  }
  app.notFound((context) =>
    context.json({ detail: { error: 'no_such_endpoint', message: 'No such endpoint.' } }, 404),
  );
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
