import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { sourceOf } from '../../src/http/exchange.ts';
import { createKyTransport } from '../../src/http/ky-transport.ts';
import { createTrace } from '../../src/http/trace.ts';
import { type FollowHooks, type FollowQuery, follow } from '../../src/services/admin/follow.ts';
import type { EventInfo } from '../../src/services/admin/wire.ts';
import { closedUrl, type Reply, startLastingStub, startStub } from '../support/stub-server.ts';

const TOKEN = 'canary-token';

const infoOf = (sequence: number) => ({
  ...{ sequence, kind: 'key', id: 'k', type: 'extended', at: '2025-01-15T10:30:00.000Z' },
  ...{ before: 'held', after: 'held', fencing_token: 1, version: sequence },
  ...{ caller: null, request_id: null, detail: null },
});
const eventOf = (sequence: number, id?: string) =>
  `${id ? `id: ${id}\n` : ''}event: extended\ndata: ${JSON.stringify(infoOf(sequence))}\n\n`;
const position = (id: string) => `id: ${id}\nevent: position\ndata: {}\n\n`;

/** Tells something, and keeps the line open, or hangs up. */
const tells =
  (text: string, then: (response: ServerResponse) => void = () => undefined): Reply =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(text, () => then(response));
  };
const ends = (response: ServerResponse) => void response.end();
const breaks = (response: ServerResponse) => void response.socket?.destroy();

interface Followed {
  readonly events: readonly number[];
  readonly states: readonly string[];
  readonly end: Promise<unknown>;
  readonly trace: readonly string[];
}

interface Asked extends FollowHooks {
  readonly query?: FollowQuery;
  readonly silence?: number;
  /** Events after which it is ended. */
  readonly most?: number;
}

function listen(url: string, { query = {}, silence, most, ...hooks }: Asked = {}): Followed {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const clean = (text: string) => text.replaceAll(TOKEN, '***');
  const trace: string[] = [];
  const transport = createKyTransport({
    ...{ service: 'leasectl', baseUrl: new URL(url), authorization: `Bearer ${TOKEN}` },
    ...{ userAgent: 'leasectl/test', timeout: 300 },
    trace: createTrace({ write: (lines) => trace.push(...lines), clean }),
  });
  const events: number[] = [];
  const states: string[] = [];
  const told: FollowHooks = {
    ...hooks,
    onConnected: () => states.push('connected'),
    onLost: ({ message }) => states.push(message),
  };
  const options = { transport, clean, delays: [1, 4] as const, ...(silence ? { silence } : {}) };
  const run = async () => {
    try {
      for await (const { sequence } of follow(query, ending.signal, told, options)) {
        events.push(sequence);
        if (events.length === most) ending.abort();
      }
      return 'ended';
    } catch (error) {
      return error;
    }
  };
  return { events, states, end: run(), trace };
}

