import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { KnownLease } from '../ledger/ledger.ts';
import { lookAtAll } from '../ledger/look.ts';
import { kindNoted, openNoted } from '../look/noted.ts';
import type { OpenPlace } from '../look/place.ts';
import { LOCAL } from '../profiles/profile.ts';
import { keyOf } from '../watch/row.ts';
import type { Place } from '../watch/update.ts';
import { type Feed, type FeedOptions, openFeed } from './feed.ts';
import { type Named, noteOf, subjectOf } from './subject.ts';

/** How often it is looked what this machine took, in milliseconds. */
const PAUSE = 1_000;
/** What ran out so long ago, in milliseconds, is of interest to nobody who watches. */
const LONG_OVER = 600_000;
/** For how long it is looked at what became of a lease that this machine ended, in milliseconds. */
const LAST_LOOKS = 15_000;
/** Before a place is tried again that could not be connected to, in milliseconds. */
const RETRY = 30_000;

/** A place, as far as it can be connected to. */
interface Known {
  readonly open: OpenPlace | undefined;
  readonly feed: Feed | undefined;
  readonly at: number;
}

/** Watches what this machine holds, wherever, and what it takes meanwhile. */
export class LedgerWatch {
  readonly #options: FeedOptions;
  readonly #profile: string | undefined;
  readonly #watched = new Map<string, Watched>();
  readonly #places = new Map<string, Known>();
  readonly #feeds = new Map<string, Feed>();

  /** @param profile undefined for all of them */
  constructor(options: FeedOptions, profile: string | undefined) {
    this.#profile = profile;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, inbox } = this.#options;
    try {
      while (!signal.aborted) {
        await this.#look();
        await delay(PAUSE, undefined, { signal }).catch(() => undefined);
      }
    } catch (error) {
      inbox.fail(error);
    }
  }

  /** Looks how leases of a place are, soon. */
  async ask(place: Place, leases: readonly Named[]): Promise<void> {
    const isHere = (feed: Feed) => keyOf(feed.place, 'key', '') === keyOf(place, 'key', '');
    await [...this.#feeds.values()].find(isHere)?.check(leases);
  }

  async #look(): Promise<void> {
    const { now } = this.#options.context;
    const current = new Set<string>();
    for (const lease of await this.#all()) {
      if (lease.expiresAt < now() - LONG_OVER) continue;
      current.add(nameOf(lease));
      if (!this.#watched.has(nameOf(lease))) await this.#begin(lease);
    }
    for (const [name, watched] of this.#watched) {
      if (current.has(name)) watched.leftAt = undefined;
      else this.#leave(name, watched);
    }
  }

  /** What was ended is forgotten by the ledger at once; its service is still to tell how it ended. */
  #leave(name: string, watched: Watched): void {
    watched.leftAt ??= performance.now();
    if (performance.now() - watched.leftAt < LAST_LOOKS) return;
    watched.feed.remove(watched.lease);
    this.#watched.delete(name);
  }

  /** @throws Failure `usage` for a profile that there is not, and never was */
  async check(): Promise<void> {
    const profile = this.#profile;
    if (profile === undefined || profile === LOCAL || (await this.#all()).length > 0) return;
    await this.#options.context.profiles.get(profile);
  }

  /** Who only looks makes no ledger; one of an earlier leasectl has to be brought up to date. */
  async #all(): Promise<readonly KnownLease[]> {
    const { context } = this.#options;
    const { handles } = context.paths;
    const all = lookAtAll(handles) ?? (existsSync(handles) ? (await context.ledger()).all() : []);
    const profile = this.#profile;
    return all.filter(({ address }) => profile === undefined || address.profile === profile);
  }

  async #begin(lease: KnownLease): Promise<void> {
    const { now, paths } = this.#options.context;
    const kind = kindNoted(lease.address.service);
    const { open, feed } = await this.#placeOf(lease);
    const { id } = lease.address;
    if (!open || !feed) return this.#untold(kind, lease);
    this.#watched.set(nameOf(lease), { feed, lease: { kind, id }, leftAt: undefined });
    feed.add(subjectOf(open.view(id), paths.handles, now));
  }

  /** Where the service cannot be asked, there is what this machine knows. */
  #untold(kind: LeaseKind, lease: KnownLease): void {
    const { inbox } = this.#options;
    const { id, ...place } = lease.address;
    const at = lease.renewedAt ?? lease.acquiredAt;
    const sighting = { kind, id, state: 'untold', at } as const;
    inbox.push({ type: 'seen', place, sighting, own: noteOf(lease) });
  }

  async #placeOf({ address }: KnownLease): Promise<Known> {
    const { service, profile, location } = address;
    const name = [service, profile, location].join('\0');
    const known = this.#places.get(name);
    if (known && (known.open || performance.now() - known.at < RETRY)) return known;
    const open = await this.#open(address);
    const feed = open && this.#feedOf(open);
    const found = { open, feed, at: performance.now() };
    this.#places.set(name, found);
    return found;
  }

  /** @returns undefined where nothing leads there any more */
  async #open(address: KnownLease['address']): Promise<OpenPlace | undefined> {
    const { context, connect, inbox } = this.#options;
    const { service, profile, location } = address;
    try {
      return await openNoted(context, address, { ...connect, profile: undefined });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const place = { service, profile, location };
      inbox.push({ type: 'contact', place, problem: error.message });
      return undefined;
    }
  }

  #feedOf(open: OpenPlace): Feed {
    const { profile, location, isOurs, service } = open;
    const name = [isOurs ? '' : service, profile, location].join('\0');
    const feed =
      this.#feeds.get(name) ?? openFeed({ place: open, reach: open.reach }, this.#options);
    this.#feeds.set(name, feed);
    return feed;
  }
}

interface Watched {
  readonly feed: Feed;
  readonly lease: Named;
  /** Since when the ledger does not have it any more. */
  leftAt: number | undefined;
}

function nameOf({ address: { service, profile, location, id } }: KnownLease): string {
  return [service, profile, location, id].join('\0');
}
