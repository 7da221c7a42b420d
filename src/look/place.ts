import { type ConnectOptions, locationOf } from '../connect.ts';
import type { Context } from '../context.ts';
import type { EventType } from '../engine/history.ts';
import type { LeaseKind, Sighting } from '../insight/sighting.ts';
import type { LeaseAddress } from '../ledger/ledger.ts';
import { LOCAL } from '../profiles/profile.ts';
import { resolveTarget } from '../profiles/resolve.ts';
import type { EventInfo } from '../services/admin/wire.ts';
import { SIGHTS, type Sight } from './dialects.ts';
import { withAdmin } from './ours.ts';

/** The services that have leases, by whose name the ledger keeps their handles. */
export type Dialect = 'onceonly' | 'retaia' | 'askui';

export const DIALECT_OF: Readonly<Record<LeaseKind, Dialect>> = {
  key: 'onceonly',
  job: 'retaia',
  runner_job: 'askui',
};

/** Where leases are, as the ledger names it. */
export interface LeasePlace extends Omit<LeaseAddress, 'id'> {
  readonly service: Dialect;
  /** Whether leasectl's own service is there, embedded or served. */
  readonly isOurs: boolean;
  /** What `--profile` has to be for commands to find it again; undefined where nothing. */
  readonly flag: string | undefined;
}

/** What came of a look. */
export interface Look {
  readonly sighting: Sighting;
  /** Of whoever has, or last had it, where the service tells that to everybody; secret. */
  readonly handle?: string | undefined;
}

/** One lease, to be looked at as often as one likes. */
export interface LeaseView {
  readonly place: LeasePlace;
  /** By which the other commands for it, and where it is ours the administration, get there. */
  readonly reach: ConnectOptions;
  readonly address: LeaseAddress;
  readonly kind: LeaseKind;
  /** @throws Failure when the service does not answer, or refuses to tell */
  look(): Promise<Look>;
  /**
   * What happened to it, the latest first.
   *
   * @param types undefined for all
   * @returns undefined where the service keeps none, or the token lacks the scope admin
   * @throws Failure as `look`
   */
  history(
    types: readonly EventType[] | undefined,
    limit: number,
  ): Promise<readonly EventInfo[] | undefined>;
  /** Ids there that begin alike, as far as the service tells any. @throws Failure as `look` */
  similar(): Promise<readonly string[]>;
}

/** A place that is connected to: all its views share the connection. */
export interface OpenPlace extends LeasePlace {
  readonly kind: LeaseKind;
  readonly reach: ConnectOptions;
  view(id: string): LeaseView;
}

/**
 * Connects to where the leases of a kind are.
 *
 * @throws Failure as `Context.onceOnly`
 */
export async function openPlace(
  context: Context,
  kind: LeaseKind,
  options: ConnectOptions,
): Promise<OpenPlace> {
  const service = DIALECT_OF[kind];
  const { target, used } = await resolveTarget(await context.selection(service, options.profile));
  const isLocal = target.type === 'local';
  const isOurs = isLocal || target.service === 'leasectl';
  const location = locationOf(context, target);
  const place: LeasePlace = {
    service,
    profile: target.profile,
    location,
    isOurs,
    flag: options.profile,
  };
  // What leads the dialect's commands there is to lead the administration's there, too.
  const profile = isLocal ? LOCAL : (used ?? options.profile);
  // What there is to notice is told once.
  const silent = { ...options, notice: () => undefined };
  const sight = isOurs
    ? await withAdmin(context, kind, { ...options, profile }, () =>
        SIGHTS[service](context, silent),
      )
    : await SIGHTS[service](context, options);
  const reach = isOurs ? { ...silent, profile } : silent;
  return { ...place, kind, reach, view: (id) => viewOf(place, reach, kind, id, sight) };
}

function viewOf(
  place: LeasePlace,
  reach: ConnectOptions,
  kind: LeaseKind,
  id: string,
  sight: Sight,
): LeaseView {
  const { service, profile, location } = place;
  return {
    place,
    reach,
    address: { service, profile, location, id },
    kind,
    look: () => sight.look(id),
    history: async (types, limit) => sight.history?.(id, types, limit),
    similar: async () => (await sight.similar?.(id)) ?? [],
  };
}
