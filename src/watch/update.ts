import type { EventType } from '../domain/event-type.ts';
import type { Origin } from '../domain/origin.ts';
import type { LeaseKind, Sighting } from '../insight/sighting.ts';

/** Where leases are that have one clock. */
export interface Place {
  readonly service: string;
  readonly profile: string;
  /** A base URL, or a database's file. */
  readonly location: string;
}

/** What this machine noted of a lease that it took. Times are milliseconds since 1970, by its own clock. */
export interface OwnNote {
  readonly acquiredAt: number;
  readonly expiresAt: number;
  readonly renewedAt?: number | undefined;
  /** How often it was renewed. */
  readonly renewals?: number | undefined;
  readonly origin?: Origin | undefined;
}

/** That something happened to a lease, as a service tells it. Times are those of `Sighting`. */
export interface Happening {
  readonly kind: LeaseKind;
  readonly id: string;
  readonly what: EventType;
  readonly at: number;
  readonly version: number;
  readonly fencingToken: number;
  readonly ttl?: number | undefined;
  readonly endsAt?: number | undefined;
  /** Who has it, where that is told by name. */
  readonly holder?: string | undefined;
  readonly origin?: Origin | undefined;
  /** Who did it. */
  readonly caller?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly reason?: string | undefined;
}

/** What is new. */
export type Update =
  | {
      readonly type: 'seen';
      readonly place: Place;
      readonly sighting: Sighting;
      readonly own?: OwnNote | undefined;
      /** Whether somebody else has it than at the look before, though the sighting does not tell that. */
      readonly isAnothers?: boolean;
    }
  /** All that is held there: what else was, is not any more. */
  | {
      readonly type: 'listed';
      readonly place: Place;
      readonly sightings: readonly Sighting[];
      /** When, by the service's clock. */
      readonly at: number;
    }
  | { readonly type: 'happened'; readonly place: Place; readonly happening: Happening }
  /** The place does not answer any more, and why; undefined when it does again. */
  | { readonly type: 'contact'; readonly place: Place; readonly problem: string | undefined };

/** What tells of leases until it is stopped, some news at a time. Who is slow gets more at once. */
export type WatchSource = AsyncIterable<readonly Update[]>;
