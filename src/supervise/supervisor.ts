import { Failure } from '../domain/failure.ts';
import { keep } from './keeper.ts';
import type { Grant, Lease, Timetable } from './lease.ts';
import { type Clocks, earlier, isPast, later, type Moment } from './moment.ts';
import { type Exit, isAlive, isGone, killAll, LOOK_INTERVAL, signalAll } from './process-group.ts';
import type { Watchdog } from './watchdog.ts';

/** A command that was started as the leader of a process group of its own. */
export interface RunningCommand {
  readonly group: number;
  readonly exited: Promise<Exit>;
  /** Whether it waits until it is let begin. */
  readonly waits: boolean;
  begin(): void;
}

/** Signals that come to leasectl. */
export interface SignalSource {
  /** @returns what ends the subscription */
  on(signal: NodeJS.Signals, listener: () => void): () => void;
  /** Stops leasectl itself; returns when it goes on. */
  suspend(): Promise<void>;
}

/** Why a command was stopped before it ended by itself. */
export type Stop =
  | { readonly by: 'loss'; readonly failure: Failure }
  | { readonly by: 'signal'; readonly signal: NodeJS.Signals }
  | { readonly by: 'service' };

export interface SuperviseOptions {
  readonly lease: Lease;
  readonly command: RunningCommand;
  readonly watchdog: Watchdog;
  /** A file that may hold a secret, to be removed by whoever is left. */
  readonly secretFile: string | null;
  readonly clocks: Clocks;
  readonly signals: SignalSource;
  /** Milliseconds that the command may take to stop. */
  readonly grace: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onRenewed: (grant: Grant) => void;
  readonly onFailed: (failure: Failure, timetable: Timetable) => void;
  readonly onStop: (stop: Stop) => void;
}

export interface Supervised {
  readonly exit: Exit;
  readonly stop: Stop | undefined;
  /** Whether it was let begin. */
  readonly hasBegun: boolean;
  /** The last moment at which the lease is certainly ours. */
  readonly deadline: Moment;
}

/** Signals that end the work. */
export const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Signals that are the command's own affair. */
export const PASSED_ON = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;
/** What a command gets at most to end after a signal, in milliseconds: who sent it may not wait. */
const PATIENCE = 3_000;

/**
 * Keeps a lease for as long as a command runs, and ends the command when the lease is lost or
 * canceled, or a signal comes. When it returns, nothing of the command runs any more.
 */
export function supervise(options: SuperviseOptions): Promise<Supervised> {
  return new Supervision(options).run();
}

class Supervision {
  readonly #options: SuperviseOptions;
  readonly #group: number;
  readonly #isOver = new AbortController();
  /** Aborted with the first signal. */
  readonly #hurry = new AbortController();
  #timetable: Timetable | undefined;
  #stop: Stop | undefined;
  #signals = 0;
  #hasExited = false;
  /** When what is being stopped is killed. */
  #killAt: Moment | undefined;
  #ending: Promise<void> | undefined;
  #bug: unknown;

  constructor(options: SuperviseOptions) {
    this.#options = options;
    this.#group = options.command.group;
  }

