import type { Clock } from '../domain/clock.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { LeaseAddress } from '../ledger/address.ts';
import type { HeldLease, KnownLease } from '../ledger/ledger.ts';
import { lookAtLease } from '../ledger/look.ts';
import type { LeasePlace, LeaseView, Look } from '../look/place.ts';
import type { OwnNote, Place } from '../watch/update.ts';

/** Leases of leasectl's own service have one place, whatever they are on. */
export function placeOf({ service, profile, location, isOurs }: LeasePlace): Place {
  return { service: isOurs ? 'leasectl' : service, profile, location };
}

/** Which lease of a place. */
export interface Named {
  readonly kind: LeaseKind;
  readonly id: string;
}

export function nameOf({ kind, id }: Named): string {
  return `${kind}:${id}`;
}

/** A lease that is looked at again and again. */
export interface Subject extends Named {
  readonly view: LeaseView;
  /**
   * What this machine notes of it now; undefined where it did not take it, or has ended it.
   *
   * @param look what the service tells now; undefined where it tells nothing
   */
  readonly own: (look?: Look) => OwnNote | undefined;
}

type Noted = Omit<KnownLease, 'address'>;

export function noteOf({ acquiredAt, expiresAt, renewedAt, renewals, origin }: Noted): OwnNote {
  return { acquiredAt, expiresAt, renewedAt, renewals, origin };
}

/** @param handles the ledger's file */
export function subjectOf(view: LeaseView, handles: string, now: Clock): Subject {
  const { kind, address } = view;
  return { kind, id: address.id, view, own: ownAt(address, handles, now) };
}

function ownAt(address: LeaseAddress, handles: string, now: Clock): Subject['own'] {
  return (look) => {
    const held = lookAtLease(handles, address);
    return held && (!look || isSame(look, held, now())) ? noteOf(held) : undefined;
  };
}

/** How far two notes of the same moment may be apart, in milliseconds. */
const NEARLY = 5_000;

/** Whether the lease that is there is the one that this machine took, as far as that can be told. */
function isSame({ sighting, handle }: Look, held: HeldLease, now: number): boolean {
  const { state, fencingToken, acquiredAt, endsAt, at } = sighting;
  if (state === 'never_seen' || state === 'waiting') return false;
  if (handle !== undefined) return handle === held.handle;
  if (fencingToken !== undefined && held.fencingToken !== undefined) {
    return fencingToken === held.fencingToken;
  }
  if (state === 'untold') return true;
  // Each of them by a clock of its own: how long ago, and how long yet, is what can be compared.
  const [told, known] =
    acquiredAt === undefined ? [endsAt, held.expiresAt] : [acquiredAt, held.acquiredAt];
  return told !== undefined && Math.abs(told - at - (known - now)) < NEARLY;
}
