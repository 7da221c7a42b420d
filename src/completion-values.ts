import type { Candidate, Sources } from './completion/candidates.ts';
import { formatDuration } from './domain/duration.ts';
import type { NotedLease } from './ledger/look.ts';
import { pathsOf } from './paths.ts';
import { LOCAL, SERVICE_NAMES } from './profiles/profile.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import type { Environment } from './profiles/resolve.ts';

/** The values of this machine: its profiles, and what its ledger holds. Reads files only. */
export function valuesFrom(env: Environment, now: number): Sources {
  const paths = pathsOf(env);
  const profiles = new ProfileStore(paths.config);
  const defaultOf = async (service: string) => {
    const name = SERVICE_NAMES.find((known) => known === service);
    return (name && (await profiles.defaultOf(name).catch(() => undefined))) ?? LOCAL;
  };
  return {
    held: async ({ service, profile, isHeld }) => {
      if (service === undefined) return [];
      const { lookAtLedger } = await import('./ledger/look.ts');
      const all = lookAtLedger(paths.handles, service);
      const named = profile ?? (env['LEASECTL_PROFILE'] || undefined);
      const chosen = named ?? (await defaultOf(service));
      const own = all.filter((lease) => lease.profile === chosen);
      // A variable may stand for a profile: what that leads to is not worth finding out.
      const found = own.length > 0 || named !== undefined ? own : all;
      const live = found.filter(({ expiresAt }) => expiresAt > now);
      const leases = isHeld && live.length > 0 ? live : found;
      return leases.map((lease) => describe(lease, now));
    },
    profiles: async (service, areStored) => {
      const found: Candidate[] = areStored ? [] : [{ value: LOCAL, description: 'embedded' }];
      for (const name of await profiles.names().catch(() => [])) {
        const profile = await profiles.get(name).catch(() => undefined);
        // One that is broken is there all the same: to be removed, for example.
        const fits = profile ? service === undefined || profile.service === service : areStored;
        if (fits) found.push({ value: name, description: profile?.service ?? 'broken' });
      }
      return found;
    },
  };
}

function describe({ id, profile, expiresAt }: NotedLease, now: number): Candidate {
  const seconds = Math.ceil((expiresAt - now) / 1000);
  const state = seconds > 0 ? `${formatDuration(seconds)} left` : 'ran out';
  return { value: id, description: `${profile}, ${state}` };
}
