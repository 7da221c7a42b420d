import { lookup } from 'node:dns/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Failure } from '../domain/failure.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';

/** A certificate with those that lead to its authority, and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface ListenOptions extends TrafficOptions {
  /** An address. */
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** What connections are encrypted with; undefined where they are not. */
  readonly keyPair: KeyPair | undefined;
}

export interface Listening {
  /** Where it is, with the port that it really has. */
  readonly url: string;
  /** New connections are encrypted with this. */
  useKeyPair(keyPair: KeyPair): void;
  /** From now on no connection outlives its answer. */
  beginDrain(): void;
  /**
   * Takes no more connections, and waits for the requests in flight.
   *
   * @param patience milliseconds
   * @returns how many requests were cut off at the end of it
   */
  close(patience: number): Promise<number>;
}

/** Bounds on how much a client may send as headers, and on how long it may take; in milliseconds. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  // Answered as any other request is, with an id.
  requireHostHeader: false,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 1_000,
  // Longer than proxies keep theirs, so that none sends a request into a connection that is closed.
  keepAliveTimeout: 65_000,
};
const TLS_LIMITS = { ...LIMITS, handshakeTimeout: 10_000 };
const MAX_CONNECTIONS = 4096;
/** How long nothing may move on a connection, in milliseconds: to one that reads no answer. */
const STANDSTILL = 120_000;

/** How often connections are looked for that became idle while the last requests end, likewise. */
const IDLE_LOOK = 50;

/**
 * The address that a host stands for.
 *
 * @param host a name, or an address, be it in brackets
 * @throws Failure `usage` for a name that is not known
 */
export async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host.replace(/^\[(.*)\]$/, '$1'))).address;
  } catch (error) {
    throw new Failure('usage', `${host} is no name or address that is known here.`, {
      hint: 'Give an address of this machine with --host; 0.0.0.0 stands for all of them.',
      cause: error,
    });
  }
}

/**
 * Answers HTTP requests at an address.
 *
 * @throws Failure `usage` when the address is not to be had
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { host, port, keyPair } = options;
  const traffic = new Traffic(options);
  const encrypted = keyPair && createTlsServer({ ...TLS_LIMITS, ...keyPair }, traffic.take);
  const server = encrypted ?? createServer(LIMITS, traffic.take);
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = STANDSTILL;
  traffic.watch(server);
  const address = await bound(server, host, port);
  return {
    url: urlOf(address, keyPair !== undefined),
    useKeyPair: (next) => encrypted?.setSecureContext(next),
    beginDrain: () => traffic.beginDrain(),
    close: (patience) => closed(server, traffic, patience),
  };
}

function urlOf({ address, family, port }: AddressInfo, isEncrypted: boolean): string {
  const host = family === 'IPv6' ? `[${address}]` : address;
  return `${isEncrypted ? 'https' : 'http'}://${host}:${port}`;
}

function bound(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(unbound(error, host, port));
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      // A connection that could not be accepted, for want of file descriptors: the others go on.
      server.on('error', () => undefined);
      const address = server.address();
      if (typeof address === 'object' && address) resolve(address);
    });
  });
}

async function closed(server: Server, traffic: Traffic, patience: number): Promise<number> {
  traffic.beginDrain();
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  const looking = setInterval(() => server.closeIdleConnections(), IDLE_LOOK);
  let cut = 0;
  const cutting = setTimeout(() => {
    cut = traffic.cutOff();
  }, patience);
  await ended;
  clearInterval(looking);
  clearTimeout(cutting);
  return cut;
}

interface Remedy {
  readonly what: (host: string, port: number) => string;
  readonly hint: (port: number) => string;
}

const REMEDIES: Readonly<Record<string, Remedy>> = {
  EADDRINUSE: {
    what: (host, port) => `Port ${port} of ${host} is in use.`,
    hint: (port) => `Give another with --port. Who has this one: ss -ltnp 'sport = :${port}'`,
  },
  EACCES: {
    what: (_, port) => `Port ${port} is not for everybody.`,
    hint: () => 'Give one above 1023 with --port, or start it with CAP_NET_BIND_SERVICE.',
  },
  EADDRNOTAVAIL: {
    what: (host) => `This machine has no address ${host}.`,
    hint: () => 'Give one that it has with --host; 0.0.0.0 stands for all of them.',
  },
};

function unbound(error: NodeJS.ErrnoException, host: string, port: number): Failure {
  const { what, hint } = REMEDIES[error.code ?? ''] ?? {
    what: () => `Nothing can listen at ${host}, port ${port} (${error.code}).`,
    hint: () => 'Give an address of this machine with --host, and a free port with --port.',
  };
  return new Failure('usage', what(host, port), { hint: hint(port), cause: error });
}
