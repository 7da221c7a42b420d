import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import {
  openPostgresStore,
  type PostgresOptions,
} from '../../src/store/postgres/postgres-store.ts';

/** Opens a store until the end of the test. */
export function openStore(url: string, options: Partial<PostgresOptions> = {}): Store {
  const store = openPostgresStore({ url, env: {}, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Stands between a store and its database, and cuts what it is told to cut. */
export interface Cutter {
  /** The database as it is reached through it. */
  readonly url: string;
  /**
   * From now on the connection ends with the first message to the database that contains the text.
   *
   * @param isPassedOn whether the database still gets it
   */
  cutAt(text: string, isPassedOn: boolean): void;
}

/** Puts somebody between a store and its database, until the end of the test. */
export async function startCutter(url: string): Promise<Cutter> {
  const target = new URL(url);
  const port = Number(target.port);
  let trap: { readonly text: string; readonly isPassedOn: boolean } | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = dial(port, target.hostname);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => database.end());
    database.on('close', () => client.destroy());
    client.on('data', (chunk) => {
      const sprung = trap && chunk.includes(trap.text) ? trap : undefined;
      if (!sprung) return database.write(chunk);
      trap = undefined;
      database.unpipe(client);
      if (sprung.isPassedOn) database.end(chunk);
      else database.destroy();
      return client.destroy();
    });
    database.pipe(client);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  target.port = String(await listen(server));
  return {
    url: target.href,
    cutAt: (text, isPassedOn) => {
      trap = { text, isPassedOn };
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
