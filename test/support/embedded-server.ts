import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { onTestFinished } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import { createApp } from '../../src/server/app.ts';
import { onceOnlyRoutes } from '../../src/services/onceonly/routes.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from './sandbox.ts';

/** A clock that stands still until it is moved. */
export interface TestClock {
  (): number;
  /** @param milliseconds may be negative */
  advance(milliseconds: number): void;
}

export function createClock(start: string): TestClock {
  let now = Date.parse(start);
  return Object.assign(() => now, {
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
  });
}

export interface EmbeddedServer {
  readonly url: string;
  readonly clock: TestClock;
}

/** The embedded service on a real socket and a real SQLite file, at a time of the test's choice. */
export async function startEmbeddedServer({
  monthlyLimit = 3000,
}: {
  monthlyLimit?: number;
} = {}): Promise<EmbeddedServer> {
  const clock = createClock('2025-01-15T10:30:00Z');
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db'), clock });
  const newHandle = () => `lease_${randomBytes(16).toString('hex')}`;
  const engine = createEngine({ store, newHandle, monthlyLimit });
  const app = createApp({ routesFor: () => onceOnlyRoutes(engine) });
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve({ url: `http://127.0.0.1:${port}`, clock }),
    );
    onTestFinished(async () => {
      server.close();
      await store.close();
    });
  });
}
