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
  readonly isOver: () => boolean;
  /** Milliseconds between two faults of a node, and of the database. */
  readonly rhythm: { readonly node: Rhythm; readonly database: Rhythm };
}

type Rhythm = readonly [least: number, most: number];

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

/**
 * Lets nodes and the database fail, each at its own times, until it is over; then all is there again.
 *
 * @returns what happened
 */
export async function causeFaults(options: FaultOptions): Promise<Faults> {
  const { nodes, database, random, isOver, rhythm } = options;
  const counts: Faults = { nodeKilled: 0, nodeStopped: 0, nodeFrozen: 0, databaseKilled: 0 };
  const repeat = async (own: Random, [least, most]: Rhythm, fail: () => Promise<void>) => {
    for (;;) {
      await waitFor(own.between(least, most), isOver);
      if (isOver()) return;
      await fail();
    }
  };
  const failures = nodes.map((node) => {
    const own = random.fork();
    return repeat(own, rhythm.node, () => failNode(node, own, counts));
  });
  const own = random.fork();
  const failDatabase = async () => {
    counts.databaseKilled += 1;
    await database?.kill();
    await delay(own.between(...AWAY));
    await database?.start();
  };
  if (database) failures.push(repeat(own, rhythm.database, failDatabase));
  await Promise.all(failures);
  await Promise.all(nodes.map((node) => node.start()));
  return counts;
}

async function failNode(node: ServiceNode, random: Random, counts: Faults): Promise<void> {
  if (random.chance(0.2)) {
    counts.nodeFrozen += 1;
    node.signal('SIGSTOP');
    await delay(random.between(...FROZEN));
    node.signal('SIGCONT');
    return;
  }
  if (random.chance(0.25)) {
    counts.nodeStopped += 1;
    await node.stop();
  } else {
    counts.nodeKilled += 1;
    await node.kill();
  }
  await delay(random.between(...AWAY));
  await node.start();
}

/** Milliseconds between two looks whether it is over. */
const STEP = 100;

async function waitFor(milliseconds: number, isOver: () => boolean): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !isOver()) await delay(STEP);
}
