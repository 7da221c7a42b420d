import type { Context } from '../context.ts';
import type { Failure } from '../domain/failure.ts';
import { type Diagnosis, type DiagnosisName, diagnose } from '../insight/diagnosis.ts';
import type { Facts } from '../insight/facts.ts';
import type { Sighting } from '../insight/sighting.ts';
import type { AdminClient } from '../services/admin/client.ts';
import { MOST_LISTED } from '../services/admin/wire.ts';

/** A lease of a list. */
export interface Listed {
  /** The service that it is at. */
  readonly service: string;
  readonly profile: string;
  readonly diagnosis: Diagnosis;
  /** Whether what is told of it is the service's word, and not only this machine's. */
  readonly isAsked: boolean;
  /** Why the service could not be asked. */
  readonly failure: Failure | undefined;
}

/** Milliseconds since 1970, or long, as far as they are known. */
export interface Times {
  readonly at: number;
  readonly takenAt: number | undefined;
  readonly renewedAt: number | undefined;
  readonly endsAt: number | undefined;
  readonly ttl: number | undefined;
}

export function timesOf({ diagnosis: { facts } }: Listed): Times {
  const { sighting, held } = facts;
  const { at } = sighting;
  const takenAt = sighting.acquiredAt ?? held?.acquiredAt;
  const endsAt = sighting.endsAt ?? held?.expiresAt;
  const ttl = sighting.ttl ?? (held && held.expiresAt - (held.renewedAt ?? held.acquiredAt));
  // The time that it has was given to it then.
  const given = endsAt === undefined || sighting.ttl === undefined ? 0 : endsAt - sighting.ttl;
  const last = Math.max(given, held?.renewedAt ?? 0);
  const isRenewed = held?.renewedAt !== undefined || last > (takenAt ?? last);
  return { at, takenAt, renewedAt: isRenewed ? last : undefined, endsAt, ttl };
}

/** Whether somebody else has, or had since, what this machine has taken. */
export function isLost({ diagnosis: { facts } }: Listed, isOwn: boolean): boolean {
  const { state, acquiredAt } = facts.sighting;
  const isAnothers = facts.held === undefined && (state === 'held' || acquiredAt !== undefined);
  return isOwn && isAnothers;
}

/** What is as it should be, as far as can be told. */
const FINE: ReadonlySet<DiagnosisName> = new Set(['healthy', 'unreachable', 'unknown']);

/** @param isOwn whether it is in the list because this machine has taken it */
export function isStuck(lease: Listed, isOwn: boolean): boolean {
  return !FINE.has(lease.diagnosis.name) || isLost(lease, isOwn);
}

export const SORTS = ['end', 'taken', 'renewed', 'id', 'profile', 'state'] as const;
export type Sort = (typeof SORTS)[number];

/** @param isOwn as {@link isStuck} */
export function sorted(leases: readonly Listed[], by: Sort, isOwn: boolean): Listed[] {
  const late = Number.POSITIVE_INFINITY;
  const keys: Readonly<Record<Sort, (lease: Listed) => number | string>> = {
    end: (lease) => timesOf(lease).endsAt ?? late,
    taken: (lease) => timesOf(lease).takenAt ?? late,
    renewed: (lease) => timesOf(lease).renewedAt ?? timesOf(lease).takenAt ?? late,
    id: idOf,
    profile: ({ profile }) => profile,
    // What wants attention comes first.
    state: (lease) => `${isStuck(lease, isOwn) ? 0 : 1} ${lease.diagnosis.name}`,
  };
  const key = keys[by];
  return leases
    .map((lease) => ({ lease, by: key(lease), id: idOf(lease) }))
    .sort((one, other) => compared(one.by, other.by) || compared(one.id, other.id))
    .map(({ lease }) => lease);
}

const idOf = ({ diagnosis }: Listed) => diagnosis.facts.sighting.id;

function compared(one: number | string, other: number | string): number {
  return one < other ? -1 : Number(one > other);
}

/** Leases that are listed at most. */
export const MOST = 10_000;

/** What a list of everybody's leases has, and whether there are more. */
export interface Everybodys {
  readonly leases: readonly Listed[];
  readonly hasMore: boolean;
}

/** Everybody's leases of leasectl's own service: those that are held, or that their holders let run out. */
export async function everybodys(
  context: Context,
  client: AdminClient,
  profile: string,
  state: 'held' | 'expired',
): Promise<Everybodys> {
  const [{ sightingOfLease }, { factsOf }] = await Promise.all([
    import('../look/sightings.ts'),
    import('../why/facts.ts'),
  ]);
  const leases: Listed[] = [];
  let next: string | null = null;
  do {
    const after: { after?: string } = next === null ? {} : { after: next };
    const page = await client.leases({ state, limit: String(MOST_LISTED), ...after });
    const at = Date.parse(page.now);
    for (const lease of page.leases) {
      const facts = await factsOf(
        context,
        { sighting: sightingOfLease(lease, at) },
        undefined,
        undefined,
      );
      leases.push(listed(facts, { service: 'leasectl', profile }));
    }
    next = page.next;
  } while (next !== null && leases.length < MOST);
  return { leases, hasMore: next !== null };
}

export function listed(facts: Facts, place: Pick<Listed, 'service' | 'profile'>): Listed {
  return { ...place, diagnosis: diagnose(facts), isAsked: true, failure: undefined };
}

/** What this machine knows by itself. */
export function unasked(
  facts: Facts,
  { service, profile, failure }: Omit<Listed, 'diagnosis' | 'isAsked'>,
): Listed {
  const { held, sighting } = facts;
  const endsAt = held?.expiresAt ?? sighting.at;
  const isOver = endsAt <= sighting.at;
  const known: Sighting = { ...sighting, state: isOver ? 'expired' : 'held', endsAt };
  const diagnosis = diagnose({ ...facts, sighting: known });
  const name = failure ? 'unreachable' : diagnosis.name;
  return { service, profile, diagnosis: { ...diagnosis, name }, isAsked: false, failure };
}
