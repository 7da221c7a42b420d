import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { Store } from '../../src/engine/store.ts';
import { accessOn, engineOn } from '../../src/engines.ts';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import { createService } from '../../src/serve/service.ts';
import { type Listening, listen } from '../../src/server/listen.ts';
import { createLog } from '../../src/server/log.ts';
import { type AdminClient, createAdminClient } from '../../src/services/admin/client.ts';
import type { FollowHooks, FollowQuery } from '../../src/services/admin/follow.ts';
import type { EventInfo } from '../../src/services/admin/wire.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { temporaryDirectory } from './sandbox.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** A node of what leasectl serves, in the process of the test. */
export interface EventNode {
  readonly url: string;
  readonly log: readonly LogLine[];
  /** As at a signal. @returns how many requests were cut off */
  stop(patience?: number): Promise<number>;
}

export const BY = { caller: 'test', requestId: null };

export function openFile(): Store {
  const store = openSqliteStore({ file: join(temporaryDirectory(), 'leases.db') });
  onTestFinished(() => store.close());
  return store;
}

export async function startNode(store: Store, port = 0): Promise<EventNode> {
  const log: LogLine[] = [];
  const service = createService({
    ...{ store, rate: 0, capacity: 1_000_000, isGuarded: true, faults: undefined },
    openApi: async () => '{}',
    log: createLog(
      (line) => log.push(JSON.parse(line)),
      'info',
      (text) => text,
    ),
  });
  const listening = await listen({ ...service, host: '127.0.0.1', port, keyPair: undefined });
  let stopped: Promise<number> | undefined;
  const stop = (patience = 5_000) => {
    stopped ??= ended(service, listening, patience);
    return stopped;
  };
  onTestFinished(async () => void (await stop(0)));
  return { url: listening.url, log, stop };
}

function ended(
  service: Pick<ReturnType<typeof createService>, 'beginStop'>,
  listening: Listening,
  patience: number,
): Promise<number> {
  service.beginStop();
  listening.beginDrain();
  return listening.close(patience);
}

/** A token for all that the scopes are for, and its client. */
export async function tokenFor(store: Store, namespace = 'default', name = 'watcher') {
  const access = accessOn(store, namespace);
  const added = await access.addToken({ name, scopes: ['admin', 'metrics'], lifetime: undefined });
  if (!added) throw new Error('the name is taken');
  return { token: added.secret, revoke: () => access.revokeToken(name) };
}

export function adminOf(url: string, token: string): AdminClient {
  const transport = createKyTransport({
    ...{ service: 'leasectl', baseUrl: new URL(url), authorization: `Bearer ${token}` },
    ...{ userAgent: 'leasectl/test', timeout: 5_000 },
  });
  return createAdminClient({ transport, clean: (text) => text.replaceAll(token, '***') });
}

/** Somebody who listens until the end of the test. */
export interface Listener {
  readonly events: readonly EventInfo[];
  /** What became of the connection: `connected`, or why it was lost. */
  readonly states: readonly string[];
  /** Waits until so many events have come. */
  heard(count: number): Promise<readonly EventInfo[]>;
  /** Waits until it was connected so many times. */
  connected(times?: number): Promise<void>;
  /** What ended it; undefined where it was ended. */
  readonly end: Promise<unknown>;
  stop(): void;
}

export function startListening(
  client: Pick<AdminClient, 'follow'>,
  query: FollowQuery = {},
  hooks: Pick<FollowHooks, 'patience'> = {},
): Listener {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const events: EventInfo[] = [];
  const states: string[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const go of waiting) go();
  };
  const tell = (state: string) => {
    states.push(state);
    wake();
  };
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        const go = () => {
          waiting.delete(go);
          resolve();
        };
        waiting.add(go);
      });
    }
  };
  const run = async () => {
    const told = {
      ...hooks,
      onConnected: () => tell('connected'),
      onLost: ({ message }: Error) => tell(message),
    };
    try {
      for await (const event of client.follow(query, ending.signal, told)) {
        events.push(event);
        wake();
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return {
    ...{ events, states, end: run(), stop: () => ending.abort() },
    heard: async (count) => {
      await until(() => events.length >= count);
      return events;
    },
    connected: (times = 1) =>
      until(() => states.filter((state) => state === 'connected').length >= times),
  };
}

/** Leases a key. */
export async function leaseKey(store: Store | Engine, id: string, ttl = 60_000): Promise<void> {
  const engine = 'acquire' in store ? store : engineOn(store);
  const request = { metadata: null, idempotencyKey: null, requestHash: null };
  await engine.acquire({ kind: 'key', id, ttl, ...request }, BY);
}
