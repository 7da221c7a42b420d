import type { Context } from '../context.ts';
import type { Failure } from '../domain/failure.ts';
import { nearest } from '../domain/nearest.ts';
import { type Diagnosis, diagnose } from '../insight/diagnosis.ts';
import { nextOf } from '../insight/next.ts';
import { type Past, pastOf, type Refusals, refusalsIn } from '../insight/past.ts';
import { type Step, timeLineOf } from '../insight/time-line.ts';
import { type Untold, untoldIn } from '../insight/untold.ts';
import type { LeasePlace, LeaseView } from '../look/lease.ts';
import { findOut } from './facts.ts';

/** All that can be said of one lease. */
export interface Insight {
  readonly place: LeasePlace;
  readonly diagnosis: Diagnosis;
  /** Undefined where the service tells no history. */
  readonly past: Past | undefined;
  readonly refusals: Refusals | undefined;
  /** The earliest first. */
  readonly steps: readonly Step[];
  readonly untold: readonly Untold[];
  /** Ids that may have been meant. */
  readonly meant: readonly string[];
  /** The command to type next. */
  readonly next: string | undefined;
  /** Why the service could not be looked at, where this machine knows something all the same. */
  readonly failure: Failure | undefined;
}

/** Steps of the time line. */
const MOST_STEPS = 12;

/**
 * Looks at a lease from all sides.
 *
 * @param kind of `--kind`, as it was given
 * @throws Failure as `findOut`
 */
export async function lookInto(
  context: Context,
  view: LeaseView,
  kind?: string | undefined,
): Promise<Insight> {
  const { facts: found, failure } = await findOut(context, view);
  const told = diagnose(found);
  const diagnosis: Diagnosis = failure ? { ...told, name: 'unreachable' } : told;
  const { history, sighting } = found;
  const meant = sighting.state === 'never_seen' ? await idsMeant(context, view) : [];
  const { place } = view;
  const isStored = (await context.profiles.names()).includes(place.profile);
  const reach = {
    isAdministered: place.isOurs && history !== undefined,
    profile: place.flag,
    // Else a variable stands in for one, or it is built in.
    stored: isStored ? place.profile : undefined,
    ...{ kind, meant },
  };
  return {
    ...{ place, diagnosis, meant, failure },
    past: pastOf(found),
    refusals: refusalsIn(history),
    steps: timeLineOf(history ?? [], MOST_STEPS),
    untold: failure ? [] : untoldIn(diagnosis, sighting.state !== 'untold'),
    next: nextOf(diagnosis, reach),
  };
}

/** What is there, or what this machine has of that place. */
async function idsMeant(context: Context, view: LeaseView): Promise<string[]> {
  const { lookAtLedger } = await import('../ledger/look.ts');
  const { id, service, profile } = view.address;
  const noted = lookAtLedger(context.paths.handles, service)
    .filter((lease) => lease.profile === profile)
    .map((lease) => lease.id);
  const known = [...noted, ...(await view.similar())].filter((other) => other !== id);
  return (await nearest(id, [...new Set(known)])).slice(0, MOST_MEANT);
}

/** More would be no help. */
const MOST_MEANT = 3;
