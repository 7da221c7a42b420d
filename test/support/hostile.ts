import { createServer, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { listenOn } from './connect-proxy.ts';
import { STATE } from './hosted-answers.ts';

/** What a hostile service sends after a request, byte by byte. */
export type Attack = (socket: Socket) => void;

export interface RawServer {
  readonly url: string;
  /** The requests so far, as they came. */
  readonly seen: string[];
}

/** A service on a real socket, or behind TLS, that sends whatever it likes after each request. */
export async function startRaw(attack: Attack, options?: tls.TlsOptions): Promise<RawServer> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    let request = '';
    socket.on('data', (chunk) => {
      request += chunk;
      const [head = '', body] = request.split('\r\n\r\n');
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (body === undefined || Buffer.byteLength(body) < length) return;
      seen.push(request);
      request = '';
      attack(socket);
    });
  };
  const server = options ? tls.createServer(options, serve) : createServer(serve);
  const port = await listenOn(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${options ? 'https' : 'http'}://127.0.0.1:${port}`, seen };
}

/** Acts on terminals in every way there is: titles, clipboard, colors, the order of letters. */
export const NASTY =
  '\u001b]52;c;cm0gLXJm\u0007\u001b[2J\u009b31m\u202egnp\u2066\u0000\u0008\r\n\u0085x';

export function http(status: string, headers: string[], body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body);
  const length = headers.some((header) => /^(content-length|transfer-encoding):/i.test(header))
    ? []
    : [`content-length: ${bytes.length}`];
  const head = [`HTTP/1.1 ${status}`, ...headers, ...length, 'connection: close', '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), bytes]);
}

export const JSON_TYPE = 'content-type: application/json';
export const json = (body: unknown, status = '200 OK', ...headers: string[]) =>
  http(status, [JSON_TYPE, ...headers], typeof body === 'string' ? body : JSON.stringify(body));

export const once =
  (bytes: Buffer): Attack =>
  (socket) =>
    void socket.end(bytes);

/** Writes on and on, as fast as it is read. */
const endless =
  (head: string, piece: Buffer): Attack =>
  (socket) => {
    const write = () => {
      while (!socket.destroyed && socket.write(piece));
      if (!socket.destroyed) socket.once('drain', write);
    };
    socket.write(head);
    write();
  };

/** A byte now and then. */
const drip =
  (head: string): Attack =>
  (socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(' '), 20);
    socket.once('close', () => clearInterval(timer));
  };

const MEGABYTE = 1024 * 1024;
const many = (text: string, size = MEGABYTE) => text.repeat(Math.ceil(size / text.length));
/** Of nothing but spaces: what it is packed into is a thousand times smaller. */
const bomb = () => Buffer.alloc(256 * MEGABYTE, ' ');
const packed = new Map<string, Buffer>();
const coded =
  (coding: string, pack: () => Buffer): Attack =>
  (socket) => {
    packed.set(coding, packed.get(coding) ?? pack());
    const headers = [JSON_TYPE, `content-encoding: ${coding}`];
    socket.end(http('200 OK', headers, packed.get(coding)));
  };
const OPEN = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

/** Everything in one object: no service would, but any command finds what it looks for. */
export const everywhere = (text: string) => ({
  ...STATE,
  ...{ [text]: text, key: text, error_code: text, result: { [text]: text }, result_hash: text },
  ...{ first_seen_at: text, done_at: text, lease_id: text, id: text, ack: text, visible: text },
  ...{ job_id: text, job_type: text, lock_token: text, claimed_by: text, locked_until: text },
  ...{ items: [{ job_id: text, job_type: text, status: text, claimed_by: text }] },
  ...{ code: text, message: text, detail: { error: text, message: text }, error: text },
  ...{ error_description: text, access_token: text, token_type: text, scope: text },
});

/** Answers that fit, as far as they go, with a text in all that is shown of them. */
export const fitting = (text: string) => ({
  ...STATE,
  ...{ status: 'failed', error_code: text, result: { [text]: text }, result_hash: text },
  ...{ first_seen_at: text, done_at: text, visible: text, id: 'id', ack: 'ack_1' },
  ...{ data: { [text]: text, workflows: [text] }, retry_after_sec: 5 },
  ...{ items: [{ job_id: text, job_type: text, status: text, claimed_by: text }] },
});

/** How a service refuses, by what its words are. */
export const REFUSALS: Readonly<Record<string, Attack>> = {
  'control characters in every field': once(json(everywhere(NASTY), '409 Conflict')),
  'control characters in the status line': once(json(everywhere('x'), '403 \u001b[2J\u0007 no')),
  'fields of a hundred kilobytes': once(json(everywhere(many('long ', 100_000)), '400 No')),
  'a field of a megabyte': once(json({ detail: many('long ') }, '422 No')),
  'an unknown form': once(json({ a: many('b') }, '418 I am a teapot')),
  HTML: once(http('403 Forbidden', ['content-type: text/html'], '<h1>No</h1>')),
  'an empty body': once(http('401 Unauthorized', [])),
};

