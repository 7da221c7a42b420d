import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { LeaseView } from '../look/place.ts';
import type { Inbox } from '../watch/inbox.ts';
import type { Place } from '../watch/update.ts';
import { Poll } from './poll.ts';
import { Push } from './push.ts';
import { type Named, nameOf, placeOf, type Subject } from './subject.ts';

/** Before it is tried again what did not answer at first, in milliseconds. */
const RETRY = 5_000;

export interface FeedOptions {
  readonly context: Context;
  readonly connect: ConnectOptions;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  /** Whether all ends where a place refuses to tell anything at all. */
  readonly isStrict: boolean;
  /** Whether one that does not answer at first is waited for. */
  readonly isPatient: boolean;
}

/** What is told of the leases of one place. */
export interface Feed {
  readonly place: Place;
  add(subject: Subject): void;
  remove(lease: Named): void;
  /** Looks how leases are, soon. */
  check(leases: readonly Named[]): Promise<void>;
}

type Reached = Pick<LeaseView, 'place' | 'reach'>;

/**
 * Begins to watch a place: leasectl's own service tells what happens there, if it may; everybody else
 * is asked.
 */
export function openFeed(reached: Reached, options: FeedOptions): Feed {
  const feed = new PlaceFeed(reached, options);
  void feed.run();
  return feed;
}

class PlaceFeed implements Feed {
  readonly place: Place;
  readonly #reached: Reached;
  readonly #options: FeedOptions;
  readonly #poll: Poll;
  readonly #subjects = new Map<string, Subject>();
  /** By which news come for now. */
  #means: Push | Poll;

  constructor(reached: Reached, options: FeedOptions) {
    const { inbox, signal, isStrict } = options;
    const { isOurs } = reached.place;
    this.place = placeOf(reached.place);
    this.#reached = reached;
    this.#options = options;
    const { place } = this;
    this.#poll = new Poll({ place, isOurs, isStrict, inbox, signal });
    this.#means = this.#poll;
  }

  add(subject: Subject): void {
    this.#subjects.set(nameOf(subject), subject);
    this.#means.add(subject);
  }

  remove(lease: Named): void {
    this.#subjects.delete(nameOf(lease));
    this.#means.remove(lease);
  }

  check(leases: readonly Named[]): Promise<void> {
    return this.#means.check(leases);
  }

  async run(): Promise<void> {
    const { inbox, signal } = this.#options;
    if (!this.#reached.place.isOurs) return this.#poll.run();
    const error = await untilRefused(() => this.#push(), this.place, this.#options);
    if (signal.aborted) return;
    const isForbidden = error instanceof Failure && error.code !== 'unavailable';
    return isForbidden ? this.#fallBack() : inbox.fail(error);
  }

  /** @throws Failure as `Context.admin` and `Push.run` */
  async #push(): Promise<void> {
    const { context, inbox, signal } = this.#options;
    const { client } = await context.admin(this.#reached.reach);
    const { place } = this;
    const push = new Push({ client, place, isAll: false, inbox, signal, now: context.now });
    this.#means = push;
    for (const subject of this.#subjects.values()) push.add(subject);
    await push.run();
  }

  /** Whoever may not be told what happens may still look. */
  #fallBack(): Promise<void> {
    this.#means = this.#poll;
    for (const subject of this.#subjects.values()) this.#poll.add(subject);
    return this.#poll.run();
  }
}

/** Begins to watch everybody's leases. @throws Failure as `Context.admin` */
export async function openFeedOfAll(options: FeedOptions): Promise<Pick<Feed, 'place' | 'check'>> {
  const { context, connect, inbox, signal } = options;
  const { client, target, addressOf } = await context.admin(connect);
  const { location } = addressOf('');
  const place = { service: 'leasectl', profile: target.profile, location };
  const push = new Push({ client, place, isAll: true, inbox, signal, now: context.now });
  void untilRefused(() => push.run(), place, options).then((error) => {
    if (!signal.aborted) inbox.fail(error);
  });
  return { place, check: (leases) => push.check(leases) };
}

/** Tries again as long as that may be of use. @returns why it is not, or what ended it all */
async function untilRefused(
  push: () => Promise<void>,
  place: Place,
  { inbox, signal, isPatient }: FeedOptions,
): Promise<unknown> {
  for (;;) {
    try {
      return await push();
    } catch (error) {
      const isPassing = error instanceof Failure && error.code === 'unavailable' && isPatient;
      if (!isPassing || signal.aborted) return error;
      inbox.push({ type: 'contact', place, problem: error.message });
      await delay(RETRY, undefined, { signal }).catch(() => undefined);
    }
  }
}
