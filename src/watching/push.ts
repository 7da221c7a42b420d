import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { EVENT_TYPES } from '../domain/event-type.ts';
import { Failure } from '../domain/failure.ts';
import { parseOrigin } from '../domain/origin.ts';
import type { LeaseKind, Sighting } from '../insight/sighting.ts';
import { moment, sightingOfLease } from '../look/sightings.ts';
import type { AdminClient } from '../services/admin/client.ts';
import type { EventInfo } from '../services/admin/wire.ts';
import type { Inbox } from '../watch/inbox.ts';
import type { Happening, Place } from '../watch/update.ts';
import { type Named, nameOf, type Subject } from './subject.ts';

/** Leases that are listed at most: more of them nobody could watch. */
export const MOST_LISTED = 10_000;
const PAGE = '1000';
/** After so long without an event a service is asked whether it is there, in milliseconds. */
const SILENCE = 5_000;
/** So many leases are looked at one by one. */
const MOST_LOOKS = 5;
/** Before it is listed again what could not be, in milliseconds. */
const RETRY = 2_000;

export interface PushOptions {
  readonly client: AdminClient;
  readonly place: Place;
  /** Whether everybody's leases are meant. */
  readonly isAll: boolean;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  readonly now: Clock;
}

/** Told by leasectl's own service of what happens there, and of how things are when that begins. */
export class Push {
  readonly #options: PushOptions;
  readonly #wanted = new Map<string, Subject>();
  #isConnected = false;
  #isChecking = false;
  #heardAt = 0;
  #scope = new AbortController();
  #only: Subject | undefined;

  constructor(options: PushOptions) {
    this.#options = options;
  }

  add(subject: Subject): void {
    this.#wanted.set(nameOf(subject), subject);
    // Of one lease alone nothing else is told.
    if (this.#only && nameOf(this.#only) !== nameOf(subject)) this.#scope.abort();
    else if (this.#isConnected) void this.#persistently(() => this.#look(subject));
  }

  remove(subject: Named): void {
    this.#wanted.delete(nameOf(subject));
  }

  /**
   * Looks at leases, once: whoever is told of what happens late, or not at all, learns how they are.
   * Not answered, it is asked again by whoever still wants to know.
   */
  async check(leases: readonly Named[]): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      if (this.#options.isAll && leases.length > MOST_LOOKS) await this.#list();
      else for (const lease of leases) await this.#lookAt(lease);
    } catch (error) {
      if (!(error instanceof Failure)) this.#options.inbox.fail(error);
    } finally {
      this.#isChecking = false;
    }
  }

  /** @throws Failure as `AdminClient.follow` */
  async run(): Promise<void> {
    const { signal } = this.#options;
    void this.#probe();
    while (!signal.aborted) {
      this.#scope = new AbortController();
      await this.#follow(AbortSignal.any([signal, this.#scope.signal]));
    }
  }

  /** A service that hangs says nothing of that: asked for something small it does not answer. */
  async #probe(): Promise<void> {
    const { client, inbox, place, signal } = this.#options;
    while (!signal.aborted) {
      await delay(SILENCE, undefined, { signal }).catch(() => undefined);
      if (!this.#isConnected || performance.now() - this.#heardAt < SILENCE) continue;
      const problem = await client.leases({ limit: '1' }).then(
        () => undefined,
        (error: unknown) => (error instanceof Failure ? error.message : String(error)),
      );
      if (!this.#isConnected || signal.aborted) continue;
      inbox.push({ type: 'contact', place, problem });
    }
  }

  /** @param signal comes also when what is to be told is another part of all */
  async #follow(signal: AbortSignal): Promise<void> {
    const { client, inbox, place, isAll } = this.#options;
    const [only, ...others] = this.#wanted.values();
    this.#only = !isAll && only && others.length === 0 ? only : undefined;
    const part = this.#only ? { kind: this.#only.kind, id: this.#only.id } : {};
    const hooks = {
      onConnected: () => this.#connected(),
      onLost: ({ message: problem }: Failure) => {
        this.#isConnected = false;
        inbox.push({ type: 'contact', place, problem });
      },
    };
    for await (const event of client.follow(part, signal, hooks)) {
      this.#heardAt = performance.now();
      const happening = happeningOf(event);
      if (happening && this.#isWanted(happening))
        inbox.push({ type: 'happened', place, happening });
    }
  }

  #isWanted(happening: Happening): boolean {
    return this.#options.isAll || this.#wanted.has(nameOf(happening));
  }

  #connected(): void {
    const { inbox, place, isAll } = this.#options;
    this.#isConnected = true;
    inbox.push({ type: 'contact', place, problem: undefined });
    void this.#persistently(async () => {
      if (isAll) return this.#list();
      for (const subject of this.#wanted.values()) await this.#look(subject);
    });
  }

  /** What has happened before the first event. */
  async #list(): Promise<void> {
    const { client, inbox, place } = this.#options;
    const sightings: Sighting[] = [];
    let at: number | undefined;
    let after: string | undefined;
    do {
      const page = await client.leases({ state: 'held', limit: PAGE, after });
      at ??= moment(page.now) ?? this.#options.now();
      const time = at;
      sightings.push(...page.leases.map((lease) => sightingOfLease(lease, time)));
      after = page.next ?? undefined;
    } while (after !== undefined && sightings.length < MOST_LISTED);
    inbox.push({ type: 'listed', place, sightings, at });
  }

  async #look({ view, own }: Subject): Promise<void> {
    const { inbox, place } = this.#options;
    const look = await view.look();
    inbox.push({ type: 'seen', place, sighting: look.sighting, own: own(look) });
  }

  async #lookAt({ kind, id }: Named): Promise<void> {
    const subject = this.#wanted.get(nameOf({ kind, id }));
    if (subject) return this.#look(subject);
    const { client, inbox, place, now } = this.#options;
    const lease = await client.lease({ kind, id });
    const sighting = sightingOfLease(lease, moment(lease.now) ?? now());
    inbox.push({ type: 'seen', place, sighting });
  }

  /** Until the service answers, or everything ends. */
  async #persistently(work: () => Promise<void>): Promise<void> {
    const { inbox, place, signal } = this.#options;
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) return;
        const isPassing = error instanceof Failure && error.code === 'unavailable';
        if (!isPassing) return inbox.fail(error);
        inbox.push({ type: 'contact', place, problem: error.message });
        await delay(RETRY, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

/** @returns undefined for what this version knows nothing of */
function happeningOf(event: EventInfo): Happening | undefined {
  const what = EVENT_TYPES.find((known) => known === event.type);
  const at = moment(event.at);
  if (what === undefined || at === undefined) return undefined;
  const { kind, id, version, fencing_token: fencingToken, caller, detail } = event;
  const { ttl, origin, error_code, reason } = detail ?? {};
  return {
    ...{ kind: kindOf(kind), id, what, at, version, fencingToken },
    ttl: typeof ttl === 'number' ? ttl * 1000 : undefined,
    origin: parseOrigin(origin),
    caller: caller ?? undefined,
    errorCode: typeof error_code === 'string' ? error_code : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
  };
}

function kindOf(kind: string): LeaseKind {
  return kind === 'job' || kind === 'runner_job' ? kind : 'key';
}
