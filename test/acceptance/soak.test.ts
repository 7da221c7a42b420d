import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildChanged } from '../support/build-variant.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { findViolations } from '../support/soak/check.ts';
import { type Facts, findFacts } from '../support/soak/facts.ts';
import type { Faults } from '../support/soak/faults.ts';
import type { Entry } from '../support/soak/journal.ts';
import { runSoak, type SoakOptions } from '../support/soak/run.ts';
import { startServed } from '../support/soak/served.ts';

/** How long it goes on, if that is enough; `npm run test:soak` has it go on for longer. */
const SHORTEST = Number(process.env['SOAK_SECONDS'] ?? 30) * 1_000;
const LONGEST = SHORTEST + 90_000;
const CLIENTS = 64;
/** Milliseconds in which nothing succeeds, at most: a database that crashed has to come back. */
const LONGEST_PAUSE = 15_000;
const TIMEOUT = LONGEST + 90_000;

/** The one that was told with a failure, or any. */
function seedOfRun(): number {
  return Number(process.env['SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

/** What a run is without, that it has to have for its end to prove anything. */
function lacking(facts: Facts, faults: Faults, hasDatabase: boolean): string[] {
  const { granted, longestPause, ...others } = facts;
  const { databaseKilled, ...ofNodes } = faults;
  const counts = { ...granted, ...others, ...ofNodes, ...(hasDatabase ? { databaseKilled } : {}) };
  return [
    ...['key', 'job', 'runner_job'].filter((kind) => !granted[kind]),
    ...Object.entries(counts).flatMap(([name, count]) => (count > 0 ? [] : [name])),
    ...(longestPause > LONGEST_PAUSE ? [`a pause of ${longestPause} ms`] : []),
  ];
}

/** Nobody locks what is about to be changed. */
const WITHOUT_LOCKS = {
  'src/store/postgres/session.ts': (source: string) => source.replace(' FOR UPDATE)', ')'),
  'src/store/postgres/batch-statements.ts': (source: string) =>
    source.replace('FOR UPDATE SKIP LOCKED) AS found', ') AS found'),
  'src/store/postgres/claimable.ts': (source: string) =>
    source.replace('FOR UPDATE OF lease SKIP LOCKED', ''),
};

/** What was held by two at a time. */
function doublesIn(entries: readonly Entry[]): string[] {
  const problems = findViolations({ entries, rows: [], added: [], oddities: [] });
  return problems.filter((problem) => /^\w+ \S+ was held by .* ms early$/.test(problem));
}

/** For whoever wants to know how it came to that. */
function keepJournal(seed: number, entries: readonly Entry[]): void {
  const file = join(tmpdir(), `leasectl-soak-${seed}.jsonl`);
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  process.stdout.write(`what was asked and answered is in ${file}\n`);
}

async function soak(
  options: Pick<SoakOptions, 'nodes' | 'store' | 'headers' | 'database'>,
): Promise<void> {
  const seed = seedOfRun();
  const lackingIn = (entries: readonly Entry[], faults: Faults) =>
    lacking(findFacts(entries), faults, options.database !== undefined);
  const { evidence, faults } = await runSoak({
    ...{ ...options, seed, clients: CLIENTS, shortest: SHORTEST, longest: LONGEST },
    isEnough: (entries, counts) => lackingIn(entries, counts).length === 0,
  });
  const facts = findFacts(evidence.entries);
  process.stdout.write(`seed ${seed}: ${JSON.stringify(facts)} ${JSON.stringify(faults)}\n`);
  const problems = findViolations(evidence);
  if (problems.length > 0) keepJournal(seed, evidence.entries);
  // Of the first ones: one mistake makes hundreds.
  expect(problems.slice(0, 20), `SOAK_SEED=${seed}`).toEqual([]);
  expect(lackingIn(evidence.entries, faults), `SOAK_SEED=${seed}`).toEqual([]);
  for (const node of options.nodes) expect((await node.stop()).code).toBe(0);
}

describe(`${CLIENTS} clients of all services, while what serves them fails`, () => {
  test('one node, with SQLite', { timeout: TIMEOUT }, async () => {
    const location = join(temporaryDirectory(), 'leases.db');
    const { nodes, store, headers } = await startServed({ location, nodes: 1 });
    await soak({ nodes, store, headers, database: undefined });
    await store.close();
  });

  describe('with PostgreSQL', () => {
    let postgres: PostgresServer;
    beforeAll(async () => {
      postgres = await startPostgres();
    });
    afterAll(() => postgres.remove());

    test('two nodes', { timeout: TIMEOUT }, async () => {
      const location = await postgres.createDatabase();
      const { nodes, store, headers } = await startServed({ location, nodes: 2 });
      const database = { kill: () => postgres.stop('SIGKILL'), start: () => postgres.start() };
      await soak({ nodes, store, headers, database });
      await store.close();
    });

    test('are found out where rows are not locked', { timeout: TIMEOUT }, async () => {
      const location = await postgres.createDatabase();
      const bin = await buildChanged(temporaryDirectory(), WITHOUT_LOCKS);
      const { nodes, store, headers } = await startServed({ location, nodes: 2, bin });
      const { evidence } = await runSoak({
        ...{ nodes, store, headers, database: undefined, isSpared: true },
        ...{ seed: seedOfRun(), shortest: 0, longest: LONGEST, clients: CLIENTS },
        isEnough: (entries) => doublesIn(entries).length > 0,
      });
      await store.close();
      expect(doublesIn(evidence.entries)).not.toEqual([]);
    });
  });
});
