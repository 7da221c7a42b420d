import { setMaxListeners } from 'node:events';
import {
  createServer,
  request as forwardTo,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Random } from './random.ts';

export const FAULTS = [
  /** The answer takes its time. */
  'delay',
  /** Nobody ever answers, and the service never hears of it. */
  'drop',
  'error500',
  'error503',
  /** 429, with a time to wait. */
  'limit',
  /** The connection ends before the service hears of the request. */
  'reset',
  /** The connection ends after the service has done what it was asked for. */
  'lost',
  /** The service hears of it so late that whoever asked has lost the lease by then. */
  'freeze',
] as const;
export type Fault = (typeof FAULTS)[number];
export type FaultCounts = Record<Fault, number>;

export interface FaultProxyOptions {
  /** What stands behind it. */
  readonly target: string;
  readonly random: Random;
  /** How likely a fault befalls a request. */
  readonly probability: (path: string) => number;
  /** Milliseconds that a frozen request is held back. */
  readonly freeze: number;
  /** The faults to choose from, each as likely as it stands there often. */
  readonly faults: (path: string) => readonly Fault[];
}

export interface FaultProxy {
  readonly url: string;
  /** How often each fault was done to a request. */
  readonly faults: FaultCounts;
  /** @param listener told of what the service answers, right before whoever asked is */
  onAnswer(listener: (answered: Answered) => void): void;
  /** From now on it passes on everything. */
  calm(): void;
}

export interface Answered {
  readonly path: string;
  /** What who asked for it showed: its token. */
  readonly token: string;
  readonly status: number;
  readonly body: string;
}

/** What the service, or the proxy in its place, answers. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Headers that are about one connection. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);
const [SHORTEST_DELAY, LONGEST_DELAY] = [50, 600];

/** Stands in front of a service, on a real socket, and does to requests what networks do. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const faults: FaultCounts = {
    delay: 0,
    drop: 0,
    error500: 0,
    error503: 0,
    limit: 0,
    reset: 0,
    lost: 0,
    freeze: 0,
  };
  let isCalm = false;
  let listener: (answered: Answered) => void = () => undefined;
  const choose = (path: string): Fault | undefined => {
    const { random, probability } = options;
    if (isCalm || !random.chance(probability(path))) return undefined;
    const fault = random.pick(options.faults(path));
    faults[fault] += 1;
    return fault;
  };
  const closing = new AbortController();
  // Every request listens.
  setMaxListeners(0, closing.signal);
  const server = createServer(async (request, response) => {
    // Whoever asked may be gone at any time: nobody is left to be told.
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    try {
      await treat(request, response, choose(request.url ?? ''), {
        ...options,
        signal: closing.signal,
        tell: (answered) => listener(answered),
      });
    } catch {
      // The service is not there: so is its proxy, for this one.
      request.socket.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    closing.abort();
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    onAnswer: (next) => {
      listener = next;
    },
    calm: () => {
      isCalm = true;
    },
  };
}

interface Treatment extends FaultProxyOptions {
  /** Aborted when it is all over. */
  readonly signal: AbortSignal;
  readonly tell: (answered: Answered) => void;
}

async function treat(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
  { target, random, freeze, signal, tell }: Treatment,
): Promise<void> {
  if (fault === 'drop') return;
  if (fault === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  const body = await readAll(request);
  if (fault === 'delay') {
    await delay(random.between(SHORTEST_DELAY, LONGEST_DELAY), undefined, { signal });
  }
  if (fault === 'freeze') await delay(freeze, undefined, { signal });
  const answer = refusalOf(fault) ?? (await forward(request, body, target, signal));
  if (fault === 'lost') {
    request.socket.destroy();
    return;
  }
  const { url: path = '', headers } = request;
  const { status, body: content } = answer;
  tell({ path, token: tokenIn(headers), status, body: content.toString() });
  reply(response, answer);
}

/** As a bearer token, or alone as Basic. */
function tokenIn({ authorization = '' }: IncomingMessage['headers']): string {
  const [scheme = '', token = ''] = authorization.split(' ');
  return scheme.toLowerCase() === 'basic' ? Buffer.from(token, 'base64').toString() : token;
}

/** What the proxy itself says, so that the service hears of nothing. */
function refusalOf(fault: Fault | undefined): Answer | undefined {
  const refusal = (status: number, headers = {}): Answer => ({
    status,
    headers: { 'content-type': 'text/plain', ...headers },
    body: Buffer.from('The gateway has had enough.\n'),
  });
  if (fault === 'error500') return refusal(500);
  if (fault === 'error503') return refusal(503);
  return fault === 'limit' ? refusal(429, { 'retry-after': '1' }) : undefined;
}

function forward(
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  target: string,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A connection for each: one that is kept would be one that died with the service.
    const options = { method, headers: passedOn(headers), agent: false as const, signal };
    const call = forwardTo(new URL(url ?? '', target), { ...options }, (incoming) => {
      const { statusCode: status = 0 } = incoming;
      readAll(incoming).then(
        (content) => resolve({ status, headers: incoming.headers, body: content }),
        reject,
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, passedOn(headers));
  response.end(body);
}

function passedOn(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
