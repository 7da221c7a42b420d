import type { RouteAnswer } from '../http/route.ts';
import type { Pause } from './pause.ts';

export interface StreamsOptions {
  /** That may be open at a time. */
  readonly most?: number;
  readonly pause: Pause;
}

/** Who listens. */
export interface Listener {
  readonly namespace: string;
  /** Whether it still may; it is asked from time to time. */
  readonly isAllowed: () => Promise<boolean>;
  /** Told why there is no more to be told. */
  readonly onFailure: (error: unknown) => void;
}

/** Fewer than there may be connections: requests are to be answered, too. */
const MOST_STREAMS = 1_000;
/** Milliseconds between two looks whether a listener still may listen. */
const CHECK_INTERVAL = 2_000;

/** The answers of a node that go on. */
export class Streams {
  readonly #options: Required<StreamsOptions>;
  readonly #open = new Map<AbortController, Listener>();
  #isStopped = false;

  constructor(options: StreamsOptions) {
    this.#options = { most: MOST_STREAMS, ...options };
  }

  /**
   * Whether there is room for one more of a namespace. Where there is none, the one that has most of them
   * has to give up a place to one that has fewer: nobody keeps all others out.
   */
  admits(namespace: string): boolean {
    if (this.#isStopped) return false;
    if (this.#open.size < this.#options.most) return true;
    const counts = new Map<string, number>();
    let [most, last]: [number, AbortController | undefined] = [0, undefined];
    for (const [ending, listener] of this.#open) {
      const count = 1 + (counts.get(listener.namespace) ?? 0);
      counts.set(listener.namespace, count);
      if (count >= most) [most, last] = [count, ending];
    }
    if (most <= 1 + (counts.get(namespace) ?? 0)) return false;
    last?.abort();
    return true;
  }

  /** How many listen to what is in a namespace. */
  count(namespace: string): number {
    return [...this.#open.values()].filter((listener) => listener.namespace === namespace).length;
  }

  /** Ends all of them, and begins no more. */
  stop(): void {
    this.#isStopped = true;
    for (const ending of this.#open.keys()) ending.abort();
  }

  /**
   * A body that is made as it is read. It ends when its reader is gone, when that may not read it any
   * more, or with the others.
   */
  begin(
    pieces: NonNullable<RouteAnswer['pieces']>,
    listener: Listener,
  ): ReadableStream<Uint8Array> {
    const ending = new AbortController();
    const { signal } = ending;
    this.#open.set(ending, listener);
    signal.addEventListener('abort', () => this.#open.delete(ending));
    void this.#watch(ending, listener);
    const source = pieces(signal)[Symbol.asyncIterator]();
    // Of what nobody takes any more nothing else is the end.
    signal.addEventListener('abort', () => void source.return?.().catch(() => undefined));
    const encoder = new TextEncoder();
    return new ReadableStream(
      {
        start: (controller) => signal.addEventListener('abort', () => close(controller)),
        pull: async (controller) => {
          const { done, value } = await source.next().catch((error: unknown) => {
            listener.onFailure(error);
            return OVER;
          });
          if (done) ending.abort();
          else if (!signal.aborted) controller.enqueue(encoder.encode(value));
        },
        cancel: () => ending.abort(),
      },
      { highWaterMark: 0 },
    );
  }

  async #watch(ending: AbortController, { isAllowed }: Listener): Promise<void> {
    const { signal } = ending;
    while (!signal.aborted) {
      await this.#options.pause(CHECK_INTERVAL, signal);
      // What cannot be found out now may be so the next time.
      if (!signal.aborted && !(await isAllowed().catch(() => true))) ending.abort();
    }
  }
}

const OVER = { done: true, value: undefined } as const;

function close(controller: ReadableStreamDefaultController): void {
  try {
    controller.close();
  } catch {
    // Its reader has canceled it.
  }
}
