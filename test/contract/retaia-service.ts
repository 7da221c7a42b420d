import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Scope } from '../../src/engine/access.ts';
import {
  type EmbeddedJobs,
  type Reply as JsonReply,
  type Sending,
  startEmbeddedJobs,
} from '../support/embedded-jobs.ts';
import { departures } from './retaia-schema.ts';

const BASE = '/api/v1';
type Headers = Readonly<Record<string, string>>;

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** What a claim gives its holder to show. */
export interface Lock {
  readonly lock_token: string;
  readonly fencing_token: number;
}

/** Retaia's endpoints; every answer is checked against the contract. A string is sent as it is. */
export interface Retaia {
  list(query?: Record<string, string>): Promise<JsonReply>;
  /** The ids of the jobs that are listed. */
  listed(query?: Record<string, string>): Promise<unknown[]>;
  claim(id: string, idempotencyKey?: string): Promise<Reply>;
  /** Claims a job and gives its lock. */
  lock(id: string): Promise<Lock>;
  heartbeat(id: string, body: object | string): Promise<Reply>;
  /** @param idempotencyKey a new one unless given; null for none */
  submit(id: string, body: object | string, idempotencyKey?: string | null): Promise<Reply>;
  /** @param idempotencyKey a new one unless given; null for none */
  fail(id: string, body: object | string, idempotencyKey?: string | null): Promise<Reply>;
  token(form: Record<string, string>, headers?: Headers): Promise<Reply>;
}

export type RetaiaService = EmbeddedJobs & Retaia;

/** The embedded service on a socket, for whoever asks. */
export async function startRetaia(): Promise<RetaiaService> {
  const server = await startEmbeddedJobs();
  return { ...server, ...retaiaOf(server) };
}

/** @param headers come with every request */
export function retaiaOf(server: EmbeddedJobs, headers: Headers = {}): Retaia {
  const ask = (sending: Sending, endpoint: string) =>
    server.send(
      {
        ...sending,
        path: `${BASE}${sending.path}`,
        headers: { accept: 'application/json', ...headers, ...sending.headers },
      },
      endpoint,
      departures,
    );
  const askForObject = async (sending: Sending, endpoint: string): Promise<Reply> => {
    const { status, body } = await ask(sending, endpoint);
    return { status, body: body as Record<string, unknown> };
  };
  const end =
    (endpoint: 'submit' | 'fail'): Retaia['submit'] =>
    (id, body, key = randomUUID()) =>
      askForObject({ path: pathOf(id, endpoint), body, headers: keyed(key) }, endpoint);
  const list: Retaia['list'] = (query = {}) => ask({ method: 'GET', path: '/jobs', query }, 'list');
  const claim: Retaia['claim'] = (id, key) =>
    askForObject({ path: pathOf(id, 'claim'), headers: keyed(key ?? null) }, 'claim');
  return {
    list,
    listed: async (query) => {
      const { body } = await list(query);
      return (body as Record<string, unknown>[]).map((job) => job['job_id']);
    },
    claim,
    lock: async (id) => {
      const { status, body } = await claim(id);
      expect(status).toBe(200);
      return {
        lock_token: String(body['lock_token']),
        fencing_token: Number(body['fencing_token']),
      };
    },
    heartbeat: (id, body) => askForObject({ path: pathOf(id, 'heartbeat'), body }, 'heartbeat'),
    submit: end('submit'),
    fail: end('fail'),
    token: (form, more = {}) =>
      askForObject(
        { path: '/oauth/token', body: new URLSearchParams(form), headers: more },
        'token',
      ),
  };
}

/** The service, telling callers apart, and somebody with an access token for these scopes. */
export async function startGuarded(
  name: string,
  scopes: readonly Scope[],
): Promise<RetaiaService & { client: { id: string; secret: string } }> {
  const server = await startEmbeddedJobs({ isGuarded: true });
  const { client, headers } = await admit(server, name, scopes);
  return { ...server, ...retaiaOf(server, headers), client };
}

/** Adds a client and gets it an access token. */
export async function admit({ access }: EmbeddedJobs, name: string, scopes: readonly Scope[]) {
  const client = await access.addClient(name, scopes);
  if (!client) throw new Error(`there is a client ${name}`);
  const { id: clientId, secret: clientSecret } = client;
  const answer = await access.grant({ clientId, clientSecret, scopes: undefined });
  if (answer.type !== 'granted') throw new Error(answer.reason);
  return { client, headers: { authorization: `Bearer ${answer.token}` } };
}

function pathOf(id: string, call: string): string {
  return `/jobs/${encodeURIComponent(id)}/${call}`;
}

function keyed(key: string | null): Headers {
  return key === null ? {} : { 'idempotency-key': key };
}

/** A submission that an extract_facts job takes. */
export function submission(lock: object): object {
  return { ...lock, job_type: 'extract_facts', result: { facts_patch: { width: 640 } } };
}

/** A failure for good. */
export function failure(lock: object): object {
  return { ...lock, error_code: 'DECODE_ERROR', message: 'No frames.', retryable: false };
}

export const CALLS = ['heartbeat', 'submit', 'fail'] as const;
export type Call = (typeof CALLS)[number];

/** Makes a call on an extract_facts job that is right in all but, perhaps, what it shows. */
export function show(retaia: Retaia, call: Call, id: string, lock: object): Promise<Reply> {
  if (call === 'heartbeat') return retaia.heartbeat(id, lock);
  return retaia[call](id, call === 'submit' ? submission(lock) : failure(lock));
}

export function refusal(status: number, code: string) {
  return { status, body: expect.objectContaining({ code }) };
}
