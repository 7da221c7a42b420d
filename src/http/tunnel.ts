import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ProxyError } from './connection-failure.ts';
import type { ProxyServer } from './proxy.ts';

export interface TunnelOptions {
  /** Host and port of the other end, an IPv6 address in brackets. */
  readonly authority: string;
  /** For a proxy that speaks TLS itself. */
  readonly context: SecureContext;
  readonly signal: AbortSignal;
  /** Finds the proxy's address. Default: the system's. */
  readonly lookup?: http.RequestOptions['lookup'];
}

/** How long a proxy may take to connect, in milliseconds: as long as a connection usually may. */
const CONNECT_TIMEOUT = 10_000;

/**
 * Asks a proxy for a way to a service (CONNECT). What goes through it then is not the proxy's to read.
 *
 * @throws ProxyError when there is none
 */
export function openTunnel(
  { url, authorization }: ProxyServer,
  { authority, context, signal, lookup }: TunnelOptions,
): Promise<Socket> {
  const isEncrypted = url.protocol === 'https:';
  const { request } = isEncrypted ? https : http;
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  // Else the name would be taken from the Host header, and the certificate expected to be for that.
  const servername = isIP(hostname) === 0 ? hostname : '';
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
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
      ...(lookup ? { lookup } : {}),
      ...(isEncrypted ? { secureContext: context, servername } : {}),
    });
    // Not the request's own `signal`: that would remember a request for as long as its tunnel is used.
    const abort = () => asked.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    asked.once('timeout', () => asked.destroy(new TimeoutError()));
    asked.once('error', (cause) => {
      signal.removeEventListener('abort', abort);
      reject(new ProxyError(url.origin, { cause }));
    });
    asked.once('connect', (answer, socket: Socket) => {
      signal.removeEventListener('abort', abort);
      socket.setTimeout(0);
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) return resolve(socket);
      socket.destroy();
      reject(new ProxyError(url.origin, { status }));
    });
    asked.end();
  });
}

class TimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
}
