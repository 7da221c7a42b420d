import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readEvents, type SentEvent } from '../../src/http/server-sent-events.ts';

async function* pieces(...texts: readonly string[]) {
  yield* texts;
}

async function all(...texts: readonly string[]): Promise<SentEvent[]> {
  const events: SentEvent[] = [];
  for await (const some of readEvents(pieces(...texts), 'leasectl')) events.push(...some);
  return events;
}

test('a stream is read as the standard says', async () => {
  const text = [
    ': a comment\nid: 1\nevent: a\ndata: one\n\n',
    'data: two\r\ndata:  lines\r\n\r\n',
    'id: 2\n\nretry: 10\nunknown: x\n\nevent: b\ndata\n\nevent: c\ndata: cut of',
  ].join('');
  expect(await all(text)).toEqual([
    { type: 'a', data: 'one', id: '1' },
    { type: 'message', data: 'two\n lines', id: undefined },
    { type: 'b', data: '', id: undefined },
  ]);
});

test('it is the same however it comes', async () => {
  const event = fc.record({
    type: fc.constantFrom('acquired', 'position'),
    data: fc.string({ unit: 'binary' }).map((value) => JSON.stringify({ value })),
    id: fc.option(fc.constantFrom('1', '2:3'), { nil: undefined }),
  });
  const cuts = fc.array(fc.nat(500), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.array(event), cuts, async (events, places) => {
      const text = events
        .map(({ type, data, id }) => `${id ? `id: ${id}\n` : ''}event: ${type}\ndata: ${data}\n\n`)
        .join('');
      const ends = [0, ...places.map((at) => Math.min(at, text.length)), text.length];
      const sorted = ends.toSorted((one, other) => one - other);
      const parts = sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
      expect(await all(...parts)).toEqual(events);
    }),
  );
});

test('an event that does not end fills no memory', async () => {
  let given = 0;
  async function* endless() {
    yield 'data: ';
    for (;;) {
      given += 1;
      yield 'x'.repeat(64 * 1024);
    }
  }
  const read = async () => {
    for await (const _ of readEvents(endless(), 'leasectl'));
  };
  await expect(read()).rejects.toMatchObject({ code: 'bad_response' });
  expect(given).toBeLessThan(20);
});
