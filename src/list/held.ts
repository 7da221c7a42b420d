import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { formatDuration } from '../domain/duration.ts';
import { Failure } from '../domain/failure.ts';
import type { Sighting } from '../insight/sighting.ts';
import type { KnownLease } from '../ledger/ledger.ts';
import { kindNoted, openNoted } from '../look/noted.ts';
import type { OpenPlace } from '../look/place.ts';
import { LOCAL } from '../profiles/profile.ts';
import { settled } from '../supervise/within-time.ts';
import { type Listed, listed, unasked } from './listed.ts';

/** Questions that are put to one service at the same time. */
const AT_ONCE = 8;

/** What this machine has taken, as it knows it by itself. */
export async function asNoted(
  context: Context,
  leases: readonly KnownLease[],
): Promise<readonly Listed[]> {
  const ours = await oursAmong(context);
  return Promise.all(
    leases.map((lease) => {
      const { service, profile } = lease.address;
      return byItself(context, lease, { service: ours.has(profile) ? OURS : service, profile });
    }),
  );
}

const OURS = 'leasectl';

/** The profiles of leasectl's own service. */
async function oursAmong({ profiles }: Context): Promise<ReadonlySet<string>> {
  const known = await profiles.all();
  const own = known.filter(({ profile }) => profile?.service === OURS).map(({ name }) => name);
  return new Set([LOCAL, ...own]);
}

/**
 * The same, as the services see it now. They are asked at the same time, and none for longer than the
 * time of one call, however many leases are there.
 */
export async function asSeen(
  context: Context,
  leases: readonly KnownLease[],
  options: ConnectOptions,
): Promise<readonly Listed[]> {
  const places = new Map<string, KnownLease[]>();
  for (const lease of leases) {
    const { service, profile, location } = lease.address;
    const name = JSON.stringify([service, profile, location]);
    places.set(name, [...(places.get(name) ?? []), lease]);
  }
  const seen = [...places.values()].map((own) => lookAtPlace(context, own, options));
  return (await Promise.all(seen)).flat();
}

async function lookAtPlace(
  context: Context,
  leases: readonly KnownLease[],
  options: ConnectOptions,
): Promise<Listed[]> {
  const [first] = leases;
  if (!first) return [];
  const { service, profile } = first.address;
  const { late, stop } = tooLate(profile, options.timeout);
  const place = await Promise.race([settled(openNoted(context, first.address, options)), late]);
  let failure = place instanceof Failure ? place : undefined;
  const told = { service: place instanceof Failure || !place.isOurs ? service : OURS, profile };
  const found: Listed[] = [];
  const waiting = [...leases];
  const work = async () => {
    for (let lease = waiting.shift(); lease; lease = waiting.shift()) {
      const seen =
        failure ?? (await Promise.race([settled(look(context, place, lease, told)), late]));
      if (!(seen instanceof Failure)) found.push(seen);
      else found.push(await byItself(context, lease, { ...told, failure: seen }));
      // It is no other with the next lease.
      if (seen instanceof Failure && OF_ALL.has(seen.code)) failure = seen;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  stop();
  return found;
}

/** What is wrong with the service, or the way to it, and not with what it was asked. */
const OF_ALL: ReadonlySet<string> = new Set(['unavailable', 'unauthorized', 'usage']);

function tooLate(profile: string, timeout: number) {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Failure>((resolve) => {
    const message = `Profile ${profile}: no answer in ${formatDuration(timeout / 1000)}.`;
    const failure = new Failure('unavailable', message, {
      hint: 'Give it more time with --timeout, or ask nobody: --offline',
    });
    timer = setTimeout(() => resolve(failure), timeout);
  });
  return { late, stop: () => clearTimeout(timer) };
}

async function look(
  context: Context,
  place: OpenPlace | Failure,
  lease: KnownLease,
  told: Pick<Listed, 'service' | 'profile'>,
): Promise<Listed> {
  if (place instanceof Failure) throw place;
  context.redactor.add(lease.handle);
  const { factsOf } = await import('../why/facts.ts');
  const seen = await place.view(lease.address.id).look();
  return listed(await factsOf(context, seen, undefined, lease), told);
}

async function byItself(
  context: Context,
  lease: KnownLease,
  told: Pick<Listed, 'service' | 'profile'> & Partial<Pick<Listed, 'failure'>>,
): Promise<Listed> {
  const { factsOf } = await import('../why/facts.ts');
  const { service, id } = lease.address;
  const kind = kindNoted(service);
  const sighting: Sighting = { kind, id, state: 'untold', at: context.now() };
  const facts = await factsOf(context, { sighting }, undefined, lease);
  return unasked(facts, { failure: undefined, ...told });
}
