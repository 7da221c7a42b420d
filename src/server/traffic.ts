import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { json, type RouteAnswer } from '../http/route.ts';
import type { HttpAnswer } from '../http/transport.ts';
import { send } from './direct.ts';
import { refuseProblem } from './refuse.ts';
import { type Answered, type RequestNotes, requestIdOf } from './request-notes.ts';

export interface TrafficOptions {
  readonly answer: (request: Request, notes: RequestNotes) => Response | Promise<Response>;
  /** Answers without `Request` and `Response` what needs neither; undefined where it cannot. */
  readonly direct: (
    incoming: IncomingMessage,
  ) => ((notes: RequestNotes) => Promise<RouteAnswer>) | undefined;
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

/** Ends of a connection in the middle of a request. */
const HUNG_UP = /^(ECONNRESET|EPIPE|HPE_INVALID_EOF_STATE)$/;

interface Flight {
  readonly notes: RequestNotes;
  /** Undefined for what could not be read as a request. */
  readonly incoming?: IncomingMessage;
  /** The status with which it was cut short. */
  refused?: number;
}

/** The connections and requests of a server. */
export class Traffic {
  /** Node's listener for requests. */
  readonly take: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  readonly #options: TrafficOptions;
  readonly #sockets = new Set<Socket>();
  readonly #inFlight = new Map<ServerResponse, Flight>();
  /** The same by connection, in their order: each waits for those before it. */
  readonly #queues = new WeakMap<Socket, Set<ServerResponse>>();
  #isDraining = false;
  #crowdedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TrafficOptions) {
    this.#options = options;
    const begun = new WeakMap<object, RequestNotes>();
    const respond = getRequestListener(
      async (request, { incoming, outgoing }) => {
        const notes = begun.get(incoming) ?? { id: '' };
        // A host that is none is not always noticed before.
        if (!URL.canParse(request.url)) return responseOf(unreadable(400));
        const response = await answered(options, request, notes);
        if (!notes.isDropped) return response;
        outgoing.destroy();
        return RESPONSE_ALREADY_SENT;
      },
      // What is left is what no Request can be made of.
      { errorHandler: () => responseOf(unreadable(400)) },
    );
    this.take = (incoming, outgoing) => {
      nameHost(incoming);
      const notes = this.#begin(incoming, outgoing);
      const direct = options.direct(incoming);
      if (direct) {
        void answeredDirectly(direct, outgoing, notes);
        return;
      }
      outgoing.setHeader('x-request-id', notes.id);
      begun.set(incoming, notes);
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
    for (const [outgoing, { notes }] of this.#inFlight) {
      endConnection(outgoing);
      // Who does not read what goes on does not read either that it ends.
      if (notes.streamedSince !== undefined && outgoing.writableNeedDrain) outgoing.destroy();
    }
  }

  /** Hangs up on everybody. @returns how many requests were in flight */
  cutOff(): number {
    const { size } = this.#inFlight;
    for (const socket of this.#sockets) socket.destroy();
    return size;
  }

  #begin(incoming: IncomingMessage, outgoing: ServerResponse): RequestNotes {
    const begun = performance.now();
    const { method, socket } = incoming;
    const remote = socket.remoteAddress;
    const id = requestIdOf(incoming.headers['x-request-id'], randomUUID);
    const notes: RequestNotes = { id, remote };
    const flight: Flight = { notes, incoming };
    const queue = this.#queueOf(socket);
    this.#inFlight.set(outgoing, flight);
    queue.add(outgoing);
    if (this.#isDraining) endConnection(outgoing);
    outgoing.once('close', () => {
      this.#inFlight.delete(outgoing);
      queue.delete(outgoing);
      const { streamedSince: since } = flight.notes;
      const isAnswered = outgoing.writableFinished || since !== undefined;
      const status = isAnswered ? outgoing.statusCode : flight.refused;
      const end = performance.now();
      const milliseconds = (since ?? end) - begun;
      const streamed = since === undefined ? undefined : end - since;
      this.#options.onAnswered({ notes, method, status, milliseconds, streamed, remote });
    });
    return notes;
  }

  /** The answers that are to be given on a connection. */
  #queueOf(socket: Socket): Set<ServerResponse> {
    const known = this.#queues.get(socket);
    if (known) return known;
    const queue = new Set<ServerResponse>();
    this.#queues.set(socket, queue);
    socket.once('close', () => {
      for (const outgoing of queue) {
        // Node tells the one whose turn it is, and no other, that nobody is there any more.
        if (outgoing.socket || outgoing.writableFinished) continue;
        outgoing.destroy();
        outgoing.emit('close');
      }
    });
    return queue;
  }

  /** Answers what Node could not read as a request, and hangs up. */
  #refuse(code: string | undefined, socket: Duplex): void {
    const flights = [...this.#inFlight].filter(([, own]) => own.incoming?.socket === socket);
    const whole = flights.filter(([, { incoming }]) => incoming?.complete).at(-1);
    // What came whole before is done: who is told that it was not may do it again.
    if (whole && !whole[0].headersSent && !HUNG_UP.test(code ?? '')) {
      endConnection(whole[0]);
      return;
    }
    const current = flights.find(([outgoing]) => outgoing.socket === socket);
    // Who hung up gets none, nor who has got a part of one.
    if (!socket.writable || HUNG_UP.test(code ?? '') || current?.[0].headersSent) {
      socket.destroy();
      return;
    }
    const status = UNREADABLE[code ?? ''] ?? 400;
    const flight: Flight = current?.[1] ?? { notes: { id: randomUUID() } };
    const { notes } = flight;
    flight.refused = status;
    const remote = 'remoteAddress' in socket ? String(socket.remoteAddress) : undefined;
    socket.end(rawAnswer(unreadable(status), notes.id), () => socket.destroy());
    if (!current) {
      this.#options.onAnswered({ notes, method: undefined, status, milliseconds: 0, remote });
    }
  }
}

/** HTTP/1.0 knows of no Host, and balancers that ask whether a node is ready leave it out. */
function nameHost({ httpVersion, headers, socket }: IncomingMessage): void {
  if (httpVersion !== '1.0' || headers.host) return;
  // Neither a zone nor IPv4 in the form of IPv6 may stand in a URL.
  const address = socket.localAddress?.replace(/^::ffff:(?=.*\.)|%.*$/gi, '') ?? '';
  const host = address.includes(':') ? `[${address}]` : address;
  headers.host = `${host}:${socket.localPort}`;
}

async function answered(
  { answer }: TrafficOptions,
  request: Request,
  notes: RequestNotes,
): Promise<Response> {
  try {
    return await answer(request, notes);
  } catch (error) {
    notes.error = error;
    return responseOf(refuseProblem('internal'));
  }
}

async function answeredDirectly(
  direct: (notes: RequestNotes) => Promise<RouteAnswer>,
  outgoing: ServerResponse,
  notes: RequestNotes,
): Promise<void> {
  const answer = await direct(notes).catch((error: unknown) => {
    notes.error = error;
    return refuseProblem('internal');
  });
  if (notes.isDropped) outgoing.destroy();
  else if (!outgoing.destroyed) send(outgoing, answer, notes.id);
}

function endConnection(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
}

function unreadable(status: number): HttpAnswer {
  const message = `The request could not be read: ${STATUS_CODES[status]}.`;
  return json(status, { detail: { error: 'unreadable_request', message } });
}

function responseOf({ status, headers, body }: HttpAnswer): Response {
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
