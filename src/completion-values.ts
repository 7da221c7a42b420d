import { existsSync } from 'node:fs';
import type { Candidate, Sources, Wanted } from './completion/candidates.ts';
import { formatDuration } from './domain/duration.ts';
import type { NotedLease } from './ledger/look.ts';
import { pathsOf } from './paths.ts';
import { LOCAL, SERVICE_NAMES, serves } from './profiles/profile.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import { findProject } from './profiles/project.ts';
import { type Environment, resolveSettings } from './profiles/resolve.ts';

/** The values of this machine: its profiles, and what its ledger holds. Reads files only. */
export function valuesFrom(env: Environment, now: number): Sources {
  const paths = pathsOf(env);
  const profiles = new ProfileStore(paths);
  /** What a command would talk to, as the ledger knows it. */
  const profileOf = async ({ service, profile: flag }: Wanted) => {
    const project = await findProject(process.cwd(), existsSync);
    const { profile, url } = await resolveSettings({ service, flag, env, profiles, project });
    return profile?.value ?? url?.source ?? LOCAL;
  };
  return {
    held: async (wanted) => {
      const { lookAtLedger } = await import('./ledger/look.ts');
      const all = lookAtLedger(paths.handles, wanted.service);
      // The settings may be broken, and the ledger may hold leases of a profile that is no more.
      const profile = await profileOf(wanted).catch(() => wanted.profile);
      const own = all.filter((lease) => lease.profile === profile);
      const found = own.length > 0 || wanted.profile !== undefined ? own : all;
      const live = found.filter(({ expiresAt }) => expiresAt > now);
      const leases = wanted.isHeld && live.length > 0 ? live : found;
      return leases.map((lease) => describe(lease, now));
    },
    profiles: async (name, areStored) => {
      const service = SERVICE_NAMES.find((known) => known === name);
      const found: Candidate[] = areStored ? [] : [{ value: LOCAL, description: 'embedded' }];
      for (const value of await profiles.names().catch(() => [])) {
        const profile = await profiles.get(value).catch(() => undefined);
        // One that is broken is there all the same: to be removed, for example.
        const fits = profile ? !service || serves(profile.service, service) : areStored;
        if (fits) found.push({ value, description: profile?.service ?? 'broken' });
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
