import { randomBytes, randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { onTestFinished } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createApp } from '../../src/server/app.ts';
import { workOf as runnerWorkOf } from '../../src/services/askui/new-job.ts';
import { askUiRoutes } from '../../src/services/askui/routes.ts';
import { onceOnlyRoutes } from '../../src/services/onceonly/routes.ts';
import { workOf } from '../../src/services/retaia/new-job.ts';
import { retaiaRoutes } from '../../src/services/retaia/routes.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type Stored, stored } from './exec-services.ts';
import { temporaryDirectory } from './sandbox.ts';

/** The embedded service on a socket, with the real clock, to be made to fail. */
export interface ServedService {
  /** For the environment of leasectl. */
  readonly env: Readonly<Record<string, string>>;
  /** The command of leasectl that runs another one, up to its flags. */
  readonly words: readonly string[];
  /** Paths of what was asked for, in order. */
  readonly asked: readonly string[];
  /** From now on nothing is answered, and nothing done. */
  hang(): void;
  /** From now on nothing is answered until the function that it gives is called. */
  holdUp(): () => void;
  /** The next request is dealt with, but its answer does not arrive. */
  loseAnswer(): void;
  stored(): Stored | undefined;
}

/** What differs between the services. A lease on work of one that tells whole seconds lasts longer. */
const KINDS = {
  onceonly: { basePath: '', ttl: 2, words: ['exec', 'work'] },
  retaia: { basePath: '/api/v1', ttl: 3, words: ['jobs', 'exec', 'work'] },
  askui: { basePath: '', ttl: 3, words: ['runner-jobs', 'exec', '--runner-id', 'r'] },
} as const;
export type ServedName = keyof typeof KINDS;
export const SERVED: readonly ServedName[] = ['onceonly', 'retaia', 'askui'];

/** @param seconds that a lease lasts; a few without it */
export async function serveWork(name: ServedName, seconds?: number): Promise<ServedService> {
  const { basePath, words } = KINDS[name];
  const ttl = seconds ?? KINDS[name].ttl;
  const databaseFile = join(temporaryDirectory(), 'leases.db');
  const store = openSqliteStore({ file: databaseFile });
  const newHandle = () => `handle_${randomBytes(16).toString('hex')}`;
  const engine = createEngine({ store, newHandle, monthlyLimit: 1_000 });
  const common = { id: 'work', ttl: ttl * 1_000 };
  if (name === 'retaia') {
    await engine.add(
      [{ ...common, kind: 'job', work: workOf({ job_type: 'plain' }, randomUUID) }],
      NOBODY,
    );
  } else if (name === 'askui') {
    await engine.add(
      [{ ...common, kind: 'runner_job', work: runnerWorkOf({}, randomUUID) }],
      NOBODY,
    );
  }
  const routes = [...onceOnlyRoutes(engine), ...retaiaRoutes(engine), ...askUiRoutes(engine)];
  const app = createApp({ routesFor: () => routes });
  const asked: string[] = [];
  let mayAnswer: Promise<void> = Promise.resolve();
  let isLost = false;
  const fetch = async (request: Request, { incoming }: { incoming: object }) => {
    asked.push(new URL(request.url).pathname);
    await mayAnswer;
    const answer = await app.fetch(request);
    if (isLost && 'socket' in incoming && incoming.socket instanceof Socket) {
      isLost = false;
      incoming.socket.destroy();
    }
    return answer;
  };
  const url = await new Promise<string>((resolve) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve(`http://127.0.0.1:${port}`),
    );
    onTestFinished(async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      server.close();
      await store.close();
    });
  });
  return {
    env: { LEASECTL_URL: `${url}${basePath}`, LEASECTL_TOKEN: 'canary-access' },
    words: name === 'onceonly' ? [...words, '--ttl', `${ttl}s`] : words,
    asked,
    hang: () => {
      mayAnswer = new Promise(() => undefined);
    },
    holdUp: () => {
      const release = new AbortController();
      mayAnswer = new Promise((resolve) => {
        release.signal.addEventListener('abort', () => resolve());
      });
      return () => release.abort();
    },
    loseAnswer: () => {
      isLost = true;
    },
    stored: () => stored({ databaseFile }, 'work'),
  };
}
