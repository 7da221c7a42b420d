import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { json } from '../http/route.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { type Answered, type RequestNotes, requestIdOf } from './request-notes.ts';

export interface TrafficOptions {
  readonly answer: (request: Request, notes: RequestNotes) => Response | Promise<Response>;
  /** Told of every request when it is over. */
  readonly onAnswered: (answered: Answered) => void;
  /** Told when connections were refused because there are too many: once in {@link TOLD_EVERY}. */
  readonly onCrowded: () => void;
}

/** Milliseconds. */
const TOLD_EVERY = 60_000;

/** What is answered to a request that cannot be read; others are a 400. */
const UNREADABLE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** The connections and requests of a server. */
export class Traffic {
  /** Node's listener for requests. */
  readonly take: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  readonly #options: TrafficOptions;
  readonly #sockets = new Set<Socket>();
  readonly #inFlight = new Map<ServerResponse, RequestNotes>();
  #isDraining = false;
  #crowdedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TrafficOptions) {
    this.#options = options;
    const begun = new WeakMap<object, RequestNotes>();
    const respond = getRequestListener(
      (request, { incoming }) => {
        const notes = begun.get(incoming);
        if (!notes) throw new Error('a request that did not begin');
        return options.answer(request, notes);
      },
      { errorHandler: refusal },
    );
    this.take = (incoming, outgoing) => {
      begun.set(incoming, this.#begin(incoming, outgoing));
      void respond(incoming, outgoing);
    };
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('drop', () => {
      const now = performance.now();
      if (now < this.#crowdedAt + TOLD_EVERY) return;
      this.#crowdedAt = now;
      this.#options.onCrowded();
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#refuse(error.code, socket);
    });
  }

  /** From now on no connection outlives its answer. */
  beginDrain(): void {
    this.#isDraining = true;
    for (const outgoing of this.#inFlight.keys()) endConnection(outgoing);
  }

  /** Hangs up on everybody. @returns how many requests were in flight */
  cutOff(): number {
    const { size } = this.#inFlight;
    for (const socket of this.#sockets) socket.destroy();
    return size;
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): RequestNotes {
    const begun = performance.now();
    const notes = { id: requestIdOf(incoming.headers['x-request-id'], randomUUID) };
    const { method, socket } = incoming;
    const remote = socket.remoteAddress;
    outgoing.setHeader('x-request-id', notes.id);
    this.#inFlight.set(outgoing, notes);
    if (this.#isDraining) endConnection(outgoing);
    outgoing.once('close', () => {
      this.#inFlight.delete(outgoing);
      const status = outgoing.writableFinished ? outgoing.statusCode : undefined;
      const milliseconds = performance.now() - begun;
      this.#options.onAnswered({ notes, method, status, milliseconds, remote });
    });
    return notes;
  }

  /** Answers what Node could not read as a request, and hangs up. */
  #refuse(code: string | undefined, socket: Duplex): void {
    const current = [...this.#inFlight].find(([outgoing]) => outgoing.socket === socket);
    // Who hung up gets none, nor who has got a part of one.
    if (!socket.writable || code === 'ECONNRESET' || current?.[0].headersSent) {
      socket.destroy();
      return;
    }
    const status = UNREADABLE[code ?? ''] ?? 400;
    const notes = current?.[1] ?? { id: randomUUID() };
    const remote = 'remoteAddress' in socket ? String(socket.remoteAddress) : undefined;
    socket.end(rawAnswer(refusalOf(status), notes.id), () => socket.destroy());
    if (!current) {
      this.#options.onAnswered({ notes, method: undefined, status, milliseconds: 0, remote });
    }
  }
}

function endConnection(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
}

function refusalOf(status: number): HttpAnswer {
  const message = `The request could not be read: ${STATUS_CODES[status]}.`;
  return json(status, { detail: { error: 'unreadable_request', message } });
}

function refusal(): Response {
  const { status, headers, body } = refusalOf(400);
  return new Response(body, { status, headers });
}

function rawAnswer({ status, headers, body }: HttpAnswer, id: string): string {
  const lines = Object.entries({
    ...headers,
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}
