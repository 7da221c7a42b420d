import type { Terminal } from './terminal.ts';

/** What nobody wants to hear of, in milliseconds. */
const SHORT_WAIT = 500;
/** Calls that follow one another so soon, in milliseconds, are one wait. */
const SHORT_PAUSE = 250;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
/** How long each of them is seen, in milliseconds. */
const FRAME = 100;

/**
 * Shows on stderr what is waited for, once that takes long. The line is gone before anything else is
 * written, and when the wait is over. Nothing of it keeps the process running, or stands in the way
 * of a signal.
 */
export class Progress {
  readonly #terminal: Terminal;
  #running = 0;
  #since = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param what is waited for, e.g. a host's name */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#begin(what);
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  #begin(what: string): void {
    this.#running += 1;
    if (this.#running > 1) return;
    const now = performance.now();
    if (now - this.#endedAt > SHORT_PAUSE) this.#since = now;
    const show = () => {
      this.#show(what);
      this.#timer = setTimeout(show, FRAME).unref();
    };
    this.#timer = setTimeout(show, Math.max(0, this.#since + SHORT_WAIT - now)).unref();
  }

  #end(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#endedAt = performance.now();
    clearTimeout(this.#timer);
    this.#terminal.clearProgress();
  }

  #show(what: string): void {
    const waited = performance.now() - this.#since;
    const frame = FRAMES[Math.floor(waited / FRAME) % FRAMES.length];
    const seconds = Math.floor(waited / 1000);
    const time = seconds > 0 ? `, ${seconds}s` : '';
    this.#terminal.showProgress(`${frame} Waiting for ${what}${time}`);
  }
}