  async run(): Promise<Supervised> {
    const { command, watchdog } = this.#options;
    const unsubscribe = this.#subscribe();
    const keeping = this.#keep();
    try {
      // Leasectl may have been stopped since it has the lease; from here on the watchdog knows.
      this.#loseWhatIsLate();
      const hasBegun = !command.waits || !this.#stop;
      if (hasBegun) command.begin();
      const exit = await command.exited;
      this.#hasExited = true;
      // What it left running worked under the lease, too.
      if (this.#ending || !isGone(this.#group)) this.#end('SIGTERM', this.#times.grace);
      await this.#ending;
      this.#isOver.abort();
      await keeping;
      if (this.#bug) throw this.#bug;
      // While leasectl was stopped the watchdog may have acted in its place.
      this.#loseWhatIsLate();
      return { exit, stop: this.#stop, hasBegun, deadline: this.#times.deadline };
    } finally {
      watchdog.release();
      unsubscribe();
    }
  }

  get #times(): Timetable {
    if (!this.#timetable) throw new Error('the keeper tells its timetable at once');
    return this.#timetable;
  }

  async #keep(): Promise<void> {
    const { lease, clocks, grace, random, onRenewed, onFailed } = this.#options;
    try {
      const end = await keep({
        lease,
        clocks,
        grace,
        random,
        signal: this.#isOver.signal,
        hurry: this.#hurry.signal,
        onTimetable: (timetable) => {
          this.#timetable = timetable;
          this.#instruct();
        },
        onRenewed,
        onFailed: (failure) => onFailed(failure, this.#times),
      });
      if (end.why === 'lost') this.#lose(end.failure);
      if (end.why === 'canceled') this.#stopBecause({ by: 'service' }, 'SIGTERM');
    } catch (error) {
      this.#bug = error;
      // Nothing may run on with nobody who keeps the lease.
      this.#end('SIGKILL', 0);
    }
  }

  #lose(failure: Failure): void {
    this.#stopBecause({ by: 'loss', failure }, 'SIGTERM');
  }

  #loseWhatIsLate(): void {
    const { clocks } = this.#options;
    if (this.#stop?.by === 'loss' || !isPast(this.#times.stopAt, clocks.now())) return;
    this.#lose(new Failure('lease_lost', 'The lease could not be renewed in time.'));
  }

  /** A loss stands over every other reason. */
  #stopBecause(stop: Stop, signal: NodeJS.Signals, patience = this.#times.grace): void {
    if (this.#stop && (stop.by !== 'loss' || this.#stop.by === 'loss')) return;
    this.#stop = stop;
    this.#options.onStop(stop);
    this.#end(signal, patience);
  }

  /** Sends a signal, unless the command is being ended already, and sees to it that it ends. */
  #end(signal: NodeJS.Signals, patience: number): void {
    const { clocks } = this.#options;
    const now = clocks.now();
    const killAt = earlier(later(now, patience), this.#times.deadline, now);
    this.#killAt = this.#killAt ? earlier(this.#killAt, killAt, now) : killAt;
    this.#instruct();
    if (this.#ending) return;
    const sent = isPast(this.#times.deadline, now) ? 'SIGKILL' : signal;
    // What somebody has stopped could not make use of its grace.
    signalAll(this.#group, sent, ...(sent === 'SIGKILL' ? [] : (['SIGCONT'] as const)));
    this.#ending = this.#untilGone();
  }

  async #untilGone(): Promise<void> {
    const { clocks } = this.#options;
    const never = new AbortController().signal;
    while (isAlive(this.#group)) {
      if (this.#killAt && isPast(this.#killAt, clocks.now())) {
        return killAll(this.#group, clocks);
      }
      await clocks.sleep(LOOK_INTERVAL, never);
    }
  }

  /** Tells the watchdog what is to be done where leasectl itself cannot. */
  #instruct(): void {
    const { stopAt, deadline, grace } = this.#times;
    this.#options.watchdog.watch({
      group: this.#group,
      stopAt: this.#killAt ? null : stopAt,
      deadline: this.#killAt ?? deadline,
      grace,
      secretFile: this.#options.secretFile,
    });
  }

  #subscribe(): () => void {
    const { signals } = this.#options;
    const ends = ENDING.map((signal) =>
      signals.on(signal, () => {
        this.#signals += 1;
        this.#hurry.abort();
        if (this.#signals > 1) return this.#end('SIGKILL', 0);
        if (this.#ending) signalAll(this.#group, signal);
        const patience = Math.min(PATIENCE, this.#times.grace);
        // What has ended by itself has ended so: then a signal only makes haste.
        if (!this.#hasExited) this.#stopBecause({ by: 'signal', signal }, signal, patience);
        // Whatever it is stopped for: who sent the signal does not wait.
        this.#end(signal, patience);
      }),
    );
    const passed = PASSED_ON.map((signal) =>
      signals.on(signal, () => signalAll(this.#group, signal)),
    );
    const suspended = signals.on('SIGTSTP', () => void this.#suspend());
    const all = [...ends, ...passed, suspended, signals.on('SIGCONT', () => this.#resume())];
    return () => {
      for (const unsubscribe of all) unsubscribe();
    };
  }

  async #suspend(): Promise<void> {
    // Not SIGTSTP: the kernel ignores that where no shell of the same session looks after the group.
    signalAll(this.#group, 'SIGSTOP');
    await this.#options.signals.suspend();
    this.#resume();
  }

  #resume(): void {
    this.#loseWhatIsLate();
    // It must not get any time that it has not: not even until the next look.
    const isLate = isPast(this.#killAt ?? this.#times.deadline, this.#options.clocks.now());
    signalAll(this.#group, isLate ? 'SIGKILL' : 'SIGCONT');
  }
}
