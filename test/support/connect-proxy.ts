import { createServer, type RequestListener } from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { clientOf } from './certificates.ts';

export interface ConnectProxy {
  /** Where it listens. */
  readonly host: string;
  /** What it was asked to connect to, and how it was shown who asks. */
  readonly asked: {
    readonly authority: string;
    readonly authorization: string | undefined;
    /** The name in the certificate that it was shown. */
    readonly client: string | undefined;
  }[];
}

export interface ConnectProxyOptions {
  /** `user:password`; without one everybody is let through. */
  readonly password?: string;
  /** What it answers instead of connecting; 0 for nothing at all. */
  readonly status?: number;
  /** What it answers when it has connected: 200. */
  readonly yes?: number;
  /** Speaks TLS itself. */
  readonly tls?: https.ServerOptions;
}

/**
 * A proxy on a real socket that makes tunnels, to this machine whatever the name: so a service in a
 * test can have a name that nobody else knows.
 */
export async function startProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: ConnectProxy['asked'] = [];
  const refuseAll: RequestListener = (_, response) => void response.writeHead(405).end();
  const server = options.tls ? https.createServer(options.tls, refuseAll) : createServer(refuseAll);
  const sockets = new Set<Socket>();
  const kept = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  server.on('connection', kept);
  server.on('connect', (request, socket: Socket) => {
    const { url: authority = '', headers } = request;
    const authorization = headers['proxy-authorization'];
    asked.push({ authority, authorization, client: clientOf(socket) });
    kept(socket);
    const wanted = options.password && Buffer.from(options.password).toString('base64');
    const status = wanted && authorization !== `Basic ${wanted}` ? 407 : options.status;
    if (status === 0) return;
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno`);
      return;
    }
    const upstream = connect(Number(authority.split(':').at(-1)), '127.0.0.1', () => {
      socket.write(`HTTP/1.1 ${options.yes ?? 200} Connection established\r\n\r\n`);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    kept(upstream);
  });
  const port = await listenOn(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${port}`, asked };
}

/** @returns its port on this machine */
export async function listenOn(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
