import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What to do with one request. */
export type Reply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Sent as JSON unless it is a string. */
      readonly body?: unknown;
    }
  | ((request: SeenRequest, response: ServerResponse) => void);

export interface StubServer {
  readonly url: string;
  /** Every request so far, in order. */
  readonly seen: SeenRequest[];
}

/**
 * A service on a real socket that gives these replies, in this order. A request too many, or a
 * reply too many, fails the test.
 */
export function startStub(...replies: readonly Reply[]): Promise<StubServer> {
  return start(replies, replies.length);
}

/** As `startStub`, but gives the last reply as often as it is asked for. */
export function startLastingStub(...replies: readonly Reply[]): Promise<StubServer> {
  return start(replies, Number.POSITIVE_INFINITY);
}

async function start(replies: readonly Reply[], most: number): Promise<StubServer> {
  const seen: SeenRequest[] = [];
  let surplus = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const reply = seen.length < most ? (replies[seen.length] ?? replies.at(-1)) : undefined;
      const { method = '', url = '', headers } = request;
      const told = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      seen.push(told);
      if (reply === undefined) {
        surplus += 1;
        response.writeHead(418).end();
      } else if (typeof reply === 'function') {
        reply(told, response);
      } else {
        const isText = typeof reply.body === 'string' || reply.body === undefined;
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        response.end(isText ? reply.body : JSON.stringify(reply.body));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    if (surplus > 0) throw new Error(`the stub got ${surplus} requests too many`);
    if (seen.length < replies.length) {
      throw new Error(`the stub got ${seen.length} of ${replies.length} expected requests`);
    }
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen };
}

/** A URL where nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
