import { expect } from 'vitest';
import { type EmbeddedServer, startEmbeddedServer } from '../support/embedded-server.ts';
import { departures } from './onceonly-schema.ts';

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface Service extends EmbeddedServer {
  get(path: string, query?: Record<string, string>): Promise<Reply>;
  /** A string is sent as it is. */
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Reply>;
  /** Acquires a key and gives its handle. */
  acquire(key: string, ttl?: number): Promise<string>;
}

/** The embedded service on a socket; every answer of it is checked against the contract. */
export async function startService(options?: { monthlyLimit?: number }): Promise<Service> {
  const server = await startEmbeddedServer(options);
  const ask = async (path: string, init: RequestInit, search = ''): Promise<Reply> => {
    const response = await fetch(`${server.url}${path}${search}`, init);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const body = (await response.json()) as Record<string, unknown>;
    expect(departures(path, response.status, body), JSON.stringify(body)).toEqual([]);
    return { status: response.status, body };
  };
  const post: Service['post'] = (path, body, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...server,
    post,
    get: (path, query = {}) => ask(path, {}, `?${new URLSearchParams(query)}`),
    acquire: async (key, ttl = 1800) => {
      const { body } = await post('/v1/ai/lease', { key, ttl });
      expect(body['status']).toBe('acquired');
      return String(body['lease_id']);
    },
  };
}

export function refusal(status: number, error: string) {
  return { status, body: { detail: { error, message: expect.any(String) } } };
}
