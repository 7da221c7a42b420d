import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type Clocks, isPast, later, left, type Moment } from './moment.ts';
import { isAlive, leaderWith, signalAll } from './process-group.ts';

/*
 * The watchdog is a process of its own that ends the command where leasectl cannot: when leasectl was
 * killed, stopped, or hangs. Each of its orders takes the place of the one before.
 */

/** What the watchdog has to see to, and until when. */
export interface Order {
  /** The process group of the command. */
  readonly group: number;
  /** When the command has to be told to stop; null when it has been. */
  readonly stopAt: Moment | null;
  /** When nothing of it may run any more. */
  readonly deadline: Moment;
  /** Milliseconds that the command has to stop. */
  readonly grace: number;
  /** A file that is to be removed when leasectl has died: it may hold a secret. */
  readonly secretFile: string | null;
}

/** The order before the first: leasectl is about to start a command that will not wait for another. */
export interface Expectation extends Omit<Order, 'group'> {
  /** What the command has in its environment, and no other process has, as `NAME=value`. */
  readonly environment: readonly string[];
}

/** How often it looks, in milliseconds; and for how long leasectl may be late before it acts. */
const TICK = 100;
const LATENESS = 200;
/** For how long a command is looked for that may have been started, in milliseconds. */
const SEARCH = 1_000;

/**
 * Follows the orders that come, one JSON text on each line, until there are no more of them and
 * nothing of the command runs any more. That they end without `release` means that leasectl died.
 *
 * @param first the order that is in force before any comes
 */
export async function runWatchdog(
  orders: Readable,
  clocks: Clocks,
  first?: Order | Expectation,
): Promise<void> {
  let order = first;
  let secretFile = first?.secretFile ?? null;
  let isOrphaned = false;
  const ended = new AbortController();
  const reading = read(orders, (next) => {
    order = next;
    secretFile = next.secretFile;
  })
    // What cannot be read any more comes from nobody.
    .catch(() => false)
    .then((isReleased) => {
      isOrphaned = !isReleased;
      ended.abort();
    });
  const never = new AbortController().signal;
  while (!ended.signal.aborted) {
    await clocks.sleep(TICK, order ? never : ended.signal);
    if (order) order = act(order, clocks);
  }
  await reading;
  if (!isOrphaned) return;
  let known = order && (await search(order, clocks));
  if (known?.stopAt) known = stop(known, clocks);
  while (known && isAlive(known.group)) {
    known = act(known, clocks);
    await clocks.sleep(TICK, never);
  }
  if (secretFile !== null) rmSync(secretFile, { force: true });
}

/**
 * Looks for a command that leasectl did not come to tell the group of. It has been started by now, or
 * never will be: as long as it was only a copy of leasectl, it kept the orders from ending, too.
 */
async function search(order: Order | Expectation, clocks: Clocks): Promise<Order | undefined> {
  const never = new AbortController().signal;
  const end = later(clocks.now(), SEARCH);
  for (;;) {
    const known = find(order);
    if (known || isPast(end, clocks.now())) return known;
    // Its environment comes to be seen a moment after that.
    await clocks.sleep(TICK, never);
  }
}

function find(order: Order | Expectation): Order | undefined {
  if ('group' in order) return order;
  const group = leaderWith(order.environment);
  return group === undefined ? undefined : { ...order, group };
}

/** @returns the order that is in force from then on; none when nothing is left to be watched */
function act<T extends Order | Expectation>(order: T, clocks: Clocks): T | Order | undefined {
  const now = clocks.now();
  const isOver = isPast(order.deadline, now);
  if (!isOver && !isLate(order, now)) return order;
  const known = find(order);
  if (!known) return order;
  if (!isOver) return stop(known, clocks);
  signalAll(known.group, 'SIGKILL');
  return isAlive(known.group) ? known : undefined;
}

function isLate(order: Order | Expectation, now: Moment): boolean {
  return order.stopAt !== null && left(order.stopAt, now) <= -lateness(order);
}

/** Leasectl stops the command itself if it can; a short grace is not to be spent on waiting. */
function lateness({ grace }: Order | Expectation): number {
  return Math.min(LATENESS, grace / 4);
}

function stop(order: Order, clocks: Clocks): Order {
  const { group, grace, deadline } = order;
  // What was stopped can do nothing about it.
  signalAll(group, 'SIGTERM', 'SIGCONT');
  const now = clocks.now();
  const soon = later(now, grace);
  return {
    ...order,
    stopAt: null,
    deadline: left(soon, now) < left(deadline, now) ? soon : deadline,
  };
}

const RELEASE = 'release';

/** @returns whether the orders ended with a release */
async function read(
  orders: Readable,
  onOrder: (order: Order | Expectation) => void,
): Promise<boolean> {
  let text = '';
  for await (const chunk of orders) {
    const lines = (text + String(chunk)).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line === RELEASE) return true;
      onOrder(JSON.parse(line));
    }
  }
  return false;
}

/** Leasectl's end of the watchdog. */
export interface Watchdog {
  /** Puts what it is to look for in the place of an order. */
  expect(order: Expectation): void;
  /** Puts an order in the place of the one before. */
  watch(order: Order): void;
  /** Nothing is left to be watched. */
  release(): void;
}

/** A started process that reads orders. */
export interface WatchdogProcess {
  write(text: string): void;
  onExit(listener: () => void): void;
}

/** The wait before another watchdog takes the place of one that died, in milliseconds. */
const RESTART_DELAY = 200;
/** Who dies so often, each time within so many milliseconds, cannot live here. */
const MOST_DEATHS = 5;
const SHORT_LIFE = 10_000;

/**
 * @param start starts the process, with the last order if there was one; again if it dies before it
 *   is released
 * @param onGivenUp called when it died too often
 */
export function createWatchdog(
  start: (order?: string) => WatchdogProcess,
  onGivenUp: () => void,
): Watchdog {
  let isReleased = false;
  let deaths = 0;
  let last: string | undefined;
  let current: WatchdogProcess;
  const begin = () => {
    const begun = performance.now();
    current = start(last);
    current.onExit(() => {
      if (isReleased) return;
      deaths = performance.now() - begun > SHORT_LIFE ? 1 : deaths + 1;
      if (deaths === MOST_DEATHS) return onGivenUp();
      // Its place must not hold up the end.
      setTimeout(() => isReleased || begin(), RESTART_DELAY).unref();
    });
  };
  begin();
  const send = (line: string) => {
    last = line;
    current.write(`${line}\n`);
  };
  return {
    expect: (order) => send(JSON.stringify(order)),
    watch: (order) => send(JSON.stringify(order)),
    release: () => {
      isReleased = true;
      send(RELEASE);
    },
  };
}
