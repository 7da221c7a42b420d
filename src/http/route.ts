import { isoTime } from '../domain/clock.ts';
import type { Requester } from '../domain/requester.ts';
import type { HttpAnswer, HttpRequest } from './transport.ts';

/** A request as a handler sees it, whichever way it came. */
export interface RouteRequest {
  /** Parts of the path, by the names that the route's path gives them. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** A header's value; the name in lower case. */
  readonly header: (name: string) => string | undefined;
  readonly body: string;
  readonly by: Requester;
}

/** Why a request does not get to its handler, or its handler to an end. */
export const PROBLEMS = {
  unauthorized: { status: 401, message: 'No token that is known came with the request.' },
  forbidden: { status: 403, message: 'The token is not for this.' },
  too_large: { status: 413, message: 'The body is larger than 1 MiB.' },
  rate_limited: { status: 429, message: 'Too many requests came.' },
  internal: { status: 500, message: 'The service failed.' },
  unavailable: { status: 503, message: 'The database is not available.' },
  crowded: { status: 503, message: 'Too many listen to this node already, or it ends.' },
  outcome_unknown: {
    status: 504,
    message: 'The database went away while a change was made: it may be made or not.',
  },
} as const;
export type Problem = keyof typeof PROBLEMS;

/**
 * One endpoint of the embedded service. Plain values rather than Fetch's: a command that asks the
 * service in its own process then needs neither `Request` nor `Response`, whose first use costs as
 * much as starting Node.
 */
export interface Route {
  readonly method: HttpRequest['method'];
  /** In Hono's syntax, e.g. `/jobs/:id/claim`. */
  readonly path: string;
  /** What the caller has to be allowed, where callers are told apart; without it anybody may. */
  readonly scope?: string;
  /**
   * The id under which a request shows a secret of its own in place of a token, as far as it has one:
   * where this is there, requests that are refused are limited by address, and others by it.
   */
  readonly clientIn?: (request: RouteRequest) => string | undefined;
  /** How the dialect says no; with a message of its own where there is more to tell. */
  readonly refuse: (problem: Problem, message?: string) => HttpAnswer;
  readonly handle: (request: RouteRequest) => Promise<RouteAnswer>;
}

/** What a handler answers. */
export interface RouteAnswer extends HttpAnswer {
  /** When the times that it tells were read, by the clock that they are of; in milliseconds. */
  readonly at?: number;
  /**
   * In the place of a body: text that comes piece by piece, each when the one before has been taken,
   * until the signal.
   */
  readonly pieces?: (signal: AbortSignal) => AsyncIterable<string>;
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
  return `${isoTime(milliseconds).slice(0, -'.000Z'.length)}Z`;
}