describe('following', () => {
  test('goes on behind the last place, and leaves out what was told since', async () => {
    const stub = await startStub(
      tells(position('p1') + eventOf(1) + eventOf(2, 'p2') + eventOf(3), ends),
      tells(eventOf(3) + eventOf(4, 'p4'), breaks),
      tells(position('p4') + eventOf(5, 'p5')),
    );
    const query = { kind: 'key', id: 'a/b', type: 'extended,broken', after: 'p0' } as const;
    const followed = listen(stub.url, { query, most: 5 });
    expect(await followed.end).toBe('ended');
    expect(followed.events).toEqual([1, 2, 3, 4, 5]);
    expect(stub.seen.map(({ headers }) => headers['last-event-id'])).toEqual(['p0', 'p2', 'p4']);
    const search = '?kind=key&id=a%2Fb&type=extended%2Cbroken';
    for (const { url, headers } of stub.seen) {
      expect(url).toBe(`/admin/v1/events${search}`);
      expect(headers).toMatchObject({ accept: 'text/event-stream', authorization: /canary/ });
    }
    expect(followed.states.filter((state) => state === 'connected')).toHaveLength(3);
    expect(followed.states).toContain('leasectl: the stream of events ended.');
  });

  test('tries again as long as it may before the first connection, and then for ever', async () => {
    const away: Reply = { status: 503, body: { error: { code: 'crowded', message: 'Full.' } } };
    const stub = await startStub(away, away, tells(position('p'), ends), away, tells(eventOf(1)));
    const followed = listen(stub.url, { patience: 5_000, most: 1 });
    expect(await followed.end).toBe('ended');
    expect(followed.states).toEqual([
      ...['connected', 'leasectl: the stream of events ended.', 'connected'],
    ]);
  });

  test('waits as long as it is asked to', async () => {
    const limited: Reply = { status: 429, headers: { 'retry-after': '1' }, body: {} };
    const stub = await startStub(limited, tells(eventOf(1)));
    const begun = performance.now();
    expect(await listen(stub.url, { patience: 5_000, most: 1 }).end).toBe('ended');
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  test('gives up at once where nobody is there, unless it is to be patient', async () => {
    const url = await closedUrl();
    expect(await listen(url).end).toMatchObject({ code: 'unavailable' });
    const begun = performance.now();
    expect(await listen(url, { patience: 100 }).end).toMatchObject({ code: 'unavailable' });
    expect(performance.now() - begun).toBeGreaterThan(80);
  });

  test('takes long silence for a lost connection', async () => {
    const stub = await startStub(tells(position('p')), tells(eventOf(1)));
    const followed = listen(stub.url, { silence: 50, most: 1 });
    expect(await followed.end).toBe('ended');
    expect(followed.states).toEqual([
      ...['connected', expect.stringMatching(/^leasectl: no answer from .* within/), 'connected'],
    ]);
    expect(stub.seen[1]?.headers['last-event-id']).toBe('p');
  });

  test('does not wait for ever for an answer to begin', async () => {
    const stub = await startLastingStub(() => undefined);
    const failure = await listen(stub.url).end;
    expect(failure).toMatchObject({ code: 'unavailable' });
    expect(String(failure)).toContain('within 0.3 s');
  });

  const refusal = (code: string) => ({ error: { code, message: `Not for ${TOKEN}.` } });
  test.each<[string, Reply, object]>([
    [
      'a token that is none',
      { status: 401, body: refusal('unauthorized') },
      { code: 'unauthorized' },
    ],
    ['one for less', { status: 403, body: refusal('forbidden') }, { code: 'unauthorized' }],
    [
      'a wrong place',
      { status: 422, body: refusal('invalid_request') },
      { code: 'invalid_request' },
    ],
    ['a redirect', { status: 302, headers: { location: '/x' } }, { code: 'bad_response' }],
    ['a service that has none', { status: 404, body: {} }, { code: 'bad_response', status: 404 }],
    ['what is no stream', { status: 200, body: { events: [] } }, { code: 'bad_response' }],
    ['another event', tells('event: broken\ndata: {"id": 1}\n\n'), { code: 'bad_response' }],
    ['no JSON', tells('event: broken\ndata: {\n\n'), { code: 'bad_response' }],
    ['an endless event', tells(`data: ${'x'.repeat(2 * 1024 * 1024)}`), { code: 'bad_response' }],
  ])('ends with %s', async (_, reply, failure) => {
    const stub = await startStub(reply);
    const { end, trace } = listen(stub.url, { patience: 5_000 });
    const thrown = await end;
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject(failure);
    expect(`${thrown} ${Object(thrown).hint} ${trace.join(' ')}`).not.toContain(TOKEN);
  });

  test('leaves out what later services tell', async () => {
    const later = 'event: moved\ndata: {"to": "elsewhere"}\n\nevent: hello\ndata: hi\n\n';
    const stub = await startStub(tells(later + eventOf(1)));
    expect(await listen(stub.url, { most: 1 }).end).toBe('ended');
  });

  test('keeps the text of an event, on one line', async () => {
    const text = JSON.stringify({ ...infoOf(1), more: 1e21 }).replace(
      '1e+21',
      '1000000000000000000001',
    );
    const lines = text.replace(',"kind"', ',\n  "kind"').split('\n');
    const data = lines.map((line) => `data: ${line}\n`).join('');
    const stub = await startStub(tells(`event: extended\n${data}\n`));
    const transport = createKyTransport({
      ...{ service: 'leasectl', baseUrl: new URL(stub.url), userAgent: 'test', timeout: 300 },
    });
    const ending = new AbortController();
    const clean = (value: string) => value;
    const told: EventInfo[] = [];
    for await (const event of follow({}, ending.signal, {}, { transport, clean })) {
      told.push(event);
      ending.abort();
    }
    expect(told.map(sourceOf)).toEqual([lines.join(' ')]);
  });
});
