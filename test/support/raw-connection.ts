import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection on which a test says what it likes. */
export interface RawConnection {
  readonly socket: Socket;
  /** Waits until so much of it has come. */
  received(part: string): Promise<string>;
  /** All that came, once the other end has hung up. */
  readonly all: Promise<string>;
}

export async function connectTo(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    socket.emit('received');
  });
  // A hang-up in the middle of what is sent.
  socket.on('error', () => undefined);
  const all = once(socket, 'close').then(() => text);
  await once(socket, 'connect');
  return {
    socket,
    all,
    received: async (part) => {
      while (!text.includes(part) && !socket.closed) {
        await Promise.race([once(socket, 'received'), all]);
      }
      return text;
    },
  };
}
