// Many connections that each ask for one thing after the other, over bare sockets: what asks must not
// take more time than what answers.
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A connection of which one answer is awaited at a time.
 *
 * @param lengthOf how long the answer is that a buffer begins with; undefined as long as that is not known
 */
export async function openConnection(port, lengthOf) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let pending = Buffer.alloc(0);
  let waiting;
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    const length = lengthOf(pending);
    if (length === undefined || pending.length < length) return;
    const answer = pending.subarray(0, length);
    pending = pending.subarray(length);
    waiting.resolve(answer);
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the connection was closed')));
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(question);
      }),
    close: () => {
      waiting = undefined;
      socket.destroy();
    },
  };
}

export function httpLengthOf(buffer) {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, length] = /content-length: *(\d+)/i.exec(buffer.latin1Slice(0, end)) ?? [];
  if (length === undefined) throw new Error('an answer that does not tell its length');
  return end + 4 + Number(length);
}

export function httpPost(path, body) {
  const content = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`;
}

/**
 * Runs workers side by side for so long.
 *
 * @returns what they did in a second; half of them, and 99 of 100, took no longer than these milliseconds
 */
export async function load(workers, milliseconds) {
  const times = [];
  const begun = performance.now();
  const end = begun + milliseconds;
  await Promise.all(
    workers.map(async (work) => {
      for (let now = performance.now(); now < end; ) {
        await work();
        const after = performance.now();
        times.push(after - now);
        now = after;
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1_000;
  times.sort((one, other) => one - other);
  const within = (share) => times[Math.floor(times.length * share)] ?? 0;
  return { rate: times.length / seconds, p50: within(0.5), p99: within(0.99) };
}
