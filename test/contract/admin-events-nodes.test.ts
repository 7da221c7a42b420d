import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/engine/store.ts';
import { engineOn } from '../../src/engines.ts';
import {
  adminOf,
  type EventNode,
  leaseKey,
  openFile,
  startListening,
  startNode,
  tokenFor,
} from '../support/event-service.ts';
import { parseMetrics, sampleOf } from '../support/prometheus.ts';

async function started(store: Store = openFile()) {
  const { token, revoke } = await tokenFor(store);
  const node = await startNode(store);
  const streams = async () => {
    const headers = { authorization: `Bearer ${token}` };
    const text = await (await fetch(`${node.url}/metrics`, { headers })).text();
    return sampleOf(parseMetrics(text), 'leasectl_event_streams', { namespace: 'default' });
  };
  return { store, token, revoke, node, streams };
}

/** Asks for events, and reads none of them. */
async function stall({ url }: EventNode, token: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(
    `GET /admin/v1/events HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
}

/** Leases that make events of 100 kB in all, or more, so many times. */
async function fill(store: Store, times: number): Promise<void> {
  const engine = engineOn(store);
  const long = 'x'.repeat(400);
  for (let round = 0; round < times; round += 1) {
    const all = Array.from({ length: 200 }, (_, index) => `${long}-${round}-${index}`);
    await Promise.all(all.map((id) => leaseKey(engine, id)));
  }
}

/** The same store, the looks of which are counted. */
function counting(store: Store): Store & { looks: number } {
  const counted = {
    looks: 0,
    within: (namespace: string): Store => {
      const own = store.within(namespace);
      return {
        ...wrapped(own),
        read: (work) => {
          counted.looks += 1;
          return own.read(work);
        },
      };
    },
  };
  return Object.assign(wrapped(store), counted, {
    get looks() {
      return counted.looks;
    },
  });
}

function wrapped(store: Store): Store {
  return {
    within: (namespace) => store.within(namespace),
    read: (work) => store.read(work),
    write: (work) => store.write(work),
    sweep: (options) => store.sweep(options),
    check: () => store.check(),
    close: () => store.close(),
  };
}

describe('a node', () => {
  test('ends the stream of a token that is revoked, within seconds', async () => {
    const { token, revoke, node, streams, store } = await started();
    const { token: other } = await tokenFor(store, 'default', 'other');
    const listener = startListening(adminOf(node.url, token));
    const kept = startListening(adminOf(node.url, other));
    await Promise.all([listener.connected(), kept.connected()]);
    expect(await streams()).toBe(2);
    await revoke();
    const begun = performance.now();
    expect(await listener.end).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(performance.now() - begun).toBeLessThan(8_000);
    await leaseKey(store, 'k');
    await kept.heard(1);
    expect([listener.events, kept.states]).toEqual([[], ['connected']]);
  });

  test('knows at once who hung up', async () => {
    const { token, node, streams } = await started();
    const listeners = [1, 2, 3].map(() => startListening(adminOf(node.url, token)));
    await Promise.all(listeners.map(({ connected }) => connected()));
    expect(await streams()).toBe(3);
    for (const { stop } of listeners) stop();
    expect(await Promise.all(listeners.map(({ end }) => end))).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    await expect.poll(streams).toBe(0);
    const lines = () => node.log.filter(({ route }) => route === '/admin/v1/events');
    await expect.poll(() => lines().length).toBe(3);
    for (const line of lines()) {
      expect(line).toMatchObject({ status: 200, caller: 'watcher', msg: 'request' });
      expect(line['ms']).toBeLessThan(1_000);
      expect(line['streamed_ms']).toEqual(expect.any(Number));
    }
  });

  test('stops at once, whoever listens, be it without reading', async () => {
    const { token, node, store } = await started();
    const listeners = Array.from({ length: 5 }, () => startListening(adminOf(node.url, token)));
    await Promise.all(listeners.map(({ connected }) => connected()));
    await stall(node, token);
    // More than the buffers of two sockets take.
    await fill(store, 60);
    await Promise.all(listeners.map(({ heard }) => heard(12_000)));
    const begun = performance.now();
    expect(await node.stop(20_000)).toBe(0);
    expect(performance.now() - begun).toBeLessThan(2_000);
    for (const { events } of listeners)
      expect(new Set(events.map(({ id }) => id)).size).toBe(12_000);
  }, 30_000);

  test('looks for all its listeners at once', async () => {
    const store = counting(openFile());
    const { token, node } = await started(store);
    const listeners = Array.from({ length: 100 }, () => startListening(adminOf(node.url, token)));
    await Promise.all(listeners.map(({ connected }) => connected()));
    const [before, begun] = [store.looks, performance.now()];
    const engine = engineOn(store);
    const ids = Array.from({ length: 20 }, (_, index) => `k${index}`);
    for (const id of ids) await leaseKey(engine, id);
    await Promise.all(listeners.map(({ heard }) => heard(20)));
    const intervals = Math.ceil((performance.now() - begun) / 250);
    // One more where it was looked right before, and one for the token, which all have.
    expect(store.looks - before).toBeLessThanOrEqual(2 * intervals + 2);
    for (const { events } of listeners) expect(events.map(({ id }) => id)).toEqual(ids);
  });
});
