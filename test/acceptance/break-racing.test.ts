import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { NOBODY } from '../../src/domain/requester.ts';
import type { Store } from '../../src/engine/store.ts';
import { engineOn } from '../../src/engines.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { openStore } from '../support/postgres-stores.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { startServe } from '../support/served.ts';

/*
 * Many processes that break at once, while the lease is renewed, or goes from hand to hand.
 */

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.remove());

const BREAKERS = 8;
const ROUNDS = 5;

interface Machine extends Sandbox {
  /** For those who break, one after the other: the nodes that they ask. */
  readonly places: readonly Readonly<Record<string, string>>[];
  readonly store: Store;
}

async function withoutServer(): Promise<Machine> {
  const sandbox = createSandbox();
  const store = openSqliteStore({ file: sandbox.databaseFile });
  onTestFinished(() => store.close());
  return { ...sandbox, places: [{}], store };
}

async function behindNodes(): Promise<Machine> {
  const url = await server.createDatabase();
  const env = { LEASECTL_DATABASE: url };
  const nodes = await Promise.all([1, 2].map(() => startServe(createSandbox(), [], { env })));
  const places = nodes.map((node) => ({
    ...{ LEASECTL_URL: node.url, LEASECTL_SERVICE: 'leasectl' },
  }));
  return { ...createSandbox(), places, store: openStore(url) };
}

interface Broke {
  readonly code: number | null;
  readonly outcome: string | undefined;
  readonly fencingToken: number | undefined;
  readonly stderr: string;
}

async function breakIt({ run, places }: Machine, index: number, flags: string[]): Promise<Broke> {
  const args = ['break', 'k', '--reason', `by ${index}`, '--yes', '--json', ...flags];
  const { code, stdout, stderr } = await run(args, { env: places[index % places.length] ?? {} });
  const { outcome, fencing_token } = stdout === '' ? {} : JSON.parse(stdout);
  return { code, outcome, fencingToken: fencing_token, stderr };
}

const all = (machine: Machine, ...flags: string[]) =>
  Promise.all(Array.from({ length: BREAKERS }, (_, index) => breakIt(machine, index, flags)));

const first = ({ places: [place] }: Machine) => ({ env: place ?? {} });

/** Which acquisitions were broken, as the history has it. */
async function brokenIn(machine: Machine): Promise<number[]> {
  const history = ['admin', 'history', 'k', '--type', 'broken', '--limit', '1000'];
  const { events } = Object(await machine.json(history, first(machine)));
  return events.map(({ fencing_token }: { fencing_token: number }) => fencing_token).sort();
}

const brokenBy = (outcomes: readonly Broke[]) =>
  outcomes.flatMap(({ outcome, fencingToken }) => (outcome === 'broken' ? [fencingToken] : []));

const STORES: readonly (readonly [string, () => Promise<Machine>])[] = [
  ['SQLite, without a server', withoutServer],
  ['PostgreSQL, behind two nodes', behindNodes],
];

describe.each(STORES)('with %s', (_, open) => {
  test('a holder that renews loses nothing to any of them', async () => {
    const machine = await open();
    const work = ['exec', 'k', '--ttl', '3s', '--', 'sleep', '6'];
    const working = machine.run(work, first(machine));
    const isHeld = async () =>
      (await machine.run(['status', 'k', '--json'], first(machine))).code === 0;
    await expect.poll(isHeld, { timeout: 20_000 }).toBe(true);
    const outcomes = await all(machine, '--observe', '3s');
    expect(outcomes.map(({ code, stderr }) => [code, JSON.parse(stderr).error.code])).toEqual(
      outcomes.map(() => [11, 'held']),
    );
    expect(await working).toMatchObject({ code: 0 });
    expect(await brokenIn(machine)).toEqual([]);
  });

  test('one that is gone is broken by one of them', async () => {
    const machine = await open();
    await machine.json(['lease', 'k', '--ttl', '5m'], first(machine));
    const outcomes = await all(machine, '--observe', '1s');
    expect(outcomes.map(({ code }) => code)).toEqual(outcomes.map(() => 0));
    expect(brokenBy(outcomes)).toEqual([1]);
    expect(outcomes.filter(({ outcome }) => outcome === 'ended')).toHaveLength(BREAKERS - 1);
    expect(await brokenIn(machine)).toEqual([1]);
  });

  test('whoever takes it meanwhile keeps it, unless it was seen that he has it', async () => {
    const machine = await open();
    const engine = engineOn(machine.store);
    const nothing = { metadata: null, idempotencyKey: null, requestHash: null };
    const request = { kind: 'key', id: 'k', ttl: 300_000, ...nothing } as const;
    let isOver = false;
    let taken = 0;
    const take = async () => {
      for (; !isOver; await delay(1)) {
        const { outcome } = await engine.acquire(request, NOBODY);
        if (outcome.type === 'acquired') taken += 1;
      }
    };
    const taking = take();
    await expect.poll(() => taken, { timeout: 20_000 }).toBeGreaterThan(0);
    const outcomes: Broke[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      outcomes.push(...(await all(machine, '--force')));
    }
    isOver = true;
    await taking;
    for (const { code, stderr } of outcomes) expect([0, 11], stderr).toContain(code);
    const broken = brokenBy(outcomes).sort();
    expect(new Set(broken).size).toBe(broken.length);
    expect(await brokenIn(machine)).toEqual(broken);
    // Nobody else ends it: each time that it was taken, but the last one, it had been broken.
    expect(taken - broken.length).toBeLessThanOrEqual(1);
    expect(broken.length).toBeGreaterThan(1);
  });
});
