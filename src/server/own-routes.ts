import type { Route } from '../http/route.ts';
import { refuseProblem } from './refuse.ts';

/** Tells Prometheus what it may know of a namespace, and of the process. */
export function metricsRoute(contentType: string, text: () => Promise<string>): Route {
  return {
    method: 'GET',
    path: '/metrics',
    scope: 'metrics',
    refuse: refuseProblem,
    handle: async () => ({
      status: 200,
      headers: { 'content-type': contentType, 'cache-control': 'no-store' },
      body: await text(),
    }),
  };
}

/**
 * Describes the service to programs.
 *
 * @param read gives the description, as JSON; it is asked for it once
 */
export function openApiRoute(read: () => Promise<string>): Route {
  let description: string | undefined;
  return {
    method: 'GET',
    path: '/openapi.json',
    refuse: refuseProblem,
    handle: async () => {
      description ??= await read();
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: description,
      };
    },
  };
}
