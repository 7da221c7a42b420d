import { setTimeout as delay } from 'node:timers/promises';

/** The waits between attempts to connect. */
export interface Backoff {
  /** What the next wait takes at most, in milliseconds. */
  readonly next: number;
  /** Makes the next one take as long, which a service asked for. */
  atLeast(milliseconds: number): void;
  /** Waits until there may be another attempt, or the signal comes. */
  wait(signal: AbortSignal): Promise<void>;
}

/** A connection that lasted as long was none that fails at once, in milliseconds. */
const GOOD_WHILE = 5_000;
/** As long as a service may ask to be left alone, likewise. */
const LONGEST_ASKED = 60_000;

/** Each wait is twice as long as the one before, unless there was none for a good while. */
export function createBackoff([first, longest]: readonly [number, number]): Backoff {
  let next = first;
  let asked = 0;
  let since = performance.now();
  return {
    get next() {
      return Math.max(next, asked);
    },
    atLeast: (milliseconds) => {
      asked = Math.min(milliseconds, LONGEST_ASKED);
    },
    wait: async (signal) => {
      if (performance.now() - since > GOOD_WHILE) next = first;
      // Varied, so that those who lost one node do not all come to the next one at once.
      await pause(Math.max(asked, next * (0.5 + Math.random() / 2)), signal);
      next = Math.min(longest, next * 2);
      asked = 0;
      since = performance.now();
    },
  };
}

/** Something that is listened to. */
export interface Connection {
  /** Comes with the one that ends all, and when nothing came for too long. */
  readonly signal: AbortSignal;
  /** The same text, each piece of which shows that somebody is there. */
  heard(stream: AsyncIterable<string>): AsyncIterable<string>;
  end(): void;
}

/** @param silence milliseconds in which something has to come */
export function openConnection(until: AbortSignal, silence: number): Connection {
  const ending = new AbortController();
  const end = () => ending.abort();
  if (until.aborted) end();
  until.addEventListener('abort', end);
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: ending.signal,
    async *heard(stream) {
      const wait = () => {
        timer = setTimeout(end, silence);
      };
      wait();
      for await (const piece of stream) {
        // Whoever is told may take its time.
        clearTimeout(timer);
        yield piece;
        wait();
      }
    },
    end: () => {
      clearTimeout(timer);
      until.removeEventListener('abort', end);
      end();
    },
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
