import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RouteAnswer } from '../http/route.ts';
import { type Asked, type Endpoints, headersOf } from './endpoints.ts';
import type { Origin } from './loopback.ts';
import { decode, MAX_BODY } from './read-body.ts';
import type { RequestNotes } from './request-notes.ts';

/*
 * Requests that need nothing of Fetch: to make a `Request` and a `Response` for each takes longer than
 * Node needs to carry it. Which they are is told by their method, their path and their headers; whatever
 * is out of the ordinary about one goes the other way, and is answered the same.
 */

/** A request that is answered directly. */
export interface Direct {
  readonly origin: Origin;
  readonly answer: (notes: RequestNotes) => Promise<RouteAnswer>;
}

/** @returns undefined for a request that goes the other way */
export type FindDirect = (incoming: IncomingMessage) => Direct | undefined;

/** A host as programs write it: others are left to those who know all of the syntax of URLs. */
const PLAIN_HOST = /^(?:[a-z\d.-]+|\[[a-f\d:]+\])(?::\d+)?$/;
/** Hosts under which a service is asked. */
const MOST_HOSTS = 100;

/** Finds what is posted to the very path of an endpoint, and tells a length that it may have. */
export function createFindDirect({ routes, answer }: Endpoints): FindDirect {
  const indexes = new Map(
    routes.flatMap(({ method, path }, index) =>
      method === 'POST' && !path.includes(':') ? [[path, index] as const] : [],
    ),
  );
  const hostOf = rememberedHosts();
  return (incoming) => {
    const { method, url = '', headers, rawHeaders, httpVersion } = incoming;
    const index = method === 'POST' && httpVersion === '1.1' ? indexes.get(url) : undefined;
    const length = headers['content-length'];
    if (index === undefined || !(Number(length) <= MAX_BODY)) return undefined;
    // Of names that come more than once Node and Fetch make different things.
    const names = Object.keys(headers);
    if (names.length * 2 !== rawHeaders.length) return undefined;
    const host = hostOf(headers.host ?? '', 'encrypted' in incoming.socket);
    if (!host) return undefined;
    const header = (name: string) => textOf(headers[name]);
    const asked: Asked = {
      params: NOTHING,
      query: NO_QUERY,
      header,
      body: async () => decode(await bodyOf(incoming)),
    };
    return {
      origin: { ...host, header, names },
      answer: (notes) => answer(index, asked, notes),
    };
  };
}

const NOTHING = {};
const NO_QUERY = new URLSearchParams();

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

type Host = Pick<Origin, 'host' | 'hostname'>;

/** Undefined for one that is not plain. */
function rememberedHosts(): (host: string, isEncrypted: boolean) => Host | undefined {
  const known = new Map<string, Host>();
  return (text, isEncrypted) => {
    const authority = `${isEncrypted ? 'https' : 'http'}://${text}`;
    const found = known.get(authority);
    if (found || !PLAIN_HOST.test(text) || !URL.canParse(authority)) return found;
    if (known.size >= MOST_HOSTS) known.clear();
    const { host, hostname } = new URL(authority);
    // Such as 127.1, which is another's way to write an address.
    if (hostname !== text.replace(/:\d+$/, '')) return undefined;
    known.set(authority, { host, hostname });
    return { host, hostname };
  };
}

/** @throws Error when it does not come to its end */
function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const [first] = chunks;
      resolve(first && chunks.length === 1 ? first : Buffer.concat(chunks));
    });
    incoming.on('error', reject);
    // Also when that was before anybody listened.
    const hungUp = () => reject(new Error('the client has hung up'));
    if (incoming.destroyed) hungUp();
    else incoming.on('close', hungUp);
  });
}

/** Sends an answer that is whole. All headers at once: Node checks those anew that were set before. */
export function send(outgoing: ServerResponse, answer: RouteAnswer, id: string): void {
  const { status, body } = answer;
  const isEmpty = status === 204;
  const length = isEmpty ? {} : { 'content-length': Buffer.byteLength(body) };
  outgoing.writeHead(status, { 'x-request-id': id, ...headersOf(answer), ...length });
  outgoing.end(isEmpty ? undefined : body);
}
