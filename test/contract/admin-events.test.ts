import { describe, expect, onTestFinished, test } from 'vitest';
import { createFeed } from '../../src/engine/feed.ts';
import { engineOn } from '../../src/engines.ts';
import { pause } from '../../src/server/pause.ts';
import { eventRoute } from '../../src/services/admin/event-routes.ts';
import { EventInfo } from '../../src/services/admin/wire.ts';
import {
  adminOf,
  BY,
  type EventNode,
  leaseKey,
  openFile,
  startListening,
  startNode,
  tokenFor,
} from '../support/event-service.ts';

async function started() {
  const store = openFile();
  const { token } = await tokenFor(store);
  return { store, token, node: await startNode(store) };
}

/** Asks for events, and reads them piece by piece. */
async function listen({ url }: Pick<EventNode, 'url'>, token: string, query = '', after = '') {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const response = await fetch(`${url}/admin/v1/events${query}`, {
    headers: { authorization: `Bearer ${token}`, ...(after ? { 'last-event-id': after } : {}) },
    signal: ending.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader?.read())?.value ?? '';
  return { response, next };
}

const idIn = (text: string) => /^id: (.*)$/m.exec(text)?.[1] ?? '';

describe('a stream of events', () => {
  test('begins with a place, and tells what the history has', async () => {
    const { store, token, node } = await started();
    await leaseKey(store, 'before');
    const { response, next } = await listen(node, token);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    expect(await next()).toMatch(/^id: \S+\nevent: position\ndata: \{\}\n\n$/);
    await leaseKey(store, 'k\nevil: \u2028é');
    const told = await next();
    const [, data = ''] = /^id: \S+\nevent: acquired\ndata: ([^\n]*)\n\n$/.exec(told) ?? [];
    expect(EventInfo.safeParse(JSON.parse(data)).error).toBeUndefined();
    const { events } = await adminOf(node.url, token).history({ limit: '1' });
    expect([JSON.parse(data)]).toEqual(events);
  });

  test('has a place behind what became visible together, from which it goes on', async () => {
    const { store, token, node } = await started();
    const first = await listen(node, token);
    const place = idIn(await first.next());
    const engine = engineOn(store);
    const work = { pool: 'p', workspace: null, tags: [], runners: [], maxTries: null, data: {} };
    const jobs = ['a', 'b', 'c'].map((id) => ({ kind: 'job', id, ttl: 1_000, work }) as const);
    await engine.add(jobs, BY);
    const told = await first.next();
    expect(told.match(/^(id|event):.*$/gm)).toEqual([
      ...['event: added', 'event: added', `id: ${idIn(told)}`, 'event: added'],
    ]);
    const again = await listen(node, token, '', place);
    expect(await again.next()).toBe(told);
    const later = await listen(node, token, '', idIn(told));
    expect(await later.next()).toBe(`id: ${idIn(told)}\nevent: position\ndata: {}\n\n`);
  });

  test.each([
    ['?kind=job', ['added']],
    ['?id=k', ['acquired', 'canceled']],
    ['?id=k&type=canceled,broken', ['canceled']],
    ['?type=added,canceled', ['added', 'canceled']],
  ])('has what it was asked for: %s', async (query, types) => {
    const { store, token, node } = await started();
    const { next } = await listen(node, token, query);
    await next();
    const engine = engineOn(store);
    await leaseKey(store, 'other');
    await leaseKey(store, 'k');
    const work = { pool: 'p', workspace: null, tags: [], runners: [], maxTries: null, data: {} };
    await engine.add([{ kind: 'job', id: 'j', ttl: 1_000, work }], BY);
    const { lease } = await engine.look('key', 'k');
    const cancel = { type: 'finish', way: 'cancel', handle: lease?.handle ?? '' } as const;
    const nothing = { result: null, resultHash: null, errorCode: null, errorHash: null };
    await engine.change('key', 'k', { ...cancel, ...nothing }, BY);
    let told = '';
    while ((told.match(/^event:/gm) ?? []).length < types.length) told += await next();
    expect(told.match(/(?<=^event: ).*$/gm)).toEqual(types);
  });

  test('has nothing of another namespace', async () => {
    const { store, token, node } = await started();
    const { token: foreign } = await tokenFor(store, 'other');
    const own = startListening(adminOf(node.url, token));
    const other = startListening(adminOf(node.url, foreign));
    await Promise.all([own.connected(), other.connected()]);
    await leaseKey(store, 'own');
    await leaseKey(store.within('other'), 'other');
    await Promise.all([own.heard(1), other.heard(1)]);
    expect(own.events.map(({ id }) => id)).toEqual(['own']);
    expect(other.events.map(({ id }) => id)).toEqual(['other']);
  });

  test('is not begun by who only asks for its headers', async () => {
    const { token, node } = await started();
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${node.url}/admin/v1/events`, { method: 'HEAD', headers });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

test('silence is broken by a sign of life, with a place where there is another one', async () => {
  const store = openFile();
  const engine = engineOn(store);
  const route = eventRoute(createFeed({ ...engine, pause }), 20);
  const request = { params: {}, header: () => undefined, body: '', by: BY };
  const answer = await route.handle({ ...request, query: new URLSearchParams('id=k') });
  const ending = new AbortController();
  const pieces = answer.pieces?.(ending.signal)[Symbol.asyncIterator]();
  const next = async () => String((await pieces?.next())?.value);
  const first = await next();
  expect(first).toContain('event: position');
  expect(await next()).toBe(': alive\n\n');
  await leaseKey(store, 'another');
  let piece = await next();
  while (piece === ': alive\n\n') piece = await next();
  expect(piece).toContain('event: position');
  expect(idIn(piece)).not.toBe(idIn(first));
  expect(await next()).toBe(': alive\n\n');
  ending.abort();
  while (!(await pieces?.next())?.done);
});
