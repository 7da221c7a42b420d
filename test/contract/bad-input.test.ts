import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject } from '../../src/domain/json.ts';
import type { Kind } from '../../src/engine/lease.ts';
import { anything } from '../support/fuzz/anything.ts';
import { broken } from '../support/fuzz/breaking.ts';
import { type RawRequest, rawOf } from '../support/fuzz/request.ts';
import { type Scene, setScene } from '../support/fuzz/scene.ts';
import { strange } from '../support/fuzz/strange.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

/** For each dialect, of each sort. More, for a longer search by hand. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 6_000);
/** What is only another store behind the same handlers gets less. */
const FEWER = Math.ceil(REQUESTS / 10);
/** Each of these is about things of its own, which have to be made. */
const STRANGE = Math.ceil(REQUESTS / 100);

const DIALECTS: readonly (readonly [string, Kind | 'admin'])[] = [
  ['OnceOnly', 'key'],
  ['Retaia', 'job'],
  ['AskUI', 'runner_job'],
  ['the administration', 'admin'],
];

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.remove());

describe.each([
  ['SQLite', REQUESTS, () => setScene()],
  ['PostgreSQL', FEWER, () => setScene(postgres)],
] as const)('%s', (_, numRuns, set) => {
  describe.each(DIALECTS)('%s', (_, kind) => {
    const timeout = 60_000 + numRuns * 40;

    test('refuses what is wrong in one place, and changes nothing', { timeout }, async () => {
      const { victims, send, version, stateOf } = await set();
      const all = [...victims.kept, victims.waiting];
      const before = await stateOf(all);
      const written = await version();
      const requests = fc.oneof(...victims.templates[kind].map(broken));
      const isRefused = async (request: RawRequest) => {
        const { status } = await send(request);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        expect(await version()).toBe(written);
      };
      await fc.assert(fc.asyncProperty(requests, isRefused), { numRuns });
      expect(await stateOf(all)).toEqual(before);
    });

    test('survives anything, and keeps what is held', { timeout }, async () => {
      const { victims, send, version, stateOf } = await set();
      const before = await stateOf(victims.kept);
      // Who administers needs no secret to change what is held: only names of nothing are known.
      const names = kind === 'admin' ? [victims.free] : victims.kept;
      const requests = anything(victims.templates[kind], names);
      const isSurvived = async (request: RawRequest) => {
        const written = await version();
        const { status } = await send(request);
        expect(status).toBeLessThan(500);
        if (status >= 400) expect(await version()).toBe(written);
      };
      await fc.assert(fc.asyncProperty(requests, isSurvived), { numRuns });
      expect(await stateOf(victims.kept)).toEqual(before);
    });

    test('obeys what is right, however strange it is', { timeout }, async () => {
      const scene = await set();
      const names = scene.victims.templates[kind].map(({ name }) => name);
      const seeds = fc.tuple(fc.constantFrom(...names), fc.nat());
      const isObeyed = async ([name, seed]: [string, number]) => {
        const [right, odd] = await requestsFor(scene, kind, name, seed);
        await expectObeyed(scene, odd ?? right);
      };
      await fc.assert(fc.asyncProperty(seeds, isObeyed), { numRuns: STRANGE });
      for (const name of names) {
        const [right] = await requestsFor(scene, kind, name, 0);
        await expectObeyed(scene, right);
      }
    });
  });
});

/** A request that is as usual, and one that is not, about things of its own. */
async function requestsFor(
  { moreVictims }: Scene,
  kind: Kind | 'admin',
  name: string,
  seed: number,
): Promise<[RawRequest, RawRequest | undefined]> {
  const { templates, free } = await moreVictims();
  const template = templates[kind].find((one) => one.name === name);
  if (!template) throw new Error(`there is no ${name}`);
  const [odd] = fc.sample(strange(template, free), { numRuns: 1, seed });
  return [rawOf(template), odd];
}

async function expectObeyed({ send }: Scene, request: RawRequest): Promise<void> {
  const { status } = await send(request);
  expect([request.path, status]).toEqual([request.path, expect.toBeOneOf([200, 201, 204])]);
  const sent: unknown = JSON.parse(new TextDecoder().decode(request.body) || 'null');
  if (request.path !== '/v1/ai/complete' || !isJsonObject(sent)) return;
  const query = new URLSearchParams({ key: String(sent['key']) }).toString();
  const look = { method: 'GET', path: '/v1/ai/result', query, headers: {}, body: undefined };
  const { body } = await send(look);
  expect(JSON.stringify(Object(body).result)).toBe(JSON.stringify(sent['result']));
}
