import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { Sighting } from '../insight/sighting.ts';
import type { Inbox } from '../watch/inbox.ts';
import type { Place } from '../watch/update.ts';
import { type Named, nameOf, type Subject } from './subject.ts';

/** How often a lease is looked at, at most, in milliseconds: where others' service is asked, and ours. */
const HOSTED_PAUSE = 5_000;
const OWN_PAUSE = 1_000;
/** Between one look and the next, whichever leases they are at. */
const APART = 200;
/** After looks that failed, in milliseconds: doubled each time, from the first to the second. */
const RETRY = [1_000, 30_000] as const;
/** A lease that ends is looked at so soon after that. */
const AFTER_END = 300;

interface Turn {
  readonly subject: Subject;
  /** Of whoever had it last, where that is told; secret. */
  handle: string | undefined;
  dueAt: number;
  /** Until then the service is to be left alone. */
  restUntil: number;
}

export interface PollOptions {
  readonly place: Place;
  readonly isOurs: boolean;
  /** Whether all ends where the place refuses to tell anything at all. */
  readonly isStrict: boolean;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
}

/**
 * Looks at leases of one place, one after the other and each no more often than the service wants.
 * All of it ends with the signal.
 */
export class Poll {
  readonly #place: Place;
  readonly #isOurs: boolean;
  readonly #isStrict: boolean;
  readonly #inbox: Inbox;
  readonly #signal: AbortSignal;
  readonly #turns = new Map<string, Turn>();
  #wake = new AbortController();
  #failures = 0;
  #wasSeen = false;

  constructor({ place, isOurs, isStrict, inbox, signal }: PollOptions) {
    this.#place = place;
    this.#isOurs = isOurs;
    this.#isStrict = isStrict;
    this.#inbox = inbox;
    this.#signal = signal;
  }

  /** Looks at it from now on, or at once. */
  add(subject: Subject): void {
    this.#turns.set(nameOf(subject), {
      subject,
      dueAt: performance.now(),
      restUntil: 0,
      handle: undefined,
    });
    this.#wake.abort();
  }

  /** Looks at leases as soon as the service may be asked for them. */
  async check(leases: readonly Named[]): Promise<void> {
    for (const lease of leases) {
      const turn = this.#turns.get(nameOf(lease));
      if (turn) turn.dueAt = Math.min(turn.dueAt, turn.restUntil);
    }
    this.#wake.abort();
  }

  remove(subject: Named): void {
    this.#turns.delete(nameOf(subject));
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const next = this.#next();
      const wait = next === undefined ? Infinity : next.dueAt - performance.now();
      if (next && wait <= 0) {
        await this.#look(next);
        await this.#pause(APART);
      } else await this.#pauseUnlessWoken(wait);
    }
  }

  #next(): Turn | undefined {
    let next: Turn | undefined;
    for (const turn of this.#turns.values()) if (!next || turn.dueAt < next.dueAt) next = turn;
    return next;
  }

  async #look(turn: Turn): Promise<void> {
    const { subject } = turn;
    const place = this.#place;
    try {
      const look = await subject.view.look();
      const { sighting, handle } = look;
      const isAnothers = turn.handle !== undefined && (handle ?? turn.handle) !== turn.handle;
      turn.handle = handle ?? turn.handle;
      this.#failures = 0;
      this.#wasSeen = true;
      turn.dueAt = performance.now() + this.#pauseAfter(sighting);
      turn.restUntil = performance.now() + Math.max(OWN_PAUSE, sighting.retryAfter ?? 0);
      const problem = undefined;
      this.#inbox.push(
        { type: 'contact', place, problem },
        { type: 'seen', place, sighting, own: subject.own(look), isAnothers },
      );
    } catch (error) {
      const isLasting = !(error instanceof Failure) || error.code !== 'unavailable';
      if (isLasting && this.#isStrict && !this.#wasSeen) return this.#inbox.fail(error);
      this.#untold(subject, error instanceof Error ? error.message : String(error));
      const [first, last] = RETRY;
      const retry = Math.min(last, first * 2 ** this.#failures);
      this.#failures += 1;
      // All of the place have to wait: it is that which does not answer.
      const restUntil = performance.now() + retry;
      for (const other of this.#turns.values()) {
        other.restUntil = Math.max(other.restUntil, restUntil);
        other.dueAt = Math.max(other.dueAt, restUntil);
      }
    }
  }

  /** What this machine knows of its own lease is better than nothing. */
  #untold({ kind, id, own }: Subject, problem: string): void {
    const place = this.#place;
    const note = this.#wasSeen ? undefined : own();
    if (note) {
      // Nothing is known of any time since.
      const at = note.renewedAt ?? note.acquiredAt;
      const sighting = { kind, id, state: 'untold', at } as const;
      this.#inbox.push({ type: 'seen', place, sighting, own: note });
    }
    this.#inbox.push({ type: 'contact', place, problem });
  }

  #pauseAfter({ retryAfter = 0, state, endsAt, at }: Sighting): number {
    const usual = Math.max(retryAfter, this.#isOurs ? OWN_PAUSE : HOSTED_PAUSE);
    if (state !== 'held' || endsAt === undefined) return usual;
    // What nobody renews until then is free then.
    const left = endsAt - at + AFTER_END;
    return left > 0 ? Math.max(retryAfter, Math.min(usual, left)) : usual;
  }

  async #pauseUnlessWoken(milliseconds: number): Promise<void> {
    this.#wake = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#wake.signal]);
    await pauseFor(Math.min(milliseconds, LONGEST), signal);
  }

  #pause(milliseconds: number): Promise<void> {
    return pauseFor(milliseconds, this.#signal);
  }
}

/** Of one wait, in milliseconds: it is looked again what is due then. */
const LONGEST = 60_000;

async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
