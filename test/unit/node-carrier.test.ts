import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { METHODS } from '../../src/domain/method.ts';
import { systemCode } from '../../src/http/connection-failure.ts';
import { carrierWith, carry } from '../../src/http/node-carrier.ts';
import { startLastingStub, startStub } from '../support/stub-server.ts';

const ASK = { method: 'GET', headers: {}, body: null, redirect: 'manual', signal: null } as const;

/** Says to each connection what `answer` makes of what it asks. */
async function startRaw(answer: (socket: Socket, asked: string) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (asked) => answer(socket, String(asked)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return new URL(`http://127.0.0.1:${address.port}/`);
}

const BUSY = `
  const server = require('node:net').createServer().listen(0, '127.0.0.1', 1, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** A port of a process that takes no connections, and where no more of them can wait. */
async function startBusy(): Promise<number> {
  const busy = spawn(process.execPath, ['-e', BUSY], { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting: Socket[] = [];
  onTestFinished(() => {
    for (const socket of waiting) socket.destroy();
    busy.kill('SIGKILL');
  });
  const [said] = await once(busy.stdout, 'data');
  const port = Number(said);
  for (let count = 0; count < 4; count += 1) {
    waiting.push(connect(port, '127.0.0.1').on('error', () => undefined));
  }
  // The system lets one more wait than it is asked to.
  await Promise.all(waiting.slice(0, 2).map((socket) => once(socket, 'connect')));
  return port;
}

async function read(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function raw(head: string, body: Buffer | string = '') {
  const length = Buffer.byteLength(body);
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${head}\r\ncontent-length: ${length}\r\n\r\n`), bytes]);
}

