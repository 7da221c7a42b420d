import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ServiceNode } from './node.ts';

/** A database that is a process of its own. */
export interface Killable {
  /** Ends it in the middle of what it does. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface FaultOptions {
  readonly nodes: readonly ServiceNode[];
  readonly database: Killable | undefined;
  readonly random: Random;
  /** Counts them. */
  readonly counts: Faults;
  readonly tellOddity: (oddity: string) => void;
  readonly isOver: () => boolean;
}

type Rhythm = readonly [least: number, most: number];

/** Milliseconds between two faults of a node, and of the database. */
const BETWEEN: { readonly node: Rhythm; readonly database: Rhythm } = {
  node: [2_000, 5_000],
  database: [6_000, 12_000],
};

/** What happened, and how often. */
export interface Faults {
  nodeKilled: number;
  nodeStopped: number;
  nodeFrozen: number;
  databaseKilled: number;
}

/** Milliseconds that something is away, or stands still: shorter and longer than a lease. */
const AWAY: Rhythm = [0, 700];
const FROZEN: Rhythm = [300, 2_500];

/** Lets nodes and the database fail, each at its own times, until it is over; then all is there again. */
export async function causeFaults(options: FaultOptions): Promise<void> {
  const { nodes, database, random, counts, tellOddity, isOver } = options;
  const repeat = async (own: Random, [least, most]: Rhythm, fail: () => Promise<void>) => {
    for (;;) {
      await waitFor(own.between(least, most), isOver);
      if (isOver()) return;
      await fail();
    }
  };
  const failures = nodes.map((node) => {
    const own = random.fork();
    let bag: (keyof Faults)[] = [];
    return repeat(own, BETWEEN.node, async () => {
      if (bag.length === 0) bag = own.shuffled(BAG);
      const fault = bag.pop() ?? 'nodeKilled';
      counts[fault] += 1;
      await failNode(node, own, fault, tellOddity);
    });
  });
  const own = random.fork();
  const failDatabase = async () => {
    counts.databaseKilled += 1;
    await database?.kill();
    await delay(own.between(...AWAY));
    await database?.start();
  };
  if (database) failures.push(repeat(own, BETWEEN.database, failDatabase));
  await Promise.all(failures);
  await Promise.all(nodes.map((node) => node.start()));
}

/** All that befalls a node, in turn: so that all of it happens. */
const BAG = ['nodeKilled', 'nodeFrozen', 'nodeKilled', 'nodeStopped'] as const;

async function failNode(
  node: ServiceNode,
  random: Random,
  fault: keyof Faults,
  tellOddity: FaultOptions['tellOddity'],
): Promise<void> {
  if (fault === 'nodeFrozen') {
    node.signal('SIGSTOP');
    await delay(random.between(...FROZEN));
    node.signal('SIGCONT');
    return;
  }
  if (fault === 'nodeStopped') {
    const { code, signal, stderr } = await node.stop();
    if (code !== 0) tellOddity(`${code ?? signal} to SIGTERM: ${stderr}`);
  } else await node.kill();
  await delay(random.between(...AWAY));
  await node.start();
}

/** Milliseconds between two looks whether it is over. */
const STEP = 100;

async function waitFor(milliseconds: number, isOver: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !isOver()) await delay(STEP);
}
