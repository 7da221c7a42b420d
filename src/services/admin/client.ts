import type * as z from 'zod/mini';
import { type CallRequest, createCall, withWhatIsKnown } from '../../http/call.ts';
import type { Transport } from '../../http/transport.ts';
import { adminErrors } from './errors.ts';
import { type FollowHooks, type FollowQuery, follow } from './follow.ts';
import { QueueInfo, type QueueQuery } from './queue-wire.ts';
import {
  AddedClient,
  AddedJobs,
  AddedRunnerJobs,
  AddedToken,
  type AddRequest,
  BASE_PATH,
  type BreakRequest,
  CanceledJob,
  ClientList,
  type EventInfo,
  History,
  type HistoryQuery,
  LeaseDetails,
  LeaseList,
  type LeaseQuery,
  LeaseSummary,
  type LeasesQuery,
  type NewClient,
  type NewToken,
  RemovedClient,
  TokenInfo,
  TokenList,
} from './wire.ts';

/**
 * The administration of a service that is leasectl's. Every method answers with the service's own
 * object, checked against the contract, and throws a Failure for everything else.
 */
export interface AdminClient {
  /** @throws Failure `unavailable` when no answer came, saying how to see what was added */
  addJobs(request: AddRequest<object>): Promise<AddedJobs>;
  /** @throws Failure as `addJobs` */
  addRunnerJobs(request: AddRequest<object>): Promise<AddedRunnerJobs>;
  cancelRunnerJob(id: string): Promise<CanceledJob>;
  /** @throws Failure `unavailable` when no answer came: then nobody knows the token */
  addToken(token: NewToken): Promise<AddedToken>;
  tokens(): Promise<TokenList>;
  revokeToken(name: string): Promise<TokenInfo>;
  /** @throws Failure as `addToken` */
  addClient(client: NewClient): Promise<AddedClient>;
  clients(): Promise<ClientList>;
  removeClient(name: string): Promise<RemovedClient>;
  leases(query: LeasesQuery): Promise<LeaseList>;
  lease(query: LeaseQuery): Promise<LeaseDetails>;
  breakLease(query: LeaseQuery, request: BreakRequest): Promise<LeaseSummary>;
  history(query: HistoryQuery): Promise<History>;
  /**
   * What happens, as it happens: each event once, in the order in which they could be seen, until the
   * signal. Lost connections are made anew.
   *
   * @throws Failure `unavailable` only where there was no connection yet
   */
  follow(query: FollowQuery, signal: AbortSignal, hooks?: FollowHooks): AsyncIterable<EventInfo>;
  queue(query: QueueQuery): Promise<QueueInfo>;
}

export interface AdminClientOptions {
  readonly transport: Transport;
  /** Takes secrets out of what the service says, before it is quoted in a failure. */
  readonly clean: (text: string) => string;
}

export function createAdminClient({ transport, clean }: AdminClientOptions): AdminClient {
  const call = createCall(transport, adminErrors, clean);
  const get = <T>(schema: z.ZodMiniType<T>, path: string, query: Query = {}, subject?: string) =>
    call(
      schema,
      { method: 'GET', path: BASE_PATH + path, query: parametersOf(query) },
      { repeatable: true, ...(subject === undefined ? {} : { subject }) },
    );
  /** Something that is done once more when it is sent again. */
  const once = async <T>(schema: z.ZodMiniType<T>, request: Once) => {
    const { path, query = {}, known, subject, ...rest } = request;
    const sent = { method: 'POST', ...rest, path: BASE_PATH + path, query: parametersOf(query) };
    const options = { repeatable: false, ...(subject === undefined ? {} : { subject }) };
    try {
      return await call(schema, sent, options);
    } catch (error) {
      throw await withWhatIsKnown(error, async () => known);
    }
  };
  return {
    addJobs: (body) => once(AddedJobs, { path: '/jobs', body, known: added('job') }),
    addRunnerJobs: (body) =>
      once(AddedRunnerJobs, { path: '/runner-jobs', body, known: added('runner-job') }),
    cancelRunnerJob: (id) =>
      once(CanceledJob, { path: '/runner-jobs/cancel', query: { id }, subject: id, known: DONE }),
    addToken: (body) => once(AddedToken, { path: '/tokens', body, known: made('token', REVOKE) }),
    tokens: () => get(TokenList, '/tokens'),
    revokeToken: (name) =>
      once(TokenInfo, { path: '/tokens/revoke', query: { name }, known: DONE }),
    addClient: (body) =>
      once(AddedClient, { path: '/clients', body, known: made('client', REMOVE) }),
    clients: () => get(ClientList, '/clients'),
    removeClient: (name) =>
      once(RemovedClient, { method: 'DELETE', path: '/clients', query: { name }, known: DONE }),
    leases: (query) => get(LeaseList, '/leases', query),
    lease: (query) => get(LeaseDetails, '/lease', query, query.id),
    breakLease: (query, body) => {
      const subject = query.id;
      return once(LeaseSummary, { path: '/lease/break', query, body, subject, known: DONE });
    },
    history: (query) => get(History, '/history', query),
    follow: (query, signal, hooks = {}) => follow(query, signal, hooks, { transport, clean }),
    queue: (query) => get(QueueInfo, '/queue', query),
  };
}

type Query = Readonly<Record<string, string | undefined>>;

interface Once extends Pick<CallRequest, 'path' | 'body'> {
  readonly method?: string;
  readonly query?: Query;
  readonly subject?: string;
  /** What can be said where no answer came. */
  readonly known: { readonly words: string; readonly hint: string };
}

const DONE = {
  words: 'Whether that was done is unknown.',
  hint: 'Do it again: what was done already is not done twice, and said.',
};

const REVOKE = 'revoke it: leasectl admin tokens revoke NAME';
const REMOVE = 'remove it: leasectl admin clients remove NAME';

/** @param undo ends a sentence */
function made(what: string, undo: string) {
  return {
    words: `Whether the ${what} was made is unknown.`,
    hint: `If it is listed now, nobody knows its secret: ${undo}`,
  };
}

function added(kind: string) {
  return {
    words: 'Whether they were added is unknown: all of them, or none.',
    hint: `See what there is before you add them again: leasectl admin leases list --kind ${kind}`,
  };
}

function parametersOf(query: Query): URLSearchParams {
  const given = Object.entries(query).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return new URLSearchParams(given);
}
