import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { onTestFinished } from 'vitest';
import { clientOf } from './certificates.ts';
import { listenOn } from './connect-proxy.ts';
import { STATE } from './hosted-answers.ts';

export interface TlsService {
  readonly port: number;
  /** The requests so far. */
  readonly seen: Seen[];
}

interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  /** The name in the certificate that the client showed. */
  readonly client: string | undefined;
}

/** A service behind TLS: OnceOnly's status, Retaia's list of jobs, and its token endpoint. */
export async function startTlsService(options: ServerOptions): Promise<TlsService> {
  const seen: TlsService['seen'] = [];
  const server = createServer(options, (request: IncomingMessage, response: ServerResponse) => {
    const [path = ''] = (request.url ?? '').split('?');
    const { socket, headers } = request;
    seen.push({ path, authorization: headers.authorization, client: clientOf(socket) });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answerTo(path)));
  });
  server.on('tlsClientError', () => undefined);
  const port = await listenOn(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, seen };
}

function answerTo(path: string): unknown {
  if (path.endsWith('/oauth/token')) {
    return { access_token: 'canary-access', token_type: 'Bearer', expires_in: 3600 };
  }
  return path.endsWith('/jobs') ? [] : STATE;
}
