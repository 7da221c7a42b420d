import { rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type Clocks, isPast, later, left, type Moment } from './moment.ts';
import { isAlive, signalAll } from './process-group.ts';

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

/** How often it looks, in milliseconds; and for how long leasectl may be late before it acts. */
const TICK = 100;
const LATENESS = 200;

/**
 * Follows the orders that come, one JSON text on each line, until there are no more of them and
 * nothing of the command runs any more. That they end without `release` means that leasectl died.
 */
export async function runWatchdog(orders: Readable, clocks: Clocks): Promise<void> {
  let order: Order | undefined;
  let secretFile: string | null = null;
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
  if (order?.stopAt) order = stop(order, clocks);
  while (order && isAlive(order.group)) {
    order = act(order, clocks);
    await clocks.sleep(TICK, never);
  }
  if (secretFile !== null) rmSync(secretFile, { force: true });
}

/** @returns the order that is in force from then on; none when nothing is left to be watched */
function act(order: Order, clocks: Clocks): Order | undefined {
  const now = clocks.now();
  if (isPast(order.deadline, now)) {
    signalAll(order.group, 'SIGKILL');
    return isAlive(order.group) ? order : undefined;
  }
  const isLate = order.stopAt !== null && left(order.stopAt, now) <= -lateness(order);
  return isLate ? stop(order, clocks) : order;
}

/** Leasectl stops the command itself if it can; a short grace is not to be spent on waiting. */
function lateness({ grace }: Order): number {
  return Math.min(LATENESS, grace / 4);
}

function stop(order: Order, clocks: Clocks): Order {
  const { group, grace, deadline } = order;
  signalAll(group, 'SIGTERM');
  // What was stopped can do nothing about it.
  signalAll(group, 'SIGCONT');
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
async function read(orders: Readable, onOrder: (order: Order) => void): Promise<boolean> {
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
 * @param start starts the process; again if it dies before it is released
 * @param onGivenUp called when it died too often
 */
export function createWatchdog(start: () => WatchdogProcess, onGivenUp: () => void): Watchdog {
  let isReleased = false;
  let deaths = 0;
  let last = '';
  let current: WatchdogProcess;
  const begin = () => {
    const begun = performance.now();
    current = start();
    if (last) current.write(last);
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
    last = `${line}\n`;
    current.write(last);
  };
  return {
    watch: (order) => send(JSON.stringify(order)),
    release: () => {
      isReleased = true;
      send(RELEASE);
    },
  };
}
