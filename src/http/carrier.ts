import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { ProxyError, systemCode } from './connection-failure.ts';
import type { Fetch } from './ky-transport.ts';
import { type ProxyServer, proxyFor } from './proxy.ts';
import { createTlsContexts, type TlsContexts, type TlsFiles } from './tls-files.ts';

export interface CarrierOptions {
  /** What will be asked, so as to know whether anything of this is needed. */
  readonly urls: readonly URL[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: TlsFiles;
  /** Told the proxy's password. */
  readonly remember: (secret: string) => string;
}

/** Carries requests through a proxy, or with certificates of one's own. */
export interface Carrier {
  readonly fetch: Fetch;
  /** Ends connections, also those that do not come about. */
  readonly close: () => Promise<void>;
}

type Connector = buildConnector.connector;

/** How long a proxy may take to connect, in milliseconds: as long as a connection usually may. */
const CONNECT_TIMEOUT = 10_000;

/**
 * Undefined where Node's own `fetch` knows the way to all of the URLs.
 *
 * @throws Failure `usage` as `proxyFor` and `createTlsContexts`
 */
export async function createCarrier(options: CarrierOptions): Promise<Carrier | undefined> {
  const { urls, env, files, remember } = options;
  const encrypted = urls.filter(({ protocol }) => protocol === 'https:');
  const hasProxy = encrypted.some((url) => proxyFor(url, env, remember));
  const hasFiles = encrypted.length > 0 && Object.values(files).some(Boolean);
  if (!hasProxy && !hasFiles) return undefined;

  const contexts = createTlsContexts(files, env['NODE_EXTRA_CA_CERTS']);
  // Large, and Node's own `fetch` would not take its connections: so it is loaded for this only.
  const { Agent, buildConnector, fetch } = await import('undici');
  const direct = buildConnector({ secureContext: contexts.service });
  const pending = new Set<http.ClientRequest>();
  const sockets = new Set<Socket>();
  let alert: Error | undefined;
  const connect: Connector = (wanted, callback) => {
    const proxy = proxyFor(new URL(`${wanted.protocol}//${authorityOf(wanted)}`), env, remember);
    const way = proxy ? tunnel(proxy, contexts, pending, direct) : direct;
    way(wanted, (...result) => {
      const [, socket] = result;
      if (socket) {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        socket.once('error', (error) => {
          alert = error;
        });
      }
      callback(...result);
    });
  };
  const dispatcher = new Agent({ connect });
  return {
    fetch: async (url, { signal, body, ...init }) => {
      try {
        return await fetch(url.href, { ...init, body, signal, dispatcher });
      } catch (error) {
        // Who is not let in without a certificate learns that only after TLS came about; undici
        // says that the connection was closed, and forgets why.
        const why = systemCode(error) === 'UND_ERR_SOCKET' ? alert : undefined;
        alert = undefined;
        throw why ? new TypeError('fetch failed', { cause: why }) : error;
      }
    },
    close: async () => {
      // All of them: there are answers after which undici forgets about a socket.
      for (const open of [...pending, ...sockets]) open.destroy();
      await dispatcher.destroy();
    },
  };
}

/** Connects by asking the proxy for a way to the service (CONNECT), and speaks TLS through that. */
function tunnel(
  { url, authorization }: ProxyServer,
  contexts: TlsContexts,
  pending: Set<http.ClientRequest>,
  encrypt: Connector,
): Connector {
  return (wanted, callback) => {
    const authority = authorityOf(wanted);
    const isEncrypted = url.protocol === 'https:';
    const { request } = isEncrypted ? https : http;
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    // Else the name would be taken from the Host header, and the certificate expected to be for that.
    const servername = isIP(hostname) === 0 ? hostname : '';
    const asked = request({
      method: 'CONNECT',
      hostname,
      port: url.port || (isEncrypted ? 443 : 80),
      path: authority,
      headers: {
        host: authority,
        ...(authorization ? { 'proxy-authorization': authorization } : {}),
      },
      agent: false,
      timeout: CONNECT_TIMEOUT,
      ...(isEncrypted ? { secureContext: contexts.proxy, servername } : {}),
    });
    pending.add(asked);
    asked.once('close', () => pending.delete(asked));
    asked.once('timeout', () => asked.destroy(new TimeoutError()));
    asked.once('error', (cause) => callback(new ProxyError(url.origin, { cause }), null));
    asked.once('connect', (answer, socket: Socket) => {
      socket.setTimeout(0);
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        encrypt({ ...wanted, httpSocket: socket }, callback);
      } else {
        socket.destroy();
        callback(new ProxyError(url.origin, { status }), null);
      }
    });
    asked.end();
  };
}

class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Host and port, as CONNECT wants them. */
function authorityOf({ hostname, port, protocol }: buildConnector.Options): string {
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
  return `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
