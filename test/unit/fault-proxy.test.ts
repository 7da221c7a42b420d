import { expect, onTestFinished, test } from 'vitest';
import { type Fault, startFaultProxy } from '../support/fault-proxy.ts';
import { createRandom } from '../support/random.ts';
import { startLastingStub } from '../support/stub-server.ts';

async function startFaulty(fault: Fault, probability = 1) {
  const { url, seen } = await startLastingStub({ status: 201, body: { done: true } });
  const proxy = await startFaultProxy({
    target: url,
    random: createRandom(1),
    probability: () => probability,
    freeze: 100,
    faults: () => [fault],
  });
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const ask = (signal = closing.signal) =>
    fetch(`${proxy.url}/do?it=1`, { method: 'POST', body: 'now', signal });
  return { proxy, seen, ask };
}

const asked = [expect.objectContaining({ method: 'POST', url: '/do?it=1', body: 'now' })];

test('what is not disturbed passes as it is', async () => {
  const { proxy, seen, ask } = await startFaulty('drop', 0);
  const answer = await ask();
  expect([answer.status, await answer.json()]).toEqual([201, { done: true }]);
  expect(seen).toEqual(asked);
  expect(proxy.faults.drop).toBe(0);
});

test.each<[Fault, number]>([
  ['delay', 50],
  ['freeze', 100],
])('%s: the answer is late', async (fault, least) => {
  const { proxy, seen, ask } = await startFaulty(fault);
  const begun = performance.now();
  expect((await ask()).status).toBe(201);
  // Timers may be a millisecond early.
  expect(performance.now() - begun).toBeGreaterThan(least - 2);
  expect(seen).toEqual(asked);
  expect(proxy.faults[fault]).toBe(1);
});

test.each<[Fault, number, string | null]>([
  ['error500', 500, null],
  ['error503', 503, null],
  ['limit', 429, '1'],
])('%s: the service hears nothing of it', async (fault, status, retryAfter) => {
  const { proxy, seen, ask } = await startFaulty(fault);
  const answer = await ask();
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([status, retryAfter]);
  expect(seen).toEqual([]);
  proxy.calm();
  expect((await ask()).status).toBe(201);
  expect(proxy.faults[fault]).toBe(1);
});

test.each<[Fault, readonly unknown[]]>([
  ['reset', []],
  ['lost', asked],
])('%s: the connection ends', async (fault, heard) => {
  const { proxy, seen, ask } = await startFaulty(fault);
  await expect(ask()).rejects.toThrow('fetch failed');
  expect(seen).toEqual(heard);
  proxy.calm();
  expect((await ask()).status).toBe(201);
});

test('drop: nobody ever answers', async () => {
  const { proxy, seen, ask } = await startFaulty('drop');
  await expect(ask(AbortSignal.timeout(200))).rejects.toThrow('timeout');
  expect(seen).toEqual([]);
  proxy.calm();
  expect((await ask()).status).toBe(201);
});

test('the same seed chooses the same', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return [
      random.next(),
      random.pick([1, 2, 3]),
      random.fork().next(),
      random.shuffled([1, 2, 3]),
    ];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  const random = createRandom(7);
  const shares = Array.from({ length: 10_000 }, () => Math.floor(random.next() * 10));
  for (const share of [0, 9]) {
    const count = shares.filter((it) => it === share).length;
    expect(Math.abs(count - 1_000)).toBeLessThan(150);
  }
});
