import { writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { keyBegun, keysIn } from './keys.ts';
import { ENTER, LEAVE } from './live-screen.ts';
import { guardScreen, type ScreenGuard } from './screen-guard.ts';

/** How long the rest of a key may take, in milliseconds: over a slow line, too. */
const REST_OF_KEY = 60;

/** What was typed for somebody else comes so soon after the terminal is taken back, in milliseconds. */
const DEAF = 50;

/** What ends a process that nobody asked to end by a key. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

export interface ScreenListener {
  key(name: string): void;
  /** The screen has another size, or has to be drawn anew. */
  resized(): void;
}

/**
 * All of a terminal: its other screen, and its keys as they are pressed. However the process ends,
 * the terminal is left as it was found.
 */
export class FullScreen {
  readonly #host: NodeJS.Process;
  readonly #listener: ScreenListener;
  #guard: ScreenGuard | undefined;
  #decoder = new StringDecoder('utf8');
  #rest = '';
  #timer: NodeJS.Timeout | undefined;
  #isOn = false;
  #isSuspended = false;
  #deafUntil = 0;
  #onInterrupt: (() => void) | undefined;

  constructor(host: NodeJS.Process, listener: ScreenListener) {
    this.#host = host;
    this.#listener = listener;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#host.stdout;
    return { columns: columns || 80, rows: rows || 24 };
  }

  readonly write = (text: string): void => {
    if (this.#isOn) this.#host.stdout.write(text);
  };

  async open(): Promise<void> {
    this.#guard = await guardScreen(this.#host.env['PATH'] ?? '');
    this.#host.on('exit', this.#leave);
    for (const signal of ENDINGS) this.#host.on(signal, this.#end);
    this.#host.on('SIGTSTP', this.suspend);
    this.#host.on('SIGCONT', this.#continue);
    this.enter();
  }

  /** Takes the terminal, again after `leave`. */
  enter(): void {
    const { stdin, stdout } = this.#host;
    if (this.#isOn) return;
    this.#isOn = true;
    this.#takeBack();
    stdin.setRawMode(true);
    this.#guard?.entered();
    stdin.on('data', this.#type);
    stdin.resume();
    stdout.on('resize', this.#resize);
    stdout.write(ENTER);
  }

  /**
   * Gives the terminal to others in this process, until `enter`. A Ctrl-C, or SIGINT, is theirs.
   *
   * @returns when it came
   */
  lend(onInterrupt: () => void): Promise<void> {
    this.leave();
    this.#host.off('SIGINT', this.#end);
    return new Promise((resolve) => {
      this.#onInterrupt = () => {
        onInterrupt();
        resolve();
      };
      this.#host.on('SIGINT', this.#onInterrupt);
    });
  }

  #takeBack(): void {
    if (!this.#onInterrupt) return;
    this.#deafUntil = performance.now() + DEAF;
    this.#host.off('SIGINT', this.#onInterrupt);
    this.#host.on('SIGINT', this.#end);
    this.#onInterrupt = undefined;
  }

  /** Gives the terminal back, for others to use it; nothing of it is read any more. */
  leave(): void {
    const { stdin, stdout } = this.#host;
    stdout.off('resize', this.#resize);
    stdin.off('data', this.#type);
    stdin.pause();
    this.#leave();
  }

  close(): void {
    this.leave();
    this.#guard?.release();
    this.#host.off('exit', this.#leave);
    for (const signal of ENDINGS) this.#host.off(signal, this.#end);
    this.#host.off('SIGTSTP', this.suspend);
    this.#host.off('SIGCONT', this.#continue);
  }

  /** Ends the process as a signal does that nobody listens to: so a script stops, too. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.close();
    this.#host.removeAllListeners(signal);
    this.#host.kill(this.#host.pid, signal);
  };

  interrupt(): void {
    this.#end('SIGINT');
  }

  /** Stops the process, as Ctrl-Z does; where it goes on it takes the terminal again. */
  readonly suspend = (): void => {
    this.#isSuspended = this.#isOn;
    this.leave();
    this.#host.off('SIGTSTP', this.suspend);
    this.#host.kill(this.#host.pid, 'SIGTSTP');
  };

  /** Also after a stop that nobody was told of: who had the terminal meanwhile left it as he likes it. */
  readonly #continue = (): void => {
    if (!this.#host.listeners('SIGTSTP').includes(this.suspend)) {
      this.#host.on('SIGTSTP', this.suspend);
    }
    if (!this.#isOn && !this.#isSuspended) return;
    this.#isSuspended = false;
    this.leave();
    this.enter();
    this.#listener.resized();
  };

  /** At once: the process may be about to end. */
  readonly #leave = (): void => {
    if (!this.#isOn) return;
    this.#isOn = false;
    try {
      writeSync(1, LEAVE);
      this.#host.stdin.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
    this.#guard?.left();
  };

  readonly #resize = (): void => this.#listener.resized();

  readonly #type = (chunk: Buffer): void => {
    if (performance.now() < this.#deafUntil) return;
    clearTimeout(this.#timer);
    const { keys, rest } = keysIn(this.#rest + this.#decoder.write(chunk));
    this.#rest = rest;
    for (const key of keys) this.#listener.key(key);
    if (rest) this.#timer = setTimeout(this.#begun, REST_OF_KEY);
  };

  readonly #begun = (): void => {
    const keys = keyBegun(this.#rest);
    this.#rest = '';
    for (const key of keys) this.#listener.key(key);
  };
}
