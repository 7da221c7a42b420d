import type * as http from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { type ProxyServer, proxyFor } from '../http/proxy.ts';
import { createTlsContexts, type TlsContexts } from '../http/tls-files.ts';
import { openTunnel } from '../http/tunnel.ts';
import type { Environment } from '../profiles/resolve.ts';
import type { Lookup } from './name-lookup.ts';
import type { Subject } from './subject.ts';

/** The way to a service. */
export interface Route {
  readonly url: URL;
  readonly proxy: ProxyServer | undefined;
  readonly contexts: TlsContexts;
  /** Whom one connects to: the proxy, if there is one. */
  readonly host: string;
  readonly port: number;
}

/**
 * @param remember told what is secret of the proxy
 * @throws Failure `usage` for a proxy, or files, that cannot be used
 */
export function routeTo(
  { url, network }: Subject,
  env: Environment,
  remember: (secret: string) => string,
): Route {
  const proxy = proxyFor(url, env, remember);
  const next = proxy?.url ?? url;
  return {
    url,
    proxy,
    contexts: createTlsContexts(network, env['NODE_EXTRA_CA_CERTS']),
    host: hostOf(next),
    port: portOf(next),
  };
}

/** Without the brackets of an IPv6 address. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}

type Addresses = Extract<Lookup, { took: number }>['addresses'];

/**
 * Opens a connection to the service, through the proxy if there is one; nothing is sent on it yet.
 *
 * @param addresses of whom one connects to
 * @throws the system's error, or a ProxyError
 */
export function openConnection(
  route: Route,
  addresses: Addresses,
  signal: AbortSignal,
): Promise<Socket> {
  const { url, host, port, proxy, contexts } = route;
  // What is known already is not looked up again.
  const lookup: http.RequestOptions['lookup'] = (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
  if (proxy) {
    const authority = `${url.hostname}:${portOf(url)}`;
    return openTunnel(proxy, { authority, context: contexts.proxy, signal, lookup });
  }
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, lookup, autoSelectFamily: true, signal });
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

/** What a service shows of itself. */
export interface Shown {
  /** Who signed it. */
  readonly issuer: string;
  readonly end: Date;
  /** Why it is not trusted, as a code; undefined where it is. */
  readonly problem: string | undefined;
}

/** Speaks TLS on a connection, only to look at the certificate, whether it is trusted or not. */
export function readCertificate(
  { url, contexts }: Route,
  socket: Socket,
  signal: AbortSignal,
): Promise<Shown> {
  const host = hostOf(url);
  return new Promise((resolve, reject) => {
    const secured = tls.connect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: contexts.service,
      // Nothing is sent to whoever that is.
      rejectUnauthorized: false,
    });
    const abort = () => secured.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    secured.once('close', () => signal.removeEventListener('abort', abort));
    secured.once('error', reject);
    secured.once('secureConnect', () => {
      const { issuer, valid_to } = secured.getPeerCertificate();
      const { authorized, authorizationError } = secured;
      resolve({
        issuer: [issuer.O, issuer.CN].flat().filter(Boolean).join(' ') || 'somebody without a name',
        end: new Date(valid_to),
        problem: authorized ? undefined : String(authorizationError),
      });
      secured.destroy();
    });
  });
}
