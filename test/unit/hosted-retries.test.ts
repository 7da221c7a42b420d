import { describe, expect, test } from 'vitest';
import {
  ACQUIRED,
  clientOf,
  EXTENDED,
  extension,
  hangUp,
  NOW,
  STATUS,
  silence,
  stubbed,
} from '../support/hosted-client.ts';
import { closedUrl, type Reply } from '../support/stub-server.ts';

describe('a call that may be repeated', () => {
  test.each([408, 429, 500, 502, 503, 504, 520])(
    'is repeated after %i, when Retry-After says',
    async (status) => {
      const { client, seen } = await stubbed([
        { status, ...NOW },
        { status: 200, body: EXTENDED },
      ]);
      expect(await client.extend(extension)).toEqual(EXTENDED);
      expect(seen[1]?.body).toBe(seen[0]?.body);
    },
  );

  test('is repeated after a connection that broke', async () => {
    const { client } = await stubbed([hangUp, { status: 200, body: EXTENDED }]);
    expect(await client.extend(extension)).toEqual(EXTENDED);
  });

  test('is repeated after an answer that broke off', async () => {
    const breakOff: Reply = (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"ok": true', () => response.socket?.destroy());
    };
    const { client } = await stubbed([breakOff, { status: 200, body: EXTENDED }]);
    expect(await client.extend(extension)).toEqual(EXTENDED);
  });

  test('is given up when the service asks for more patience than there is', async () => {
    const { client } = await stubbed([{ status: 429, headers: { 'retry-after': '120' } }]);
    await expect(client.extend(extension)).rejects.toMatchObject({
      code: 'unavailable',
      status: 429,
      hint: expect.stringContaining('in 2m.'),
    });
  });

  test.each(['soon', '-5', '1h', '', 'Wed, 21 Oct 2015 07:28:00 GMT'])(
    'is repeated, not at once but soon, after a Retry-After of %j',
    async (value) => {
      const reply = { status: 429, headers: { 'retry-after': value } };
      const { client } = await stubbed([reply, { status: 200, body: EXTENDED }]);
      expect(await client.extend(extension)).toEqual(EXTENDED);
    },
  );

  test('is given up in time when no answer comes', async () => {
    const { client } = await stubbed([silence, silence, silence], 300);
    await expect(client.extend(extension)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/within \d\.\d s/),
      outcomeUnknown: true,
    });
  });

  test('is given up in the end', async () => {
    const replies = Array.from({ length: 6 }, () => ({ status: 503, ...NOW }));
    const { client } = await stubbed(replies);
    await expect(client.status('k')).rejects.toMatchObject({ code: 'unavailable', status: 503 });
  });
});

describe('an acquisition at a service that does not know repetitions', () => {
  test('is repeated after 429, which says that it was not taken', async () => {
    const { client, seen } = await stubbed([
      { status: 429, ...NOW },
      { status: 200, body: ACQUIRED },
    ]);
    expect(await client.lease({ key: 'k' }, 'i')).toEqual(ACQUIRED);
    expect(seen[1]?.headers['idempotency-key']).toBe('i');
  });

  test.each([
    ['a connection that broke', hangUp],
    ['a 502', { status: 502, body: 'bad gateway' }],
    ['a 408', { status: 408, body: 'too slow' }],
  ])(
    'is not repeated after %s: the outcome is unknown, and the state is told',
    async (_, reply) => {
      const { client } = await stubbed([reply, { status: 200, body: STATUS }]);
      await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
        code: 'unavailable',
        outcomeUnknown: true,
        message: expect.stringMatching(/unknown; the key is now in progress for 1m 30s more\.$/),
      });
    },
  );

  test('says so too when the key is not held', async () => {
    const gone = { status: 404, body: { detail: { error: 'not_found', message: 'No.' } } };
    const { client } = await stubbed([hangUp, gone]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      message: expect.stringContaining('the key is now not held'),
    });
  });

  test('is unknown too after an answer that is not understood', async () => {
    const garbage = { status: 200, body: '{"ok": tru' };
    const { client } = await stubbed([garbage, { status: 200, body: STATUS }]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.stringContaining('the key is now in progress for 1m 30s more.'),
    });
  });

  test('leaves time to ask for the state, within the whole', async () => {
    const { client } = await stubbed([silence, { status: 200, body: STATUS }], 1_500);
    const begun = performance.now();
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      message: expect.stringContaining('the key is now in progress'),
    });
    expect(performance.now() - begun).toBeLessThan(1_500);
  });

  test('may take nearly as long as the whole call', async () => {
    const { client } = await stubbed(
      [
        (_, response) => {
          setTimeout(() => response.end(JSON.stringify(ACQUIRED)), 400);
        },
      ],
      1_500,
    );
    expect(await client.lease({ key: 'k' }, 'i')).toEqual(ACQUIRED);
  });

  test('stays within the whole also after it was put off', async () => {
    const busy: Reply = { status: 429, headers: { 'retry-after': '0' } };
    const { client } = await stubbed([busy, silence, silence], 1_500);
    const begun = performance.now();
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      message: expect.stringContaining('in a state that could not be read'),
    });
    // Not much: as many milliseconds as another third of it would be are too many.
    expect(performance.now() - begun).toBeLessThan(1_900);
  });

  test('of a tool leaves unknown whether it ran', async () => {
    const { client } = await stubbed([hangUp]);
    await expect(client.runTool({ agent_id: 'a', tool: 'mail' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/lost the connection .* Whether mail ran is unknown\.$/),
      outcomeUnknown: true,
    });
  });

  test.each([307, 404])('that met somebody else, who answers %i, is no mystery', async (status) => {
    const { client } = await stubbed([{ status, body: '<p>Elsewhere</p>' }]);
    await expect(client.lease({ key: 'k' }, 'i')).rejects.toMatchObject({
      code: 'bad_response',
      message: expect.not.stringContaining('unknown'),
    });
  });

  test('that never left is no mystery', async () => {
    await expect(clientOf(await closedUrl(), 1_000).lease({ key: 'k' }, 'i')).rejects.toMatchObject(
      {
        code: 'unavailable',
        message: expect.stringContaining('ECONNREFUSED'),
        outcomeUnknown: false,
      },
    );
  });
});
