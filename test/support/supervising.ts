import type { Failure } from '../../src/domain/failure.ts';
import type { Grant, Timetable } from '../../src/supervise/lease.ts';
import type { Moment } from '../../src/supervise/moment.ts';
import type { Exit } from '../../src/supervise/process-group.ts';
import {
  type RunningCommand,
  type SignalSource,
  type Stop,
  supervise,
} from '../../src/supervise/supervisor.ts';
import type { Order, Watchdog } from '../../src/supervise/watchdog.ts';
import { FakeClocks } from './fake-clocks.ts';
import { type Answer, FakeLease } from './fake-lease.ts';
import { NO_GROUP, signalsTo } from './process-groups.ts';

/** Signals that come when the test says so. */
export class FakeSignals implements SignalSource {
  readonly #listeners = new Set<readonly [NodeJS.Signals, () => void]>();
  #goOn: (() => void) | undefined;

  on(signal: NodeJS.Signals, listener: () => void): () => void {
    const entry = [signal, listener] as const;
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  send(signal: NodeJS.Signals): void {
    for (const [name, listener] of [...this.#listeners]) if (name === signal) listener();
  }

  suspend(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  get isSuspended(): boolean {
    return this.#goOn !== undefined;
  }

  /** Ends the suspension, as SIGCONT does. */
  goOn(): void {
    this.#goOn?.();
    this.#goOn = undefined;
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

/** A watchdog that only remembers what it was told. */
export class FakeWatchdog implements Watchdog {
  readonly told: (Order | 'release')[] = [];

  expect(): void {
    throw new Error('there is a command already');
  }

  watch(order: Order): void {
    this.told.push(order);
  }

  release(): void {
    this.told.push('release');
  }

  /** The order that is in force. */
  get order(): Order {
    const last = this.told.findLast((it) => it !== 'release');
    if (!last) throw new Error('the watchdog knows nothing');
    return last;
  }
}

export interface SupervisionSetup {
  readonly command: Omit<RunningCommand, 'begin' | 'waits'> &
    Partial<Pick<RunningCommand, 'waits'>>;
  readonly duration?: number;
  readonly answers?: readonly Answer[];
  readonly otherwise?: Answer;
  readonly grace?: number;
  /** Milliseconds that go by between the lease's request and the supervision. */
  readonly late?: number;
}

/** Supervises a command under a lease of a minute, unless it says otherwise, and with a grace of 10 s. */
export async function supervising(setup: SupervisionSetup) {
  const { command, duration = 60_000, answers, otherwise, grace = 10_000, late = 0 } = setup;
  const clocks = new FakeClocks();
  const start = clocks.now();
  const lease = new FakeLease(clocks, duration, answers, otherwise);
  await clocks.advance(late);
  const signals = new FakeSignals();
  const watchdog = new FakeWatchdog();
  const stops: Stop[] = [];
  const failed: [Failure, Timetable][] = [];
  const renewed: Grant[] = [];
  /** What the watchdog had been told each time that the command was let begin. */
  const begun: Order[] = [];
  const supervised = supervise({
    lease,
    command: { waits: true, ...command, begin: () => begun.push(watchdog.order) },
    watchdog,
    secretFile: '/secret/job.json',
    clocks,
    signals,
    grace,
    random: () => 0,
    onRenewed: (grant) => renewed.push(grant),
    onFailed: (failure, timetable) => failed.push([failure, timetable]),
    onStop: (stop) => stops.push(stop),
  });
  // Whoever waits for it is told.
  supervised.catch(() => undefined);
  const since = ({ steady }: Moment) => Math.round(steady - start.steady);
  /** What the watchdog was told last, with times in milliseconds since the lease was asked for. */
  const order = () => {
    const { stopAt, deadline, ...rest } = watchdog.order;
    return { ...rest, stopAt: stopAt && since(stopAt), deadline: since(deadline) };
  };
  return {
    clocks,
    lease,
    signals,
    watchdog,
    stops,
    failed,
    renewed,
    begun,
    supervised,
    since,
    order,
  };
}

/** Supervises a command without processes, which ends when it is told to. */
export async function started(setup: Omit<SupervisionSetup, 'command'> = {}) {
  let exit: (how: Exit) => void = () => undefined;
  const exited = new Promise<Exit>((resolve) => {
    exit = resolve;
  });
  const sent = signalsTo(NO_GROUP);
  const supervision = await supervising({ ...setup, command: { group: NO_GROUP, exited } });
  return { ...supervision, exit, sent };
}
