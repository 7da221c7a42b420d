import { expect, test } from 'vitest';
import { connectTo } from '../support/raw-connection.ts';
import { createSandbox } from '../support/sandbox.ts';
import { addToken, startServe } from '../support/served.ts';

interface Question {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** All that is answered to what is posted, but for the time; the connection is closed then. */
async function answerTo(url: string, { path = '/v1/ai/lease', headers, body = '' }: Question) {
  const { host } = new URL(url);
  const bytes = Buffer.from(body);
  const all = {
    host,
    'content-type': 'application/json',
    'content-length': bytes.length,
    'x-request-id': 'asked',
    connection: 'close',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const connection = await connectTo(url);
  connection.socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  connection.socket.write(bytes);
  const text = await connection.all;
  const [head = '', answer] = text.replace(/^date: .*\r\n/im, '').split('\r\n\r\n');
  const [status, ...names] = head.split('\r\n');
  return { status, headers: names.map((line) => line.toLowerCase()).sort(), answer };
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  'what is done': { body: '{"key":"done"}' },
  'what has an id that is none': { body: '{"key":""}' },
  'what is no JSON': { body: '{"key":' },
  'what is no UTF-8': { body: Buffer.from([0x7b, 0xff, 0x7d]) },
  'what has no body': {},
  'what answers nothing': {
    path: '/api/v1/runner-jobs/lease',
    body: '{"runner_id":"r","host":"h","tags":[]}',
  },
  'what a page of another origin sends': { headers: { origin: 'http://evil.example' } },
  'what a proxy brings': { headers: { via: '1.1 proxy' }, body: '{"key":"done"}' },
  'what is sent to another name': { headers: { host: 'evil.example' }, body: '{"key":"done"}' },
  'what is sent to a name in capitals': { headers: { host: 'LOCALHOST' }, body: '{"key":"done"}' },
  'what is sent to an address in another form': {
    headers: { host: '[0:0:0:0:0:0:0:1]' },
    body: '{"key":"done"}',
  },
  'what brings a token that is nobody’s': {
    headers: { authorization: 'Bearer nobody' },
    body: '{"key":"done"}',
  },
};

/** A query, which nothing that is posted looks at, has a request go the other way. */
const around = ({ path = '/v1/ai/lease', ...question }: Question): Question => ({
  ...question,
  path: `${path}?`,
});

test('what needs nothing of Fetch is answered as if it did', async () => {
  const { url } = await startServe(createSandbox());
  // Of what is held the answers tell how much time is left.
  const { answer: acquired } = await answerTo(url, { body: '{"key":"done"}' });
  const { lease_id } = JSON.parse(acquired ?? '');
  await answerTo(url, {
    path: '/v1/ai/complete',
    body: JSON.stringify({ key: 'done', lease_id }),
  });
  for (const [what, question] of Object.entries(QUESTIONS)) {
    const answer = await answerTo(url, question);
    expect(answer, what).toEqual(await answerTo(url, around(question)));
    expect(answer.headers, what).toContain('x-request-id: asked');
  }
});

test('where callers are told apart, who is none is refused the same', async () => {
  const sandbox = createSandbox();
  const token = await addToken(sandbox.databaseFile, 'reader', ['keys:read']);
  const { url } = await startServe(sandbox);
  for (const authorization of ['', 'Bearer nobody', `Bearer ${token}`]) {
    const question = { headers: { authorization }, body: '{"key":"a"}' };
    const answer = await answerTo(url, question);
    expect(answer).toEqual(await answerTo(url, around(question)));
    expect(answer.status).toMatch(/ 40[13] /);
  }
});

test('who shows two tokens shows none, also where there is no Host', async () => {
  const sandbox = createSandbox();
  const token = await addToken(sandbox.databaseFile, 'writer', ['keys:write']);
  const { url } = await startServe(sandbox);
  const tokens = `authorization: Bearer ${token}\r\nauthorization: Bearer nobody\r\n`;
  const body = '{"key":"a"}';
  const { socket, all } = await connectTo(url);
  socket.write(
    `POST /v1/ai/lease HTTP/1.0\r\n${tokens}content-length: ${body.length}\r\n\r\n${body}`,
  );
  expect(await all).toMatch(/^HTTP\/1\.1 401 /);
});

test('a body that comes in pieces is read to its end', async () => {
  const { url } = await startServe(createSandbox());
  const { socket, received } = await connectTo(url);
  const body = '{"key":"in pieces"}';
  socket.write(
    `POST /v1/ai/lease HTTP/1.1\r\nhost: a.localhost\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  for (const character of body) {
    socket.write(character);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await received('in pieces')).toMatch(/^HTTP\/1\.1 200 /);
});

test('who hangs up within a body changes nothing, and others are answered', async () => {
  const { url } = await startServe(createSandbox());
  const { socket } = await connectTo(url);
  const head = 'POST /v1/ai/lease HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n';
  await new Promise((resolve) => socket.write(`${head}{"key":"left"`, resolve));
  socket.destroy();
  const { answer } = await answerTo(url, { body: '{"key":"left"}' });
  expect(JSON.parse(answer ?? '')).toMatchObject({ status: 'acquired' });
});
