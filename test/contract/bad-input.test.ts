import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Kind } from '../../src/engine/lease.ts';
import { engineOn } from '../../src/engines.ts';
import { servedRoutes } from '../../src/served.ts';
import { createApp } from '../../src/server/app.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { anything } from '../support/fuzz/anything.ts';
import { broken } from '../support/fuzz/breaking.ts';
import { type RawRequest, rawOf } from '../support/fuzz/request.ts';
import { createVictims, stateOf } from '../support/fuzz/world.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** For each dialect, of each sort. More, for a longer search by hand. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 6_000);
const PATIENCE = 120_000 + REQUESTS * 20;

const DIALECTS: readonly (readonly [string, Kind])[] = [
  ['OnceOnly', 'key'],
  ['Retaia', 'job'],
  ['AskUI', 'runner_job'],
];

/** The service, and what there is to be harmed. */
async function setScene() {
  const file = join(temporaryDirectory(), 'leases.db');
  const store = openSqliteStore({ file });
  const reader = new Database(file);
  onTestFinished(async () => {
    reader.close();
    await store.close();
  });
  const thrown: unknown[] = [];
  const app = createApp({
    routesFor: servedRoutes(store),
    report: (error) => void thrown.push(error),
  });
  const engine = engineOn(store, null);
  const victims = await createVictims(engine);
  return {
    victims,
    stateOf: (names: readonly string[]) => stateOf(engine, names),
    /** Another one whenever anything was written. */
    version: () => Number(Object(reader.prepare('PRAGMA data_version').all()[0]).data_version),
    /** @throws what the service did not expect */
    async send({ method, path, query, headers, body }: RawRequest): Promise<number> {
      const url = `http://127.0.0.1${path}${query === '' ? '' : `?${query}`}`;
      const answer = await app.request(url, { method, headers, body: body ?? null });
      for (const error of thrown.splice(0)) throw error;
      const text = await answer.text();
      if (text !== '') JSON.parse(text);
      return answer.status;
    },
  };
}

describe.each(DIALECTS)('%s', (_, kind) => {
  test('refuses what is wrong in one place, and changes nothing', {
    timeout: PATIENCE,
  }, async () => {
    const { victims, send, version, stateOf } = await setScene();
    const all = [...victims.kept, victims.waiting];
    const before = await stateOf(all);
    const written = version();
    const requests = fc.oneof(...victims.templates[kind].map(broken));
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const status = await send(request);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        expect(version()).toBe(written);
      }),
      { numRuns: REQUESTS },
    );
    expect(await stateOf(all)).toEqual(before);
  });

  test('survives anything, and keeps what is held', { timeout: PATIENCE }, async () => {
    const { victims, send, version, stateOf } = await setScene();
    const before = await stateOf(victims.kept);
    const requests = anything(victims.templates[kind], victims.kept);
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const written = version();
        const status = await send(request);
        expect(status).toBeLessThan(500);
        if (status >= 400) expect(version()).toBe(written);
      }),
      { numRuns: REQUESTS },
    );
    expect(await stateOf(victims.kept)).toEqual(before);
  });

  test('obeys what is right: so it is what was broken that was refused', async () => {
    const { victims } = await setScene();
    for (const { name } of victims.templates[kind]) {
      const { victims: fresh, send } = await setScene();
      const template = fresh.templates[kind].find((one) => one.name === name);
      if (template)
        expect([name, await send(rawOf(template))]).toEqual([name, expect.toSatisfy(isSuccess)]);
    }
  });
});

const isSuccess = (status: number) => status >= 200 && status < 300;
