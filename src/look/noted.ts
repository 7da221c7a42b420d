import type { ConnectOptions } from '../connect.ts';
import type { Context } from '../context.ts';
import { Failure } from '../domain/failure.ts';
import type { LeaseKind } from '../insight/sighting.ts';
import type { LeaseAddress } from '../ledger/ledger.ts';
import { LOCAL } from '../profiles/profile.ts';
import type { OpenPlace } from './place.ts';

/** What the leases are on that the ledger keeps under a service's name. */
export function kindNoted(service: string): LeaseKind {
  if (service === 'retaia') return 'job';
  return service === 'askui' ? 'runner_job' : 'key';
}

/**
 * Connects to where a lease of the ledger was taken, and nowhere else.
 *
 * @throws Failure as `openPlace`; `usage` where nothing leads there any more
 */
export async function openNoted(
  context: Context,
  { service, profile, location }: Omit<LeaseAddress, 'id'>,
  options: ConnectOptions,
): Promise<OpenPlace> {
  const { openPlace } = await import('./place.ts');
  const isNamed = profile === LOCAL || (await context.profiles.names()).includes(profile);
  // The name of a variable, where that named the service.
  if (isNamed || context.env[profile]) {
    const named = isNamed ? profile : undefined;
    const place = await openPlace(context, kindNoted(service), { ...options, profile: named });
    const isSame = place.location === location && (place.profile === profile || !isNamed);
    if (isSame) return place;
  }
  throw new Failure('usage', `Nothing leads to ${location} any more (profile ${profile}).`, {
    hint: 'It was taken with a profile, or a variable, that is gone, or leads elsewhere now.',
  });
}