describe('what is carried', () => {
  test('is sent as it is, and its answer comes as it is', async () => {
    const { url, seen } = await startStub({ status: 418, body: { ok: false } });
    const answer = await carry(new URL(`${url}/v1/x?key=a%20b`), {
      ...ASK,
      method: 'POST',
      headers: { 'idempotency-key': 'i' },
      body: '{"ä":1}',
    });
    expect(answer.status).toBe(418);
    expect(await read(answer.body)).toBe('{"ok":false}');
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/x?key=a%20b', body: '{"ä":1}' });
    expect(seen[0]?.headers).toMatchObject({ 'idempotency-key': 'i', 'content-length': '8' });
  });

  test('has an answer whose headers are joined, and whose redirect is not followed', async () => {
    const head = 'HTTP/1.1 302 Found\r\nLocation: /b\r\nWarning: one\r\nwarning: other';
    const url = await startRaw((socket) => socket.end(raw(head)));
    const { status, headers } = await carry(url, ASK);
    expect(status).toBe(302);
    expect(Object.fromEntries(headers)).toMatchObject({ location: '/b', warning: 'one, other' });
  });

  test('takes the connection that is there', async () => {
    const ports = new Set<number | undefined>();
    const stub = await startLastingStub((_, response) => {
      ports.add(response.socket?.remotePort);
      response.end('{}');
    });
    for (let count = 0; count < 3; count += 1) {
      await read((await carry(new URL(stub.url), ASK)).body);
    }
    expect(ports.size).toBe(1);
  });

  test.each(METHODS.filter((method) => !/^(GET|HEAD)$/.test(method)))(
    'has its length with it, so that none of it is taken for the next request: %s',
    async (method) => {
      let asked = '';
      const body = '{"ä":1}';
      const url = await startRaw((socket, text) => {
        asked += text;
        if (asked.endsWith(body)) socket.end(raw('HTTP/1.1 200 OK'));
      });
      await carry(url, { ...ASK, method, body });
      expect(asked).toMatch(/^content-length: 8\r$/im);
      expect(asked).not.toMatch(/^transfer-encoding:/im);
    },
  );

  const TEXT = JSON.stringify({ text: 'ä'.repeat(100) });
  test.each([
    ['gzip', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['GZIP', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['deflate, gzip', gzipSync(deflateSync(TEXT))],
    ['identity', Buffer.from(TEXT)],
    ['unheard-of', Buffer.from(TEXT)],
  ])('is unpacked, though nobody asked for it: %s', async (packing, body) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${packing}`;
    let asked = '';
    const url = await startRaw((socket, text) => {
      asked += text;
      socket.end(raw(head, body));
    });
    expect(await read((await carry(url, ASK)).body)).toBe(TEXT);
    expect(asked.toLowerCase()).toContain('accept-encoding: identity');
  });
});

describe('what is empty', () => {
  const PACKINGS = [
    'gzip',
    'x-gzip',
    'deflate',
    'br',
    'deflate, gzip',
    'deflate, br',
    'unheard-of',
  ];
  test.each(
    PACKINGS.flatMap((packing) => [
      [packing, 'by its length', '503 No\r\ncontent-length: 0\r\n\r\n'],
      [packing, 'by its status', '204 No Content\r\n\r\n'],
      [packing, 'by its chunks', '200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
      [packing, 'by the end of the connection', '200 OK\r\n\r\n'],
    ]),
  )('is not waited for, though it is said to be packed by %s: %s', async (packing, how, said) => {
    const answer = `HTTP/1.1 ${said.replace('\r\n', `\r\ncontent-encoding: ${packing}\r\n`)}`;
    const url = await startRaw((socket) =>
      how === 'by the end of the connection' ? socket.end(answer) : socket.write(answer),
    );
    expect(await read((await carry(url, ASK)).body)).toBe('');
  });

  test('is what was packed to nothing', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-encoding: deflate, gzip';
    const url = await startRaw((socket) => socket.end(raw(head, gzipSync(''))));
    expect(await read((await carry(url, ASK)).body)).toBe('');
  });

  test('is told from what broke off before anybody read it', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\ncontent-length: 9\r\n\r\n';
    let isGone: Promise<unknown> | undefined;
    const url = await startRaw((socket) => {
      isGone = once(socket, 'close');
      socket.end(head);
    });
    const { body } = await carry(url, ASK);
    await isGone;
    const failed = await read(body).catch((error) => error);
    expect(failed).toBeInstanceOf(TypeError);
    expect(systemCode(failed)).toBe('ECONNRESET');
  });
});

describe('what goes wrong', () => {
  /** The code of why it was not carried, or not to the end. */
  async function codeOf(answer: (socket: Socket) => void, carrier = carry) {
    const url = await startRaw(answer);
    const failed = await carrier(url, ASK)
      .then(({ body }) => read(body))
      .catch((error) => error);
    expect(failed).toBeInstanceOf(TypeError);
    return systemCode(failed);
  }

  test.each([
    ['hangs up', '', 'ECONNRESET'],
    ['hangs up within the headers', 'HTTP/1.1 200 OK\r\nx: ', 'ECONNRESET'],
    ['hangs up within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{', 'ECONNRESET'],
    ['speaks something else', 'SSH-2.0-OpenSSH_9.2\r\n', 'HPE_INVALID_CONSTANT'],
    [
      'gets confused within the body',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nnonsense\r\n',
      'HPE_INVALID_CHUNK_SIZE',
    ],
    ['says too much', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n`, 'HPE_HEADER_OVERFLOW'],
    [
      'does not pack what it says is packed',
      'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}',
      'Z_DATA_ERROR',
    ],
    [
      'packs without end',
      `HTTP/1.1 200 OK\r\ncontent-encoding: ${'gzip, '.repeat(6)}gzip\r\ncontent-length: 2\r\n\r\n{}`,
      'Z_TOO_OFTEN',
    ],
  ])('is told by its code: a service that %s', async (_, said, code) => {
    expect(await codeOf((socket) => socket.end(said))).toBe(code);
  });

  test('a service that says nothing any more is gone', async () => {
    const quick = carrierWith({ connecting: 10_000, silence: 100, idle: 4_000 });
    const silent = (socket: Socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{');
    expect(await codeOf(silent, quick)).toBe('ETIMEDOUT');
    expect(await codeOf(() => undefined, quick)).toBe('ETIMEDOUT');
  });

  test('a connection that does not come about is told apart', async () => {
    const { port } = await startRaw(() => undefined);
    const quick = carrierWith({ connecting: 100, silence: 10_000, idle: 4_000 });
    const failed = await quick(new URL(`https://127.0.0.1:${port}`), ASK).catch((error) => error);
    expect(systemCode(failed)).toBe('CONNECT_TIMEOUT');
  });

  test.each(['http', 'https'])(
    'a connection may take longer to come about than one is kept: %s',
    async (scheme) => {
      const port = await startBusy();
      const slow = carrierWith({ connecting: 500, silence: 10_000, idle: 50 });
      const url = new URL(`${scheme}://127.0.0.1:${port}`);
      const failed = await slow(url, ASK).catch((error) => error);
      expect(systemCode(failed)).toBe('CONNECT_TIMEOUT');
    },
  );

  test('a connection is closed when it was kept for long enough', async () => {
    let closed: Promise<unknown> | undefined;
    const url = await startRaw((socket) => {
      closed = once(socket, 'close');
      socket.write(raw('HTTP/1.1 200 OK'));
    });
    const tidy = carrierWith({ connecting: 10_000, silence: 10_000, idle: 50 });
    await read((await tidy(url, ASK)).body);
    await closed;
  });

  test('an upgrade is an answer that says nothing', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n';
    const url = await startRaw((socket) => socket.write(head));
    expect(await carry(url, ASK)).toMatchObject({ status: 101, body: null });
  });

  test.each([
    ['before an answer', ''],
    ['within the body', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'],
  ])('a signal ends it %s, with its reason', async (_, said) => {
    const ending = new AbortController();
    let isClosed: Promise<unknown> | undefined;
    const url = await startRaw((socket) => {
      isClosed = once(socket, 'close');
      socket.write(said);
      if (said === '') ending.abort(new Error('enough'));
    });
    const reading = carry(url, { ...ASK, signal: ending.signal }).then(async ({ body }) => {
      for await (const _ of body ?? []) ending.abort(new Error('enough'));
    });
    await expect(reading).rejects.toThrow('enough');
    await isClosed;
  });

  test('a signal that came before lets nothing leave', async () => {
    const { url, seen } = await startStub();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(carry(new URL(url), { ...ASK, signal })).rejects.toThrow('too late');
    expect(seen).toEqual([]);
  });
});
