import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { AdminClient } from '../services/admin/client.ts';
import { MOST_LISTED } from '../services/admin/wire.ts';
import { type Sight, unlessUnknown } from './dialects.ts';
import { moment, sightingOfLease } from './sightings.ts';

/**
 * What the administration of leasectl's own service tells of leases; or what the dialect's endpoints
 * do, where the token does not have the scope for it.
 *
 * @throws Failure as `Context.admin`
 */
export async function withAdmin(
  context: Context,
  kind: LeaseKind,
  options: ConnectOptions,
  openDialect: () => Promise<Sight>,
): Promise<Sight> {
  const { client } = await context.admin(options);
  const ours = sightBy(client, kind, context.now);
  let dialect: Promise<Sight> | undefined;
  return {
    look: async (id) => {
      const look = dialect ? undefined : await unlessForbidden(ours.look(id));
      if (look) return look;
      dialect ??= openDialect();
      return (await dialect).look(id);
    },
    history: async (id, types, limit) =>
      dialect ? undefined : unlessForbidden(ours.history(id, types, limit)),
    similar: async (id) => (dialect ? [] : ((await unlessForbidden(ours.similar(id))) ?? [])),
  };
}

function sightBy(client: AdminClient, kind: LeaseKind, now: () => number) {
  return {
    look: async (id) => {
      const lease = await unlessUnknown(client.lease({ kind, id }));
      if (!lease) return { sighting: { kind, id, state: 'never_seen', at: now() } };
      const at = moment(lease.now) ?? now();
      const sighting = sightingOfLease(lease, at, lease.work?.max_tries ?? undefined);
      // Whatever it calls it: that is what was asked for.
      return { sighting: { ...sighting, kind, id } };
    },
    history: async (id, types, limit) => {
      const type = types?.join(',');
      return (await client.history({ kind, id, type, limit: String(limit) })).events;
    },
    similar: async (id) => {
      const prefix = [...id].slice(0, BEGINNING).join('');
      const { leases } = await client.leases({ kind, prefix, limit: String(MOST_LISTED) });
      return leases.map((lease) => lease.id);
    },
  } satisfies Sight;
}

/** Characters that whoever misspells an id has right. */
const BEGINNING = 2;

/** @returns undefined where the token may not ask for that */
async function unlessForbidden<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Failure && error.code === 'unauthorized') return undefined;
    throw error;
  }
}
