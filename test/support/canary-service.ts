import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SECRETS, secretsIn, waysToWrite } from './canaries.ts';
import type { SeenRequest } from './stub-server.ts';

/*
 * A service that speaks all three contracts, and says again what it was told in confidence.
 */

/** What came, and all secrets of it in the many ways of writing them. */
export interface Told extends SeenRequest {
  readonly path: string;
  readonly echo: string;
}

export interface Given {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
}

/** An answer; or does without one. */
export type Behavior = (told: Told, response: ServerResponse) => Given | undefined;

export interface CanaryService {
  readonly url: string;
  /** How many requests have come. */
  readonly requests: () => number;
  /** From now on it answers so. */
  behave(behavior: Behavior): void;
  close(): Promise<void>;
}

export async function startCanaryService(): Promise<CanaryService> {
  let behavior: Behavior = succeed;
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    const told = await read(request);
    const given = behavior(told, response);
    if (!given) return;
    const { status, headers, body } = given;
    const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  });
  server.on('connect', (request, socket) => {
    const words = waysToWrite(SECRETS.proxy).join(' ');
    const head = `HTTP/1.1 407 ${words}\r\nproxy-authenticate: Basic realm="${words}"`;
    socket.end(`${head}\r\nx-was: ${request.headers['proxy-authorization']}\r\n\r\n${words}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    behave: (next) => {
      behavior = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function read(request: IncomingMessage): Promise<Told> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method = '', url = '', headers } = request;
  const body = Buffer.concat(chunks).toString('utf8');
  const { authorization = '' } = headers;
  const all = [
    decodeURIComponent(url),
    decodeURIComponent(body.replace(/%(?![\da-f]{2})/gi, '%25')),
  ];
  const known = secretsIn([...all, JSON.stringify(headers)].join('\n'));
  const echo = [authorization, ...known.flatMap((name) => waysToWrite(SECRETS[name]))].join(' , ');
  return { method, url, headers, body, path: url.replace(/\?.*$/s, ''), echo };
}

const isoIn = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

/** Takes what it is asked, and tells secrets that it alone knows. */
export const succeed: Behavior = ({ method, path, url, body }) => {
  const headers = { 'set-cookie': `session=${SECRETS.fresh}`, 'x-api-key': SECRETS.fresh };
  if (path.endsWith('/oauth/token')) {
    return { status: 200, headers, body: { access_token: SECRETS.access, token_type: 'Bearer' } };
  }
  if (path.endsWith('/complete') && path.startsWith('/api')) return { status: 204 };
  const administered = administeredAt(method, path);
  if (administered) return { status: 200, headers, body: administered };
  const asked = new URL(url, 'http://stub').searchParams.get('key') ?? parsed(body).key;
  return { status: 200, headers, body: bodyOf(path, String(asked)) };
};

function parsed(body: string): { readonly key?: unknown } {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}

/** Somebody else's lease is to be broken, and to be waited for. */
const STATUS = {
  held: { status: 'in_progress', lease_id: SECRETS.lease, ttl_left: 60 },
  done: { status: 'completed', lease_id: SECRETS.lease },
};

function bodyOf(path: string, key: string): unknown {
  const more = { ok: true, key, version: 7, refresh_token: SECRETS.fresh };
  const job = {
    job_id: 'j1',
    job_type: 'extract_facts',
    status: 'claimed',
    lock_token: SECRETS.lock,
    fencing_token: 5,
    locked_until: isoIn(60),
    refresh_token: SECRETS.fresh,
  };
  const lease = { ...more, status: 'acquired', lease_id: SECRETS.lease, ttl: 60, charged: 1 };
  const credentials = { workspace_id: 'w', access_token: SECRETS.job };
  const runnerJob = { id: 'r1', ack: SECRETS.ack, status: 'RUNNING', visible: isoIn(60) };
  const answers: Readonly<Record<string, unknown>> = {
    '/v1/ai/lease': lease,
    '/v1/ai/run': key === 'undefined' ? { ok: true, allowed: true, decision: 'executed' } : lease,
    '/v1/ai/status': { ...more, ...STATUS[key === 'busy' ? 'held' : 'done'] },
    '/v1/ai/extend': { ...more, status: 'extended', ttl: 60 },
    '/v1/ai/complete': { ...more, status: 'completed' },
    '/v1/ai/cancel': { ...more, status: 'failed' },
    '/v1/ai/fail': { ...more, status: 'failed' },
    '/v1/ai/result': { ...more, status: 'completed', result: { pages: 3 } },
    '/api/v1/jobs': [job],
    '/api/v1/jobs/j1/claim': job,
    '/api/v1/jobs/j1/heartbeat': { locked_until: isoIn(60), fencing_token: 6 },
    '/api/v1/runner-jobs/lease': {
      ...runnerJob,
      data: { credentials, data: { copy: SECRETS.job } },
    },
    '/api/v1/runner-jobs/ping': { visible: isoIn(60), cancel_job: false },
  };
  return answers[path] ?? { ...more, ...job, ...lease, ...runnerJob };
}

const NEVER = { expires_at: null, last_used_at: null, revoked_at: null };

/** What leasectl's own administration answers. */
function administeredAt(method: string, path: string): unknown {
  const now = isoIn(0);
  const token = { name: 'n', namespace: 'default', scope: 'admin', created_at: now, ...NEVER };
  const client = { client_id: 'c', name: 'n', scope: 'admin' };
  const lease = {
    ...{ kind: 'key', id: 'k1', state: 'held', holder: 'h', fencing_token: 5, version: 7 },
    ...{ first_seen_at: now, changed_at: now, expires_at: isoIn(60), finished_at: null },
    ...{ error_code: null, cancel_requested: false, closed: false, acquired_at: now, ttl: 60 },
    ...{ result_hash: null, metadata: null, work: null, now, refresh_token: SECRETS.fresh },
  };
  const event = {
    ...{ sequence: 9, kind: 'key', id: 'k1', type: 'broken', at: now, fencing_token: 5 },
    ...{ version: 7, caller: 'c', detail: null },
  };
  const job = { job_id: 'j1', id: 'r1', status: 'RUNNING', cancel_job: true, removed: true };
  const answers: Readonly<Record<string, unknown>> = {
    '/jobs': [job],
    '/runner-jobs': [job],
    '/runner-jobs/cancel': job,
    '/tokens/revoke': token,
    '/leases': { leases: [lease], next: 'key:k1', now },
    '/lease': lease,
    '/lease/break': lease,
    '/history': { events: [event], next: 9 },
    '/tokens': method === 'GET' ? [token] : { token: SECRETS.fresh, ...token },
    '/clients':
      method === 'GET' ? [client] : { client_secret: SECRETS.fresh, ...client, removed: true },
  };
  const [, endpoint = ''] = /^\/admin\/v1(\/.*)$/.exec(path) ?? [];
  return answers[endpoint];
}

/** Whether a request only takes something, or gets an access token. */
export const takes = ({ path }: Told): boolean => /\/(lease|claim|token|jobs)$/.test(path);
