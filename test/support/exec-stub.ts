import type { ServerResponse } from 'node:http';
import { createExecHost, type ExecHost, type Started } from './exec-host.ts';
import { hangUp } from './hosted-client.ts';
import { type Reply, type SeenRequest, startLastingStub } from './stub-server.ts';

/*
 * A server that is not ours, for commands that run under leases. It answers each endpoint as it is
 * told, and the last answer is given again and again.
 */

export const TOKEN = 'canary-access-31f7';
export const HANDLE = 'canary-handle-9a0c';

export interface ExecStub {
  /** For the environment of leasectl. */
  readonly env: Readonly<Record<string, string>>;
  /** The requests to an endpoint so far, and when they came. */
  to(endpoint: string): (SeenRequest & { readonly at: number })[];
  /** From now on an endpoint answers so. */
  set(endpoint: string, ...replies: readonly Reply[]): void;
}

/** @param replies by the end of the path; what is not told does not answer */
export async function startExecStub(
  replies: Readonly<Record<string, Reply | readonly Reply[]>>,
  basePath = '',
): Promise<ExecStub> {
  const waiting = new Map<string, Reply[]>();
  const seen: (SeenRequest & { endpoint: string; at: number })[] = [];
  const set = (endpoint: string, ...list: readonly Reply[]) =>
    void waiting.set(endpoint, [...list]);
  for (const [endpoint, reply] of Object.entries(replies)) set(endpoint, ...[reply].flat());
  const { url } = await startLastingStub((request, response) => {
    const path = new URL(request.url, 'http://stub').pathname;
    const endpoint = path.split('/').at(-1) ?? '';
    seen.push({ ...request, endpoint, at: performance.now() });
    const list = waiting.get(endpoint) ?? [hangUp];
    answer((list.length > 1 ? list.shift() : list[0]) ?? hangUp, request, response);
  });
  return {
    env: { LEASECTL_URL: url + basePath, LEASECTL_TOKEN: TOKEN },
    to: (endpoint) => seen.filter((request) => request.endpoint === endpoint),
    set,
  };
}

function answer(reply: Reply, request: SeenRequest, response: ServerResponse): void {
  if (typeof reply === 'function') {
    reply(request, response);
  } else {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    const isText = typeof reply.body === 'string' || reply.body === undefined;
    response.end(isText ? reply.body : JSON.stringify(reply.body));
  }
}

/** A reply that is made when it is asked for. */
export const made =
  (make: () => unknown): Reply =>
  (request, response) =>
    answer({ status: 200, body: make() }, request, response);

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
const ok = (body: unknown): Reply => ({ status: 200, body });

/** What differs between the services: an id that a shell would not take as it is, and all that goes well. */
export interface Hosted {
  readonly name: 'onceonly' | 'retaia' | 'askui';
  readonly words: readonly string[];
  readonly basePath: string;
  /** The endpoints that take, keep and finish a lease. */
  readonly take: string;
  readonly keep: string;
  readonly finish: string;
  readonly fail: string;
  readonly replies: Readonly<Record<string, Reply>>;
}

export const ID = "it's one";
const KEY = { ok: true, key: ID };
const acquired = { ...KEY, status: 'acquired', ttl: 2, lease_id: HANDLE, version: 7 };
const claimed = { job_id: ID, job_type: 'extract_facts', status: 'claimed', lock_token: HANDLE };

/** @param ttl seconds that a lease lasts */
export const hosted = (ttl: number): readonly Hosted[] => [
  {
    name: 'onceonly',
    words: ['exec', ID, '--ttl', `${ttl}s`],
    basePath: '',
    take: 'lease',
    keep: 'extend',
    finish: 'complete',
    fail: 'fail',
    replies: {
      lease: ok({ ...acquired, ttl }),
      extend: ok({ ...KEY, status: 'extended', ttl, version: 8 }),
      status: ok({ ...KEY, status: 'in_progress', ttl_left: 1 }),
      complete: ok({ ...KEY, status: 'completed', version: 9 }),
      fail: ok({ ...KEY, status: 'failed', version: 9 }),
      cancel: ok({ ...KEY, status: 'failed', version: 9 }),
    },
  },
  {
    name: 'retaia',
    words: ['jobs', 'exec', ID],
    basePath: '/api/v1',
    take: 'claim',
    keep: 'heartbeat',
    finish: 'submit',
    fail: 'fail',
    replies: {
      claim: made(() => ({ ...claimed, fencing_token: 5, locked_until: inSeconds(ttl) })),
      heartbeat: made(() => ({ locked_until: inSeconds(ttl), fencing_token: 6 })),
      jobs: ok([]),
      submit: { status: 200 },
      fail: { status: 200 },
    },
  },
  {
    name: 'askui',
    words: ['runner-jobs', 'exec', '--runner-id', 'r'],
    basePath: '',
    take: 'lease',
    keep: 'ping',
    finish: 'complete',
    fail: 'complete',
    replies: {
      lease: made(() => ({ id: ID, ack: HANDLE, status: 'RUNNING', visible: inSeconds(ttl) })),
      ping: made(() => ({ visible: inSeconds(ttl), cancel_job: false })),
      complete: { status: 204 },
    },
  },
];

/** A server of one kind, and a machine on which commands run for what it leases. */
export interface HostedExec extends Hosted {
  readonly stub: ExecStub;
  readonly host: ExecHost;
  /** @param flags of leasectl */
  exec(flags: readonly string[], ...command: readonly string[]): Started;
}

/**
 * @param ttl seconds that a lease lasts
 * @param replies in place of those with which all goes well
 */
export async function hostedExec(
  name: Hosted['name'],
  ttl = 60,
  replies: Readonly<Record<string, Reply | readonly Reply[]>> = {},
): Promise<HostedExec> {
  const kind = hosted(ttl).find((one) => one.name === name);
  if (!kind) throw new Error('there is no such service');
  const stub = await startExecStub({ ...kind.replies, ...replies }, kind.basePath);
  const host = createExecHost();
  return {
    ...kind,
    stub,
    host,
    exec: (flags, ...command) => host.leasectl([...kind.words, ...flags, '--', ...command], stub),
  };
}

export const KINDS = hosted(60);
export const refused: Reply = { status: 401, body: { detail: 'No.', code: 'NO', message: 'No.' } };
export const away: Reply = { status: 503 };
export const RESULT = '{"pages":3}';

/** What a shell does for a result, where the service takes one. */
export const resultFor = (name: Hosted['name']): string =>
  name === 'askui' ? ':' : `printf '${RESULT}' > "$LEASECTL_RESULT_FILE"`;
