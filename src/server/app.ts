import { Hono } from 'hono';
import { DEFAULT_NAMESPACE } from '../engine/store.ts';
import type { RouteAnswer } from '../http/route.ts';
import { createEndpoints, type Endpoints, type EndpointsOptions, headersOf } from './endpoints.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';
import { pause } from './pause.ts';
import { readBody } from './read-body.ts';
import type { Bindings } from './request-notes.ts';
import { Streams } from './streams.ts';

export interface AppOptions extends EndpointsOptions {
  /** Answers that go on. */
  readonly streams?: Streams;
}

export type App = Hono<{ Bindings: Bindings }>;

/**
 * The lease service as a Fetch-style application; listening is somebody else's part.
 *
 * @param endpoints those of the options, where somebody else asks them, too
 */
export function createApp(
  options: AppOptions,
  endpoints: Endpoints = createEndpoints(options),
): App {
  const app: App = new Hono();
  const { streams = new Streams({ pause }) } = options;
  for (const [index, route] of endpoints.routes.entries()) {
    app.on(route.method, route.path, async ({ req, env }) => {
      const notes = env?.notes ?? { id: '' };
      const asked = {
        params: req.param(),
        get query() {
          return new URL(req.url).searchParams;
        },
        header: (name: string) => req.header(name),
        body: () => readBody(req.raw),
      };
      const answer = await endpoints.answer(index, asked, notes);
      const { pieces } = answer;
      if (!pieces || req.method === 'HEAD') return responseOf(answer);
      const namespace = notes.bearer?.namespace ?? DEFAULT_NAMESPACE;
      if (!streams.admits(namespace)) return responseOf(route.refuse('crowded'));
      notes.streamedSince = performance.now();
      const listener = {
        namespace,
        isAllowed: () => endpoints.mayListen(route, req.header('authorization')),
        onFailure: (error: unknown) => {
          notes.error = error;
        },
      };
      return responseOf(answer, streams.begin(pieces, listener));
    });
  }
  app.notFound(() => responseOf(NO_SUCH_ENDPOINT));
  return app;
}

function responseOf(answer: RouteAnswer, stream?: ReadableStream<Uint8Array>): Response {
  const { status, body } = answer;
  // All at once: to add a header later makes a slower kind of Response of it.
  return new Response(status === 204 ? null : (stream ?? body), {
    status,
    headers: headersOf(answer),
  });
}