/** What no service may send. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'control characters in every field': once(json(everywhere(NASTY))),
  'control characters in a redirect': once(
    http('302 Found', ['location: https://x/\u001b]52;c;cm0=\u0007\u009b31m']),
  ),
  'control characters in the content type': once(
    http('200 OK', ['content-type: \u001b[2J'], NASTY),
  ),
  'C1 control characters in the content type': once(
    http('200 OK', ['content-type: \u009b2J/\u0085'], 'what?'),
  ),
  'fields of a megabyte': once(json(everywhere(many('long ')))),
  'another content type': once(http('200 OK', ['content-type: text/html'], '<h1>Welcome</h1>')),
  'an endless body': endless(`${OPEN}\r\n`, Buffer.alloc(MEGABYTE, 'x')),
  'an endless body in chunks': endless(
    `${OPEN}transfer-encoding: chunked\r\n\r\n`,
    Buffer.from(`${MEGABYTE.toString(16)}\r\n${many('y')}\r\n`),
  ),
  'endless headers': endless(OPEN, Buffer.from(`x-more: ${many('z', 4_000)}\r\n`)),
  'an endless status line': endless('HTTP/1.1 200 ', Buffer.from(many('O'))),
  'endless hints of what is to come': endless('', Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n')),
  'a gzip bomb': coded('gzip', () => gzipSync(bomb())),
  'a deflate bomb': coded('deflate', () => deflateSync(bomb())),
  'a brotli bomb': coded('br', () =>
    brotliCompressSync(bomb(), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ),
  'a gzip bomb in a gzip bomb': coded('gzip, gzip', () => gzipSync(gzipSync(bomb()))),
  'a hundred codings': coded(many('gzip, ', 600).slice(0, -2), () => gzipSync('{}')),
  'gzip that is none': coded('gzip', () => Buffer.from('{"ok":true}')),
  'brotli that is none': coded('br', () => Buffer.from('{"ok":true}')),
  'gzip that breaks off': coded('gzip', () => gzipSync(JSON.stringify(STATE)).subarray(0, 30)),
  'an unknown coding': coded('rot13', () => Buffer.from('{"bx":gehr}')),
  'a body that breaks off': once(json('{"ok": tr', '200 OK', 'content-length: 1000')),
  'a body that is longer than it says': once(json(STATE, '200 OK', 'content-length: 5')),
  'two lengths': once(json(STATE, '200 OK', 'content-length: 5', 'content-length: 7')),
  'a length that is none': once(json(STATE, '200 OK', 'content-length: -1')),
  'chunks that are none': once(json('zz\r\n{}', '200 OK', 'transfer-encoding: chunked')),
  'a slow drip': drip(`${OPEN}\r\n`),
  'slow headers': drip(OPEN),
  'no answer at all': () => undefined,
  'a hang-up': (socket) => void socket.destroy(),
  'no HTTP': once(Buffer.from(`SSH-2.0-OpenSSH ${NASTY}\r\n`)),
  'JSON of a hundred thousand levels': once(json('['.repeat(100_000) + ']'.repeat(100_000))),
  'JSON of a hundred thousand levels in a field': once(
    json(`{"result":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`),
  ),
  'a prototype': once(
    json('{"__proto__":{"ok":true,"key":"k","status":"completed"},"constructor":{"prototype":1}}'),
  ),
  'numbers without end': once(json('{"ok":true,"ttl":1e999,"ttl_left":-1e999,"version":1e400}')),
  'NUL bytes': once(json('\0\0\0\0{"ok":true}\0')),
  'bytes that are no UTF-8': once(
    http('200 OK', [JSON_TYPE], Buffer.from([0xff, 0xfe, 0xc0, 0x80])),
  ),
  'a status of 999': once(json(STATE, '999 Beyond')),
  'a status of 600': once(json(STATE, '600 Beyond')),
  'a status of 101': once(json('', '101 Switching Protocols', 'upgrade: x')),
  'a status of 100 only': once(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')),
  'a status that is none': once(json(STATE, 'abc OK')),
  'an empty answer': once(json('')),
  'an empty answer that is packed': once(http('503 No', ['content-encoding: deflate'])),
  'an answer without a body that is packed': once(
    http('204 No Content', ['content-encoding: br, deflate']),
  ),
  '204 without anything': once(http('204 No Content', [])),
  '205 without anything': once(http('205 Reset Content', [])),
  '304 without anything': once(http('304 Not Modified', [])),
};
