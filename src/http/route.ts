import type { HttpAnswer, HttpRequest } from './transport.ts';

/** A request as a handler sees it, whichever way it came. */
export interface RouteRequest {
  /** Parts of the path, by the names that the route's path gives them. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** A header's value; the name in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly body: string;
  /** Who asks, as far as that is known. */
  readonly caller?: string;
}

/** Who may ask, and how the dialect says no. */
export interface Guard {
  /** What the caller has to be allowed. */
  readonly scope: string;
  /** 401 for who is not known, 403 for who may not. */
  readonly refuse: (status: 401 | 403) => HttpAnswer;
}

/**
 * One endpoint of the embedded service. Plain values rather than Fetch's: a command that asks the
 * service in its own process then needs neither `Request` nor `Response`, whose first use costs as
 * much as starting Node.
 */
export interface Route {
  readonly method: HttpRequest['method'];
  /** In Hono's syntax, e.g. `/jobs/:id/claim`. */
  readonly path: string;
  /** Asked where callers are told apart. */
  readonly guard?: Guard;
  readonly handle: (request: RouteRequest) => Promise<HttpAnswer>;
}

export function json(status: number, body: unknown): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** RFC 3339, in whole seconds. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
