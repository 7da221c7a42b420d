import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { EventType } from '../engine/history.ts';
import type { Facts, Happening, HeldHere } from '../insight/facts.ts';
import type { Sighting } from '../insight/sighting.ts';
import type { HeldLease } from '../ledger/ledger.ts';
import type { LeaseView, Look } from '../look/lease.ts';
import { moment } from '../look/sightings.ts';
import { processState } from '../origin/process-state.ts';
import type { EventInfo } from '../services/admin/wire.ts';

/** What was found out about a lease. */
export interface Found {
  readonly facts: Facts;
  /** Why the service could not be looked at; then the facts are what this machine knows. */
  readonly failure: Failure | undefined;
}

/** Events that are read: of those that change who has it, and of those that come again and again. */
const MOST_EVENTS = 200;
const CHANGES: readonly EventType[] = [
  ...(['added', 'acquired', 'released', 'completed', 'failed', 'canceled'] as const),
  ...(['cancel_requested', 'broken', 'expired'] as const),
];
const ROUTINE: readonly EventType[] = ['extended', 'refused'];

/**
 * Looks at a lease where it is, into this machine's ledger, and at the process that keeps it.
 *
 * @throws Failure when the service does not answer, and this machine knows nothing of it either
 */
export async function findOut(context: Context, view: LeaseView): Promise<Found> {
  const { lookAtLease } = await import('../ledger/look.ts');
  const noted = lookAtLease(context.paths.handles, view.address);
  if (noted) context.redactor.add(noted.handle);
  try {
    const [look, changes, routine] = await Promise.all([
      view.look(),
      view.history(CHANGES, MOST_EVENTS),
      view.history(ROUTINE, MOST_EVENTS),
    ]);
    const history = changes && merged([...changes, ...(routine ?? [])]);
    return { facts: await factsOf(context, look, history, noted), failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'unavailable' || !noted) throw error;
    const at = context.now();
    const { kind, address } = view;
    const { acquiredAt, expiresAt: endsAt } = noted;
    const sighting: Sighting = { kind, id: address.id, state: 'untold', at, acquiredAt, endsAt };
    return { facts: await factsOf(context, { sighting }, undefined, noted), failure: error };
  }
}

/** One that tells no time is left out. */
function merged(events: readonly EventInfo[]): Happening[] {
  return events
    .toSorted((one, other) => other.sequence - one.sequence)
    .flatMap((event) => {
      const { type, fencing_token: fencingToken, version, caller, detail } = event;
      const at = moment(event.at);
      if (at === undefined) return [];
      return { type, at, fencingToken, version, caller: caller ?? undefined, detail: detail ?? {} };
    });
}

export async function factsOf(
  context: Context,
  { sighting, handle }: Look,
  history: Facts['history'],
  noted: HeldLease | undefined,
): Promise<Facts> {
  const ahead = aheadOf(sighting.at, context.now());
  const own = noted && byClock(noted, ahead);
  const held = noted && own && isSame(sighting, handle, noted, own) ? own : undefined;
  const origin = sighting.origin ?? (held && noted?.origin);
  const takenAt = held ? noted?.acquiredAt : sighting.acquiredAt && sighting.acquiredAt - ahead;
  // Whom this machine noted itself it knows better than others say.
  const noter = held && noted?.origin;
  const keeper = noter ?? origin;
  const process =
    keeper && takenAt !== undefined
      ? await processState(keeper, takenAt, noter !== undefined)
      : 'unknown';
  return { sighting, history, held, origin, process };
}

/** Milliseconds. Services tell the time to the second, and answers take some. */
const ROUGHLY = 1_500;
/** How far two notes of the same moment may be apart. */
const NEARLY = 5_000;

/** How far the service's clock is ahead of this machine's, unless that may be nothing. */
function aheadOf(told: number, now: number): number {
  return Math.abs(told - now) < ROUGHLY ? 0 : told - now;
}

function byClock(noted: HeldLease, ahead: number): HeldHere {
  const { acquiredAt, expiresAt, renewedAt, renewals } = noted;
  return {
    acquiredAt: acquiredAt + ahead,
    expiresAt: expiresAt + ahead,
    renewedAt: renewedAt === undefined ? undefined : renewedAt + ahead,
    renewals,
  };
}

/** Whether the lease that was seen is the one that this machine acquired, as far as can be told. */
function isSame(
  { state, fencingToken, acquiredAt, endsAt }: Sighting,
  handle: string | undefined,
  noted: HeldLease,
  own: HeldHere,
): boolean {
  if (state === 'never_seen' || state === 'waiting') return false;
  if (handle !== undefined) return handle === noted.handle;
  if (fencingToken !== undefined && noted.fencingToken !== undefined) {
    return fencingToken === noted.fencingToken;
  }
  if (state === 'untold') return true;
  const [told, known] =
    acquiredAt === undefined ? [endsAt, own.expiresAt] : [acquiredAt, own.acquiredAt];
  return told !== undefined && Math.abs(told - known) < NEARLY;
}
