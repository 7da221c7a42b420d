import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildVariant } from '../support/build-variant.ts';
import { type ChaosOutcome, type Progress, runChaos } from '../support/chaos-run.ts';
import { CERTAIN, SERVICES, type Service } from '../support/chaos-service.ts';
import { findOverlaps, findViolations } from '../support/exec-check.ts';
import type { Random } from '../support/random.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** For each service; more, for a longer soak by hand. */
const RUNS = Number(process.env['CHAOS_RUNS'] ?? 1);
/** Milliseconds: what a run takes at least, and when it ends in any case. */
const SHORTEST = 8_000;
const LONGEST = 90_000;
/** Milliseconds for what comes after. */
const REST = 60_000;
const CROWD = 32;
const LEAST_HANDOVERS = 5;
const LEAST_FAULTS = 20;

const REQUESTS = /^(delay|drop|error\d+|limit|reset|lost|freeze)$/;

/** The one that was told with a failure, or any. */
function seedOfRun(): number {
  return Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

/** What a run is without, that it has to have for its end to prove anything. */
function lacking({ facts, faults }: Pick<Progress, 'facts' | 'faults'>): string[] {
  const counts = Object.entries(faults);
  const disturbed = counts
    .filter(([fault]) => REQUESTS.test(fault))
    .reduce((sum, [, count]) => sum + count, 0);
  const { handovers, renewed } = facts();
  return [
    ...(handovers < LEAST_HANDOVERS ? [`hand-overs: ${handovers}`] : []),
    ...(renewed < 1 ? ['work that is longer than the lease'] : []),
    ...(disturbed < LEAST_FAULTS ? [`disturbed requests: ${disturbed}`] : []),
    ...counts.flatMap(([fault, count]) => (REQUESTS.test(fault) || count > 0 ? [] : [fault])),
  ];
}

const isEnough = (progress: Progress) =>
  progress.elapsed > LONGEST || (progress.elapsed > SHORTEST && lacking(progress).length === 0);

/** Some for longer than a lease lasts that is not renewed; the first one, who mostly gets it, too. */
const shortOrLong = (random: Random, index: number) =>
  index === 0 || random.chance(0.3) ? random.between(1.1, 1.5) * CERTAIN : random.between(200, 800);

/** The events of those that the problems are about. */
function toldOf(problems: readonly string[], { toldBy }: ChaosOutcome): string {
  const names = new Set(problems.flatMap((problem) => problem.match(/\bc\d+\b/g) ?? []));
  return [...names].map((name) => `${name}:\n${toldBy(name)}`).join('\n');
}

const runs = SERVICES.flatMap((service) =>
  Array.from({ length: RUNS }, (_, index): [Service, number] => [service, index + 1]),
);

describe.skipIf(process.platform !== 'linux')(
  `${CROWD} commands that want one lease`,
  {
    timeout: LONGEST + REST,
  },
  () => {
    test.each(runs)('get it one after the other, whatever fails: %s, run %i', async (service) => {
      const seed = seedOfRun();
      // Another build, e.g. of another version.
      const bin = process.env['CHAOS_BIN'];
      const outcome = await runChaos({
        service,
        seed,
        crowd: CROWD,
        workOf: shortOrLong,
        isEnough,
        ...(bin ? { bin } : {}),
      });
      const { evidence, facts, faults } = outcome;
      const { codes, ...counts } = facts;
      const figures = [counts, faults, codes].map((figure) => JSON.stringify(figure)).join(' ');
      process.stdout.write(`${service}, seed ${seed}: ${figures}\n`);
      const problems = findViolations(evidence);
      expect(problems, `CHAOS_SEED=${seed}\n${toldOf(problems, outcome)}`).toEqual([]);
      expect(lacking({ facts: () => facts, faults }), `CHAOS_SEED=${seed}`).toEqual([]);
    });

    test('are found out where nobody keeps the lease', async () => {
      const directory = temporaryDirectory();
      const bin = await buildVariant(directory, 'src/supervise/keeper.ts', 'keep-nothing.ts');
      // Code caches of other builds are cleared away.
      const env = { XDG_CACHE_HOME: join(directory, 'cache') };
      const { evidence } = await runChaos({
        service: 'onceonly',
        seed: seedOfRun(),
        crowd: 8,
        workOf: (random) => random.between(2, 2.5) * CERTAIN,
        bin,
        env,
        isEnough: ({ elapsed, lines }) => elapsed > LONGEST || findOverlaps(lines).length > 0,
      });
      const overlap = expect.stringMatching(
        /^c\d+ with \d+ on \S+ wrote "\w+" \d+ ms after c\d+ with/,
      );
      expect(findViolations(evidence)).toContainEqual(overlap);
    });
  },
);
