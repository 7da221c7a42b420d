import fc, { type Arbitrary } from 'fast-check';
import type { RawRequest } from './request.ts';

/*
 * What may come over a connection: requests as they should be put into bytes, and as they should not.
 */

/** The lines of a request's head, without the last, empty one. */
type Head = readonly string[];

const HOST = 'host: 127.0.0.1';

function headOf({ method, path, query, headers }: RawRequest): Head {
  const target = `${path}${query === '' ? '' : `?${query}`}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, HOST, 'connection: close', ...lines];
}

const noBody = new Uint8Array();

function messageOf(head: Head, body: Uint8Array, lineEnd = '\r\n'): Buffer {
  return Buffer.concat([Buffer.from(`${head.join(lineEnd)}${lineEnd}${lineEnd}`, 'latin1'), body]);
}

function whole(request: RawRequest): Buffer {
  const { body = noBody } = request;
  return messageOf([...headOf(request), `content-length: ${body.length}`], body);
}

/** Lines that a head must not have, or that say of the body what is not so. */
const ODD_LINES = fc.constantFrom(
  'content-length: -1',
  'content-length: 1e3',
  'content-length: 0x10',
  'content-length: 99999999999999999999',
  'content-length: 5\r\ncontent-length: 6',
  'content-length: 4\r\ntransfer-encoding: chunked',
  'transfer-encoding: chunked, identity',
  'transfer-encoding: gzip',
  'transfer-encoding : chunked',
  'no colon',
  ': no name',
  'bad name: x',
  'x-null: a\0b',
  'x-lone: a\rb',
  'x-folded: a\r\n b',
  'x-\u00e9: b',
  `x-large: ${'x'.repeat(30_000)}`,
  Array.from({ length: 3_000 }, (_, index) => `x-${index}: y`).join('\r\n'),
  'host: elsewhere.example',
  'host: ',
  'host: a b',
  'host: [::1',
  'expect: 100-continue',
  'expect: nonsense',
  'upgrade: websocket\r\nconnection: upgrade',
  'upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAAQAAP__',
  'content-encoding: gzip',
  'range: bytes=0-1',
  'if-match: "x"',
  '__proto__: x\r\nconstructor: y',
);

const BODIES = fc.constantFrom(
  '',
  '5\r\n{"a":\r\n0\r\n\r\n',
  'zz\r\n{}\r\n0\r\n\r\n',
  'ffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  '-1\r\n{}\r\n0\r\n\r\n',
  '2;ext=1\r\n{}\r\n0\r\nTrailer: x\r\n\r\n',
  '2\r\n{}',
);

const FIRST_LINES = fc.constantFrom(
  'GET /healthz',
  'GET /healthz HTTP/0.9',
  'GET /healthz HTTP/3.0',
  'GET  /healthz HTTP/1.1',
  'get /healthz HTTP/1.1',
  'GET healthz HTTP/1.1',
  'GET http://127.0.0.1/healthz HTTP/1.1',
  'GET http://elsewhere.example/healthz HTTP/1.1',
  'GET //elsewhere.example/healthz HTTP/1.1',
  'GET http://[/ HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT 127.0.0.1:1 HTTP/1.1',
  'TRACE / HTTP/1.1',
  'BREW /pot HTTP/1.1',
  'PRI * HTTP/2.0',
  `GET /${'x'.repeat(30_000)} HTTP/1.1`,
  'GET /\u00ff\u0080 HTTP/1.1',
  'GET /a\0b HTTP/1.1',
  'GET /%00%zz?%=%&&=&key=%ff HTTP/1.1',
  'GET /#x HTTP/1.1',
  'GET \\healthz HTTP/1.1',
  '',
);

const TLS_HELLO = Buffer.from('16030100a5010000a10303', 'hex');

/** @param requests what is put into bytes */
export function messages(requests: Arbitrary<RawRequest>): Arbitrary<Buffer> {
  const odd = fc
    .tuple(requests, ODD_LINES, BODIES)
    .map(([request, line, body]) => messageOf([...headOf(request), line], Buffer.from(body)));
  const chunked = fc
    .tuple(requests, BODIES)
    .map(([request, body]) =>
      messageOf([...headOf(request), 'transfer-encoding: chunked'], Buffer.from(body)),
    );
  return fc.oneof(
    { weight: 4, arbitrary: requests.map(whole) },
    { weight: 3, arbitrary: odd },
    { weight: 2, arbitrary: chunked },
    { weight: 2, arbitrary: FIRST_LINES.map((line) => messageOf([line, HOST], noBody)) },
    // Cut off in the middle.
    fc.tuple(requests, fc.double({ min: 0, max: 1, noNaN: true })).map(([request, part]) => {
      const bytes = whole(request);
      return bytes.subarray(0, Math.floor(bytes.length * part));
    }),
    // Several at once, and something behind them.
    fc.tuple(requests, requests).map(([one, other]) => {
      const first = whole({ ...one, headers: { ...one.headers, connection: 'keep-alive' } });
      return Buffer.concat([first, whole(other), Buffer.from('more')]);
    }),
    requests.map((request) => messageOf(headOf(request), noBody, '\n')),
    requests.map((request) =>
      messageOf(
        headOf(request).filter((line) => line !== HOST),
        noBody,
      ),
    ),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(TLS_HELLO),
  );
}
