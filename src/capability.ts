import * as z from 'zod/mini';
import type { HostedPlace } from './profiles/implied.ts';
import { SERVICE_NAMES, SERVICES, serves } from './profiles/profile.ts';

/**
 * What a command that talks to a service says of itself, in statics of its class, which oclif copies
 * into the manifest: so to look at all commands none has to be loaded.
 */
const Needs = z.looseObject({
  id: z.string(),
  /** The service that it is for, or `any`. */
  service: z.enum([...SERVICE_NAMES, 'any']),
  /** What an access token has to be for, where the service tells that apart. */
  scopes: z.optional(z.array(z.string())),
  /** What it does not do, or not surely, as whole sentences: `embedded` also where leasectl is served. */
  limits: z.optional(
    z.object({ hosted: z.optional(z.string()), embedded: z.optional(z.string()) }),
  ),
});

export type NeededService = z.infer<typeof Needs>['service'];
export type Limits = NonNullable<z.infer<typeof Needs>['limits']>;

/** The limit of commands that take a lease. */
export const TAKES_A_LEASE: Limits = {
  hosted: 'If the answer is lost, it stays unknown whether a lease was taken.',
};

export interface Capability {
  readonly command: string;
  readonly available: boolean;
  /** Why it is not, or what its limits are. */
  readonly note: string | null;
}

/**
 * What the commands can do at a profile, as far as that is known without a request. Commands that
 * talk to no service are left out.
 *
 * @param commands as oclif knows them
 * @param place undefined for the embedded service
 */
export function capabilitiesOf(
  commands: readonly unknown[],
  place: HostedPlace | undefined,
): Capability[] {
  return commands
    .flatMap((command) => {
      const { success, data } = Needs.safeParse(command);
      return success ? [data] : [];
    })
    .map(({ id, service, scopes = [], limits }) => {
      const obstacle = place && obstacleAt(place, service, scopes);
      const isOwn = place === undefined || place.service === 'leasectl';
      const limit = isOwn ? limits?.embedded : limits?.hosted;
      return {
        command: id.replaceAll(':', ' '),
        available: obstacle === undefined,
        note: obstacle ?? limit ?? null,
      };
    })
    .sort((a, b) => (a.command < b.command ? -1 : 1));
}

/** Why a hosted service does not have what a command needs. */
function obstacleAt(
  place: HostedPlace,
  service: NeededService,
  scopes: readonly string[],
): string | undefined {
  if (service !== 'any' && !serves(place.service, service)) return `Only for ${service}.`;
  const asked = SERVICES[place.service].hasScopes ? place.scopes : undefined;
  const missing = scopes.filter((scope) => asked && !asked.includes(scope));
  return missing.length > 0 ? `The profile asks for no ${missing.join(', ')}.` : undefined;
}
