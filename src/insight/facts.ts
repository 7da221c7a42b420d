import type { JsonObject } from '../domain/json.ts';
import type { Origin } from '../domain/origin.ts';
import type { Sighting } from './sighting.ts';

/** That something happened to a lease, as a history tells it. Times are by the service's clock. */
export interface Happening {
  /** e.g. `acquired`; a later service may know more of them. */
  readonly type: string;
  readonly at: number;
  /** Which acquisition it was. */
  readonly fencingToken: number;
  readonly version: number;
  readonly caller?: string | undefined;
  readonly detail?: JsonObject | undefined;
}

/** What became of the process that keeps a lease; `unknown` also where it is not to be seen from here. */
export type HolderProcess = 'running' | 'suspended' | 'gone' | 'unknown';

/** What this machine knows of a lease that it acquired. Times are by the service's clock, nearly. */
export interface HeldHere {
  readonly acquiredAt: number;
  /** As far as this machine knows. */
  readonly expiresAt: number;
  readonly renewedAt?: number | undefined;
  readonly renewals: number;
}

/** All that is known of a lease at one moment. */
export interface Facts {
  readonly sighting: Sighting;
  /** Whether that it is held is concluded from what this machine knows: the service does not tell. */
  readonly isSupposed?: boolean | undefined;
  /** The latest first; undefined where the service tells none. */
  readonly history: readonly Happening[] | undefined;
  /** Set where the lease in force, or the last one, is this machine's. */
  readonly held: HeldHere | undefined;
  /** Where it was taken, as far as that is known. */
  readonly origin: Origin | undefined;
  readonly process: HolderProcess;
}

/** The commands that renew what they hold. */
const KEEPERS: readonly string[] = ['exec', 'jobs exec', 'runner-jobs exec'];

export function isKept({ origin }: Pick<Facts, 'origin'>): boolean {
  return origin?.command !== undefined && KEEPERS.includes(origin.command);
}

/**
 * The facts, with what this machine knows in the place of what the service does not tell: since when
 * it holds the lease; and that it does, as long as that has not run out.
 */
export function supplemented(facts: Facts): Facts {
  const { sighting, held } = facts;
  if (!held) return facts;
  const acquiredAt = sighting.acquiredAt ?? held.acquiredAt;
  if (sighting.state === 'held') return { ...facts, sighting: { ...sighting, acquiredAt } };
  const { expiresAt: endsAt } = held;
  if (sighting.state !== 'untold' || endsAt <= sighting.at) return facts;
  const supposed: Sighting = { ...sighting, state: 'held', acquiredAt, endsAt };
  return { ...facts, sighting: supposed, isSupposed: true };
}
