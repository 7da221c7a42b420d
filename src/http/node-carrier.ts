import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Fetch, FetchedAnswer } from './ky-transport.ts';

/** In milliseconds. */
export interface Patience {
  /** What a connection may take to come about. */
  readonly connecting: number;
  /** After which a service that says nothing is gone. */
  readonly silence: number;
  /** How long a connection is kept for the next request. */
  readonly idle: number;
}

/** Services keep connections for 5 s. */
const USUAL: Patience = { connecting: 10_000, silence: 300_000, idle: 4_000 };

interface Client {
  readonly request: typeof request;
  readonly agent: Agent;
  /** What tells that a connection has come about. */
  readonly connected: 'connect' | 'secureConnect';
}

/** @param idle how long a connection is kept for the next request */
function clientsWith(idle: number): (url: URL) => Promise<Client> {
  const keeping = { keepAlive: true, timeout: idle } as const;
  let plain: Client | undefined;
  let encrypted: Client | undefined;
  return async ({ protocol }) => {
    if (protocol !== 'https:') {
      plain ??= { request, agent: new Agent(keeping), connected: 'connect' };
      return plain;
    }
    const https = await import('node:https');
    const { request: ask, Agent: EncryptedAgent } = https;
    encrypted ??= { request: ask, agent: new EncryptedAgent(keeping), connected: 'secureConnect' };
    return encrypted;
  };
}

/**
 * Carries requests as the standard's `fetch` does, of which Node's own takes longer to load than a whole
 * command may take. Connections are kept for the next request; those that wait hold up no end.
 *
 * @returns what throws a TypeError when the network fails, with why as its cause; or the signal's reason
 */
export function carrierWith(patience: Patience): Fetch {
  const clientFor = clientsWith(patience.idle);
  return async (url, { method, headers, body, signal }) => {
    const { request, agent, connected } = await clientFor(url);
    signal?.throwIfAborted();
    // There is nothing to be gained by packing short answers.
    const wanted = { 'accept-encoding': 'identity', ...headers, ...lengthOf(body) };
    const sent = request(url, { method, headers: wanted, agent });
    const abort = () => sent.destroy();
    signal?.addEventListener('abort', abort);
    sent.once('close', () => signal?.removeEventListener('abort', abort));
    endInTime(sent, connected, patience);
    return answerTo(sent, body, signal);
  };
}

/** Answers that only announce another one, as 103 does: services send one, if any. */
const MOST_HINTS = 100;

/** Carries requests to services that need no way of their own. */
export const carry: Fetch = carrierWith(USUAL);

/**
 * Node says no length of the bodies of DELETE and some others, and sends them all the same: what is behind
 * the headers would be taken for the next request.
 */
function lengthOf(body: string | null) {
  return body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
}

function endInTime(
  sent: ClientRequest,
  connected: Client['connected'],
  { connecting, silence }: Patience,
): void {
  const end = (code: string) => sent.destroy(Object.assign(new Error('no sign of life'), { code }));
  sent.setTimeout(silence, () => end('ETIMEDOUT'));
  sent.once('socket', (socket) => {
    if (sent.reusedSocket) return;
    // The agent's time is for connections that wait, but Node counts it from the beginning, too.
    if (socket.connecting) socket.setTimeout(0);
    const timer = setTimeout(() => end('CONNECT_TIMEOUT'), connecting);
    const stop = () => clearTimeout(timer);
    socket.once(connected, stop);
    sent.once('close', stop);
  });
}

function answerTo(
  sent: ClientRequest,
  body: string | null,
  signal: AbortSignal | null,
): Promise<FetchedAnswer> {
  // What the parser has against an answer is told to the request, also when a part of it came.
  let why: unknown;
  const failureOf = (error: unknown) =>
    signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause: why ?? error });
  return new Promise((resolve, reject) => {
    sent.on('error', (error) => {
      why ??= error;
      reject(failureOf(error));
    });
    let hints = 0;
    sent.on('information', () => {
      hints += 1;
      if (hints > MOST_HINTS)
        sent.destroy(Object.assign(new Error(), { code: 'HPE_HINTS_OVERFLOW' }));
    });
    sent.once('upgrade', (answer: IncomingMessage) => {
      sent.destroy();
      resolve({ ...headOf(answer), body: null });
    });
    sent.once('response', (answer) => {
      const head = headOf(answer);
      if (head.status >= 200 && head.status <= 599) {
        return resolve({ ...head, body: bodyOf(answer, failureOf) });
      }
      // No answer of HTTP has such a status, and nobody reads on.
      sent.destroy();
      resolve({ ...head, body: null });
    });
    sent.end(body ?? undefined);
  });
}

/** What comes more than once is joined, as the standard's `Headers` do. */
function headOf({ statusCode = 0, rawHeaders }: IncomingMessage) {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return { status: statusCode, headers };
}

/** @param failureOf what it means that the connection broke off */
async function* bodyOf(
  answer: IncomingMessage,
  failureOf: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  const packing = answer.headers['content-encoding'];
  try {
    if (packing === undefined && answer.complete) {
      // All of it came with the head, as it mostly does: an iterator of the stream would take its time.
      const ended = new Promise((resolve) => answer.once('end', resolve).once('close', resolve));
      const whole: Uint8Array | null = answer.read();
      // From then on its connection is there for the next request.
      await ended;
      if (whole !== null) yield whole;
    } else if (packing === undefined) yield* answer;
    else yield* await (await import('./unpacking.ts')).unpacked(answer, packing);
  } catch (error) {
    throw failureOf(error);
  }
}
