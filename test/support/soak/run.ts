import { randomUUID } from 'node:crypto';
import { createEngine } from '../../../src/engine/engine.ts';
import type { Store } from '../../../src/engine/store.ts';
import { createRandom } from '../random.ts';
import { type Ask, askAt } from './asking.ts';
import { runClient } from './client.ts';
import { DIALECTS } from './dialects.ts';
import { causeFaults, type Faults, type Killable } from './faults.ts';
import { type Entry, type Evidence, groupBy, nameOf, type Row } from './journal.ts';
import type { ServiceNode } from './node.ts';
import { createSupply } from './supply.ts';

export interface SoakOptions {
  readonly nodes: readonly ServiceNode[];
  /** Undefined where it is a file. */
  readonly database: Killable | undefined;
  /** The nodes' own. */
  readonly store: Store;
  readonly seed: number;
  /** Milliseconds that it goes on at least, and at most. */
  readonly shortest: number;
  readonly longest: number;
  readonly clients: number;
  /** Whether nothing fails. */
  readonly isSpared?: boolean;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asked again and again, from `shortest` on, whether it can end. */
  readonly isEnough: (entries: readonly Entry[], faults: Faults) => boolean;
}

export interface SoakOutcome {
  readonly evidence: Evidence;
  readonly faults: Faults;
}

/** Milliseconds by which the two clocks of this machine may part. */
const CLOCK_TOLERANCE = 50;

/** Lets many clients take leases while the nodes and the database fail. */
export async function runSoak(options: SoakOptions): Promise<SoakOutcome> {
  const { nodes, database, store, seed, isSpared = false, headers } = options;
  const random = createRandom(seed);
  const engine = createEngine({ store, newHandle: () => randomUUID(), monthlyLimit: 1 });
  const supply = createSupply(engine, DIALECTS);
  const entries: Entry[] = [];
  const oddities: string[] = [];
  const tellOddity = (oddity: string) => void oddities.push(oddity);
  const faults: Faults = { nodeKilled: 0, nodeStopped: 0, nodeFrozen: 0, databaseKilled: 0 };
  const watch = watchClock();
  const isOver = untilEnough(options, () => options.isEnough(entries, faults));
  const asks: Ask[] = nodes.map(({ url }) => askAt(url, headers));
  const clients = Array.from({ length: options.clients }, (_, index) =>
    runClient({
      name: `c${index + 1}`,
      nodes: asks,
      dialects: DIALECTS,
      supply,
      random: random.fork(),
      tell: (entry) => void entries.push(entry),
      tellOddity,
      isOver,
    }),
  );
  await Promise.all([
    causeFaults({
      ...(isSpared ? { nodes: [], database: undefined } : { nodes, database }),
      ...{ random: random.fork(), counts: faults, tellOddity, isOver },
    }),
    supply.keepUp(isOver),
    ...clients,
  ]);
  watch();
  const rows = await readRows(store, entries, supply.added);
  return { evidence: { entries, rows, added: supply.added, oddities }, faults };
}

/** Milliseconds between two looks whether it is enough: looking takes a while. */
const LOOK_INTERVAL = 1_000;

function untilEnough(
  { shortest, longest }: Pick<SoakOptions, 'shortest' | 'longest'>,
  isEnough: () => boolean,
): () => boolean {
  const begun = performance.now();
  let [isOver, lookAt] = [false, shortest];
  return () => {
    const elapsed = performance.now() - begun;
    if (isOver || elapsed < lookAt) return isOver;
    lookAt = elapsed + LOOK_INTERVAL;
    isOver = elapsed > longest || isEnough();
    return isOver;
  };
}

/** @returns to be called at the end: fails when the wall clock was set, for then nothing is certain */
function watchClock(): () => void {
  const offset = () => Date.now() - performance.now();
  const before = offset();
  return () => {
    const drift = Math.abs(offset() - before);
    if (drift > CLOCK_TOLERANCE) throw new Error(`the clock was set by ${drift} ms: run it again`);
  };
}

async function readRows(
  store: Store,
  entries: readonly Entry[],
  added: readonly string[],
): Promise<Row[]> {
  const known = entries.flatMap(({ kind, id }) => (id === undefined ? [] : [{ kind, id }]));
  const jobs = added.map((name) => {
    const [kind = '', id = ''] = name.split(' ');
    return { kind: kind === 'job' ? ('job' as const) : ('runner_job' as const), id };
  });
  const wanted = [...groupBy([...known, ...jobs], nameOf).values()].flatMap(([one]) => one ?? []);
  const leases = await store.read((view) =>
    Promise.all(wanted.map(({ kind, id }) => view.find(kind, id))),
  );
  return leases.flatMap((lease) => {
    if (!lease) return [];
    const { kind, id, fencingToken, acquisition, version, finish, expiresAt } = lease;
    // A key's holder is told its version, and no fencing token.
    const token = kind === 'key' ? acquisition.version : fencingToken;
    const way = finish?.way ?? null;
    return [{ kind, id, token, acquisitions: fencingToken, version, way, expiresAt }];
  });
}
