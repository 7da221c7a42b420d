import type { Engine } from './engine.ts';
import type { Event, Tail } from './history.ts';

export interface FeedOptions extends Pick<Engine, 'tail'> {
  /** Waits so many milliseconds, or until the signal comes. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** What happens in a namespace, for any number of readers at the price of one. */
export interface Feed {
  /**
   * Looks whether it can be followed.
   *
   * @throws Failure `invalid_request` for what is no cursor; as the store
   */
  check(after: string | undefined): Promise<void>;
  /**
   * Tells what follows a cursor, or what happens from now on, until the signal comes. First of all it
   * tells a place, with or without events. A reader is told everything once, however slow it is, or
   * fast: it is not read ahead of it.
   *
   * @throws Failure as the store, once it cannot be looked at; what was told is told by its cursor
   */
  follow(after: string | undefined, signal: AbortSignal): AsyncGenerator<Tail, void>;
}

/** Milliseconds between two looks while somebody reads. */
export const LOOK_INTERVAL = 250;
/** Events that one look reads at a time. */
export const PAGE = 1_000;
/** Events that are kept for readers who are late; who is later looks at the database. */
const MOST_KEPT = 10_000;

export function createFeed(options: FeedOptions): Feed {
  let round: Round | undefined;
  return {
    check: async (after) => {
      await options.tail(after, 1);
    },
    async *follow(after, signal) {
      if (!round?.isGoing) round = new Round(options);
      const own = round;
      // With the signal: who does not read any more does not end what he reads.
      const leave = own.join(signal);
      try {
        yield* read(own, options.tail, after, signal);
      } finally {
        leave();
      }
    },
  };
}

async function* read(
  round: Round,
  tail: Engine['tail'],
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Tail, void> {
  await round.looked(signal);
  if (signal.aborted) return;
  let cursor = after ?? round.cursor;
  let place = after === undefined ? round.end : round.placeOf(after);
  /** Told already, and to be told once more by the round. */
  let known = new Set<number>();
  if (place !== undefined) yield { events: [], cursor };
  while (!signal.aborted) {
    if (place === undefined || place < round.begin) {
      const first = await tail(cursor, PAGE);
      yield first;
      cursor = first.cursor;
      if (first.events.length === PAGE) continue;
      // What the round tells behind this place was not there when the first part was read.
      await round.looked(signal);
      const { end } = round;
      const rest = await tail(cursor, PAGE);
      yield rest;
      cursor = rest.cursor;
      if (rest.events.length === PAGE) continue;
      place = end;
      known = new Set(rest.events.map(({ sequence }) => sequence));
    }
    const next = round.at(place);
    if (next) {
      place += 1;
      cursor = next.cursor;
      const isKnown = ({ sequence }: Event) => known.delete(sequence);
      yield known.size > 0
        ? { cursor, events: next.events.filter((event) => !isKnown(event)) }
        : next;
    } else await round.changed(signal);
  }
}

/** The looks that are made from the first reader's coming to the last one's leaving, or to a failure. */
class Round {
  readonly #options: FeedOptions;
  readonly #ending = new AbortController();
  readonly #waiting = new Set<() => void>();
  /** Of the first one that is kept. */
  #begin = 0;
  #kept: Tail[] = [];
  #events = 0;
  #cursor: string | undefined;
  /** Looks that have begun, and the number of the last one that left nothing to be read. */
  #begun = 0;
  #complete = 0;
  #readers = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    void this.#run();
  }

  get isGoing(): boolean {
    return !this.#ending.signal.aborted;
  }

  /** Number of the first batch that is kept, and the one behind the last. */
  get begin(): number {
    return this.#begin;
  }

  get end(): number {
    return this.#begin + this.#kept.length;
  }

  /** Where the last look ended. */
  get cursor(): string {
    if (this.#cursor === undefined) throw new Error('nobody has looked yet');
    return this.#cursor;
  }

  /** One reader more, until the signal. @returns what lets it leave before */
  join(signal: AbortSignal): () => void {
    this.#readers += 1;
    let isHere = true;
    const leave = () => {
      signal.removeEventListener('abort', leave);
      if (isHere) this.#readers -= 1;
      isHere = false;
      if (this.#readers === 0) this.#ending.abort();
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
    return leave;
  }

  at(place: number): Tail | undefined {
    return this.#kept[place - this.#begin];
  }

  /** Of the batch that follows a cursor; undefined where that is not known. */
  placeOf(cursor: string): number | undefined {
    if (cursor === this.#cursor) return this.end;
    const index = this.#kept.findIndex((batch) => batch.cursor === cursor);
    return index < 0 ? undefined : this.#begin + index + 1;
  }

  /**
   * Waits for the first look, or for one that has not begun yet and leaves nothing to be read: nobody has
   * been told by now of anything behind that.
   */
  async looked(signal: AbortSignal): Promise<void> {
    const before = this.#complete === 0 ? 0 : this.#begun;
    while (this.#complete <= before && !signal.aborted) await this.#turn(signal);
  }

  /** Waits until there is more, or the signal comes. */
  async changed(signal: AbortSignal): Promise<void> {
    const { end } = this;
    while (this.end === end && !signal.aborted) await this.#turn(signal);
  }

  /** Waits for the end of a look, or the signal. @throws why there are no more */
  async #turn(signal: AbortSignal): Promise<void> {
    if (!this.#failure) {
      await new Promise<void>((resolve) => {
        const go = () => {
          this.#waiting.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        this.#waiting.add(go);
        signal.addEventListener('abort', go);
      });
    }
    if (this.#failure && !signal.aborted) throw this.#failure.error;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const isAll = await this.#look();
      for (const go of [...this.#waiting]) go();
      if (isAll) await this.#options.pause(LOOK_INTERVAL, signal);
    }
  }

  /** @returns whether nothing is left to be read for now */
  async #look(): Promise<boolean> {
    this.#begun += 1;
    try {
      const found = await this.#options.tail(this.#cursor, PAGE);
      this.#cursor = found.cursor;
      if (found.events.length > 0) this.#keep(found);
      const isAll = found.events.length < PAGE;
      if (isAll) this.#complete = this.#begun;
      return isAll;
    } catch (error) {
      this.#failure = { error };
      this.#ending.abort();
      return true;
    }
  }

  #keep(found: Tail): void {
    this.#kept.push(found);
    this.#events += found.events.length;
    while (this.#events > MOST_KEPT) {
      this.#events -= this.#kept.shift()?.events.length ?? 0;
      this.#begin += 1;
    }
  }
}
