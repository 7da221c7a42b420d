import { expect } from 'vitest';
import {
  type EmbeddedJobs,
  type Reply as JsonReply,
  type Sending,
  startEmbeddedJobs,
} from '../support/embedded-jobs.ts';
import { departures } from './askui-schema.ts';

const BASE = '/api/v1/runner-jobs';
type Headers = Readonly<Record<string, string>>;

/** The parameters of a lease; a list is a parameter that comes many times, undefined leaves it out. */
export type LeaseQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A leased job, as far as tests go on with it. */
export interface Leased {
  readonly id: string;
  readonly ack: string;
  readonly status: string;
  readonly visible: string;
  readonly runner_id: string;
  readonly tries: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** AskUI's endpoints; every answer is checked against the contract. */
export interface AskUi {
  /** @param query beside, or in place of, runner `r` on a SELF host */
  lease(query?: LeaseQuery, idempotencyKey?: string): Promise<JsonReply>;
  /** Leases a job, which there has to be. */
  leased(query?: LeaseQuery, idempotencyKey?: string): Promise<Leased>;
  /** @param ack undefined leaves it out */
  ping(ack: string | undefined): Promise<JsonReply>;
  complete(ack: string | undefined, status: string): Promise<JsonReply>;
  /** A completion with any body. A string is sent as it is. */
  completeWith(ack: string | undefined, body: object | string): Promise<JsonReply>;
}

/** The embedded service on a socket, for whoever asks. */
export async function startAskUi(): Promise<EmbeddedJobs & AskUi> {
  const server = await startEmbeddedJobs();
  return { ...server, ...askUiOf(server) };
}

/** @param headers come with every request */
export function askUiOf(server: EmbeddedJobs, headers: Headers = {}): AskUi {
  const ask = (endpoint: string, sending: Omit<Sending, 'path'>) =>
    server.send(
      {
        ...sending,
        path: `${BASE}/${endpoint}`,
        headers: { accept: 'application/json', ...headers, ...sending.headers },
      },
      endpoint,
      departures,
    );
  const lease: AskUi['lease'] = (query = {}, key) =>
    ask('lease', {
      query: parametersOf({ runner_host: 'SELF', runner_id: 'r', ...query }),
      headers: key === undefined ? {} : { 'idempotency-key': key },
    });
  const completeWith: AskUi['completeWith'] = (ack, body) =>
    ask('complete', { query: parametersOf({ ack }), body });
  return {
    lease,
    leased: async (query, key) => {
      const { status, body } = await lease(query, key);
      expect({ status, isLeased: body !== null }).toEqual({ status: 200, isLeased: true });
      return body as Leased;
    },
    ping: (ack) => ask('ping', { query: parametersOf({ ack }) }),
    complete: (ack, status) => completeWith(ack, { status }),
    completeWith,
  };
}

function parametersOf(query: LeaseQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value ?? []].flat()) parameters.append(name, one);
  }
  return parameters;
}

/** No job fits. */
export const NONE = { status: 200, body: null };

export function refusal(status: number, loc: readonly string[], type?: string) {
  const issue = { loc, msg: expect.any(String), type: type ?? expect.any(String) };
  return { status, body: { detail: [issue] } };
}

/** The ack is unknown or no longer in force. */
export const OUTDATED = refusal(422, ['query', 'ack'], 'ack_outdated');
