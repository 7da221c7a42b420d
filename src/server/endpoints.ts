import { Failure } from '../domain/failure.ts';
import type { Requester } from '../domain/requester.ts';
import type { Access, Bearer } from '../engine/access.ts';
import {
  PROBLEMS,
  type Problem,
  type Route,
  type RouteAnswer,
  type RouteRequest,
} from '../http/route.ts';
import { type HttpAnswer, KNOWS_ACQUISITIONS } from '../http/transport.ts';
import { callerOf, clientOf, strangerOf } from './counted-as.ts';
import { AnswerDropped } from './fault-injector.ts';
import { NO_SUCH_ENDPOINT } from './no-such-endpoint.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RequestNotes } from './request-notes.ts';

export interface EndpointsOptions {
  /**
   * The endpoints, bound to who asks; undefined where that does not matter. Their methods, paths,
   * scopes and refusals, and their order, are the same for everybody.
   */
  readonly routesFor: (bearer: Bearer | undefined) => readonly Route[];
  /** Tells callers apart; without it, or while it is open, everybody may everything. */
  readonly access?: Gate;
  /** How often a caller may ask, and how often an address without showing anything that is known. */
  readonly limit?: RateLimit;
}

/** Tells callers apart. */
export interface Gate extends Pick<Access, 'bearerOf' | 'isOpen'> {
  /** Whether a token was somebody's not long ago, without a look at the database. */
  wasKnown?(token: string): boolean;
}

/** A request to an endpoint, whatever carries it. */
export interface Asked extends Pick<RouteRequest, 'params' | 'query' | 'header'> {
  /** Reads it. @returns undefined when it is too large */
  readonly body: () => Promise<string | undefined>;
}

/** A request that is read. Few look at its query, and to define a getter for each request takes long. */
class Whole implements RouteRequest {
  readonly params: RouteRequest['params'];
  readonly header: RouteRequest['header'];
  readonly body: string;
  readonly by: Requester;
  readonly #asked: Asked;

  constructor(asked: Asked, body: string, by: Requester) {
    this.params = asked.params;
    this.header = asked.header;
    this.body = body;
    this.by = by;
    this.#asked = asked;
  }

  get query(): URLSearchParams {
    return this.#asked.query;
  }
}

/** What is asked of a service, without anything that carries requests. */
export interface Endpoints {
  /** All of them, whoever asks. */
  readonly routes: readonly Route[];
  /** Lets the route with this index answer, unless the caller may not ask it. */
  answer(index: number, asked: Asked, notes: RequestNotes): Promise<RouteAnswer>;
  /** Whether who shows this may go on listening to a route. */
  mayListen(route: Route, authorization: string | undefined): Promise<boolean>;
}

/** Callers whose endpoints are kept ready. */
const MOST_CALLERS = 1_000;

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const { access, limit } = options;
  const routesOf = remembering(options.routesFor);
  const routes = routesOf(undefined);
  return {
    routes,
    async answer(index, asked, notes) {
      const route = routes[index];
      if (!route) return NO_SUCH_ENDPOINT;
      notes.route = route.path;
      try {
        const refusal = await refusalOf(route, asked.header('authorization'), notes, options);
        if (refusal) return refusal;
        const body = await asked.body();
        if (body === undefined) return route.refuse('too_large');
        const own = routesOf(notes.bearer)[index];
        if (!own) return NO_SUCH_ENDPOINT;
        const by = { caller: notes.bearer?.name ?? null, requestId: notes.id || null };
        return await handled(own, notes, limit, new Whole(asked, body, by));
      } catch (error) {
        if (error instanceof AnswerDropped) notes.isDropped = true;
        else notes.error = error;
        return route.refuse(meaningOf(error));
      }
    },
    async mayListen({ scope }, authorization) {
      if (!access || scope === undefined) return true;
      const token = tokenIn(authorization);
      const bearer = token === undefined ? undefined : await access.bearerOf(token);
      return (await problemOf(access, bearer, scope)) === undefined;
    },
  };
}

