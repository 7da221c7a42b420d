import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { bundleWorker } from '../support/bundle-worker.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { findViolations } from '../support/soak/check.ts';
import { findFacts } from '../support/soak/facts.ts';
import { startNode } from '../support/soak/node.ts';
import { runSoak } from '../support/soak/run.ts';

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 30);
const CLIENTS = 64;

function seedOfRun(): number {
  return Number(process.env['SOAK_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

test('one node with SQLite', { timeout: SECONDS * 1_000 + 60_000 }, async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'leases.db');
  const script = await bundleWorker('lease-service', directory);
  const node = await startNode({
    args: (port) => [script, file, port],
    env: {},
    portIn: (line) => line.trim(),
  });
  const store = openSqliteStore({ file });
  const seed = seedOfRun();
  const { evidence, faults } = await runSoak({
    nodes: [node],
    database: undefined,
    store,
    seed,
    duration: SECONDS * 1_000,
    clients: CLIENTS,
  });
  await store.close();
  process.stdout.write(
    `${JSON.stringify(findFacts(evidence.entries))} ${JSON.stringify(faults)}\n`,
  );
  expect(findViolations(evidence).slice(0, 20), `SOAK_SEED=${seed}`).toEqual([]);
});
