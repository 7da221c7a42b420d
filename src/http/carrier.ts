import { isIPv6, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { systemCode } from './connection-failure.ts';
import type { Fetch } from './ky-transport.ts';
import { proxyFor } from './proxy.ts';
import { createTlsContexts, type TlsFiles } from './tls-files.ts';
import { openTunnel } from './tunnel.ts';

export interface CarrierOptions {
  /** The service. */
  readonly url: URL;
  /** Who will be asked beside it. */
  readonly others?: readonly URL[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For connections to the service's origin alone. */
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

/**
 * Undefined where Node's own `fetch` knows the way to all of them.
 *
 * @throws Failure `usage` as `proxyFor` and `createTlsContexts`
 */
export async function createCarrier(options: CarrierOptions): Promise<Carrier | undefined> {
  const { url, others = [], env, files, remember } = options;
  const encrypted = [url, ...others].filter(({ protocol }) => protocol === 'https:');
  const hasProxy = encrypted.some((target) => proxyFor(target, env, remember));
  const hasFiles = url.protocol === 'https:' && Object.values(files).some(Boolean);
  if (!hasProxy && !hasFiles) return undefined;

  // Large, and Node's own `fetch` would not take its connections: so it is loaded for this only.
  const { Agent, buildConnector, fetch } = await import('undici');
  const wayWith = (files: TlsFiles) => {
    const contexts = createTlsContexts(files, env['NODE_EXTRA_CA_CERTS']);
    return { contexts, direct: buildConnector({ secureContext: contexts.service }) };
  };
  const own = wayWith(files);
  let usual: typeof own | undefined;
  const wayTo = (target: URL) => {
    if (target.origin === url.origin) return own;
    usual ??= wayWith({});
    return usual;
  };
  const closing = new AbortController();
  const sockets = new Set<Socket>();
  let alert: Error | undefined;
  const connect: Connector = (wanted, callback) => {
    const authority = authorityOf(wanted);
    const target = new URL(`${wanted.protocol}//${authority}`);
    const { contexts, direct } = wayTo(target);
    const proxy = proxyFor(target, env, remember);
    const tunnel = { authority, context: contexts.proxy, signal: closing.signal };
    const way = proxy ? through(() => openTunnel(proxy, tunnel), direct) : direct;
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
      closing.abort();
      // All of them: there are answers after which undici forgets about a socket.
      for (const open of sockets) open.destroy();
      await dispatcher.destroy();
    },
  };
}

/** Speaks TLS through a tunnel. */
function through(open: () => Promise<Socket>, encrypt: Connector): Connector {
  return (wanted, callback) => {
    open().then(
      (httpSocket) => encrypt({ ...wanted, httpSocket }, callback),
      (error) => callback(error, null),
    );
  };
}

/** Host and port, as CONNECT wants them. */
function authorityOf({ hostname, port, protocol }: buildConnector.Options): string {
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
  return `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
