import { setImmediate as turn } from 'node:timers/promises';
import { type Clocks, isPast, later, left, type Moment } from '../../src/supervise/moment.ts';

interface Sleeper {
  /** By the steady clock, as the system's timers. */
  readonly due: number;
  readonly wake: () => void;
}

/** What Node's timers can count; they take everything beyond it for one millisecond. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Clocks that stand still until they are told to move, or until everybody sleeps. */
export class FakeClocks implements Clocks {
  #wall = Date.parse('2026-11-22T03:40:12.113Z');
  #steady = 5_000_000;
  readonly #sleepers = new Set<Sleeper>();
  readonly #onMove = new Set<(before: Moment, after: Moment) => void>();

  now(): Moment {
    return { wall: this.#wall, steady: this.#steady };
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const isCountable = milliseconds >= 1 && milliseconds <= LONGEST_TIMER;
    const due = this.#steady + (isCountable ? milliseconds : 1);
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { due, wake };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
    });
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleepers.size;
  }

  /** Told of each move: both clocks together, or a jump of the wall clock. */
  onMove(listener: (before: Moment, after: Moment) => void): void {
    this.#onMove.add(listener);
  }

  /** Lets time pass: who sleeps wakes when it is due, and does what it has to before time goes on. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#steady + milliseconds;
    await turn();
    for (let next = this.#next(); next && next.due <= end; next = this.#next()) {
      this.#wake(next);
      await turn();
    }
    this.#move(end - this.#steady, end - this.#steady);
  }

  /** Lets time pass from one who sleeps to the next, as soon as nothing else happens. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    for (;;) {
      await turn();
      if (isSettled) return work;
      const next = this.#next();
      if (!next) throw new Error('everybody waits for somebody else');
      this.#wake(next);
    }
  }

  /** Somebody sets the wall clock. */
  setWall(by: number): void {
    this.#move(by, 0);
  }

  /** The machine sleeps: the wall clock goes on, and the steady one stands still. */
  suspend(milliseconds: number): void {
    this.#move(milliseconds, 0);
  }

  #wake(sleeper: Sleeper): void {
    const rest = Math.max(0, sleeper.due - this.#steady);
    this.#move(rest, rest);
    sleeper.wake();
  }

  #next(): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (!next || sleeper.due < next.due) next = sleeper;
    }
    return next;
  }

  #move(wall: number, steady: number): void {
    const before = this.now();
    this.#wall += wall;
    this.#steady += steady;
    for (const listener of this.#onMove) listener(before, this.now());
  }
}

/** Clocks of a machine so busy that each look at them takes two milliseconds. */
export class SlowClocks extends FakeClocks {
  #lateness = 0;

  override now(): Moment {
    this.#lateness += 2;
    return later(super.now(), this.#lateness);
  }
}

/** Everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  await turn();
}

/** Knows since when a moment is past without a break, by the steady clock. */
export class PastWatch {
  readonly #clocks: FakeClocks;
  #moment: Moment;
  #since: number | undefined;

  constructor(clocks: FakeClocks, moment: Moment) {
    this.#clocks = clocks;
    this.#moment = moment;
    this.moment = moment;
    clocks.onMove((before, after) => {
      if (!isPast(this.#moment, after)) this.#since = undefined;
      else {
        // It became so at once if the wall clock jumped, and else on the way.
        const on = before.steady + Math.max(0, left(this.#moment, before));
        this.#since ??= Math.min(after.steady, on);
      }
    });
  }

  set moment(moment: Moment) {
    const now = this.#clocks.now();
    this.#moment = moment;
    this.#since = isPast(moment, now) ? now.steady : undefined;
  }

  /** For how many milliseconds it is past now; undefined when it is not. */
  get lateness(): number | undefined {
    return this.#since === undefined ? undefined : this.#clocks.now().steady - this.#since;
  }
}