/** Finds out who asks, and whether they may. */
async function refusalOf(
  { scope, refuse }: Route,
  authorization: string | undefined,
  notes: RequestNotes,
  { access, limit }: EndpointsOptions,
): Promise<HttpAnswer | undefined> {
  // What is for everybody is so without the database, too.
  if (scope === undefined || !access) return undefined;
  const token = tokenIn(authorization);
  const early = limit?.wait(strangerOf(notes.remote));
  // Others at its address are not to keep out who was known.
  const isFamiliar = () => token !== undefined && access.wasKnown?.(token);
  if (early !== undefined && !isFamiliar()) return limited(refuse, early);
  const bearer = token === undefined ? undefined : await access.bearerOf(token);
  if (bearer) notes.bearer = bearer;
  const wait = bearer && limit?.take(callerOf(bearer));
  if (wait !== undefined) return limited(refuse, wait);
  const problem = await problemOf(access, bearer, scope);
  if (problem === 'unauthorized') limit?.take(strangerOf(notes.remote));
  return problem && refuse(problem, messageOf(problem, scope));
}

/** Lets a route handle a request, unless too many came that show a secret in place of a token. */
async function handled(
  { clientIn, refuse, handle }: Route,
  { remote }: RequestNotes,
  limit: RateLimit | undefined,
  request: RouteRequest,
): Promise<RouteAnswer> {
  if (!clientIn || !limit) return handle(request);
  const client = clientOf(clientIn(request) ?? '');
  const stranger = strangerOf(remote);
  const wait = limit.wait(stranger) ?? limit.wait(client);
  if (wait !== undefined) return limited(refuse, wait);
  const answer = await handle(request);
  // Only who has the secret can use up what the client may.
  if (answer.status < 300) limit.take(client);
  else if (answer.status < 500) limit.take(stranger);
  return answer;
}

function limited(refuse: Route['refuse'], wait: number): HttpAnswer {
  return retriedAfter(wait, refuse('rate_limited'));
}

function retriedAfter(seconds: number, answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(seconds) } };
}

/** Keeps what was made for a caller, for as many callers as there usually are. */
function remembering(routesFor: EndpointsOptions['routesFor']): EndpointsOptions['routesFor'] {
  const known = new Map<string, readonly Route[]>();
  return (bearer) => {
    const caller = callerOf(bearer);
    const found = known.get(caller);
    if (found) return found;
    if (known.size >= MOST_CALLERS) known.clear();
    const routes = routesFor(bearer);
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

/** Who may not is told what it would take. */
function messageOf(problem: Problem, scope: string): string {
  const { message } = PROBLEMS[problem];
  return problem === 'forbidden' ? `${message} It lacks the scope ${scope}.` : message;
}

function meaningOf(error: unknown): Problem {
  if (!(error instanceof Failure) || error.code !== 'unavailable') return 'internal';
  return error.outcomeUnknown ? 'outcome_unknown' : 'unavailable';
}

/** When to come back, in seconds, after what passes by itself. */
const RETRY_AFTER = '1';

/** What a 401 has to come with (RFC 9110, section 15.5.2), unless an endpoint says it better. */
const CHALLENGE = 'Bearer realm="leasectl"';

/** The headers of an answer. */
export function headersOf({ status, headers, at }: RouteAnswer): Record<string, string> {
  const passes = status === PROBLEMS.rate_limited.status || status === PROBLEMS.unavailable.status;
  return {
    [KNOWS_ACQUISITIONS]: '1',
    ...(passes ? { 'retry-after': RETRY_AFTER } : {}),
    ...(status === PROBLEMS.unauthorized.status ? { 'www-authenticate': CHALLENGE } : {}),
    // Holders count from this until a lease ends, which the database's clock decides, not a node's.
    ...(at === undefined ? {} : { date: new Date(at).toUTCString() }),
    ...headers,
  };
}
