import { expect, test } from 'vitest';
import { connectTo } from '../support/raw-connection.ts';
import { createSandbox } from '../support/sandbox.ts';
import { lease, startServe } from '../support/served.ts';

/** A request for a key, with more headers, as lines. */
function asking(key: string, headers = ''): string {
  const body = JSON.stringify({ key });
  const length = `content-length: ${body.length}`;
  return `POST /v1/ai/lease HTTP/1.1\r\nhost: localhost\r\n${length}\r\n${headers}\r\n${body}`;
}

test('who hangs up leaves nothing, however many answers wait for the first', async () => {
  const served = await startServe(createSandbox());
  const { socket, received } = await connectTo(served.url);
  socket.write('GET /admin/v1/events HTTP/1.1\r\nhost: localhost\r\nx-request-id: first\r\n\r\n');
  await received('position');
  socket.write(asking('a', 'x-request-id: second\r\n'));
  // It is done, and its answer waits for the end of what has none.
  await received('acquired');
  socket.destroy();
  const toldOf = (id: string) => served.log('request', ({ request_id }) => request_id === id);
  expect(await toldOf('first')).toMatchObject({ status: 200, route: '/admin/v1/events' });
  expect(await toldOf('second')).toMatchObject({ status: null, route: '/v1/ai/lease' });
});

test.each([
  ['', 'no request\r\n\r\n'],
  ['connection: close\r\n', '}'],
  ['', asking('other').replace('HTTP/1.1', 'HTTP/9.9')],
])('what is done is answered so, whatever comes behind it: %j, %j', async (headers, behind) => {
  const served = await startServe(createSandbox());
  const { socket, all } = await connectTo(served.url);
  socket.write(asking('a', headers) + behind);
  const told = await all;
  expect(told).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)*connection: close\r\n/i);
  expect(told).toContain('"acquired"');
  expect(await (await lease(served, 'other')).json()).toMatchObject({ status: 'acquired' });
});
