import * as z from 'zod/mini';
import { type Profile, Profile as ProfileSchema, type ServiceName, withSecret } from './profile.ts';

/** Profiles on their way to another machine: without secrets, and without commands to be run. */
export const ExchangeFile = z.strictObject({
  version: z.literal(1),
  profiles: z.record(z.string(), ProfileSchema),
  /** Those of them that are their service's default. */
  defaults: z.array(z.string()),
});
export type ExchangeFile = z.infer<typeof ExchangeFile>;

/** @param defaults the default profile of each service */
export function exportOf(
  profiles: readonly { readonly name: string; readonly profile: Profile }[],
  defaults: Readonly<Partial<Record<ServiceName, string>>>,
): ExchangeFile {
  return {
    version: 1,
    profiles: Object.fromEntries(profiles.map(({ name, profile }) => [name, portable(profile)])),
    defaults: profiles
      .filter(({ name, profile }) => defaults[profile.service] === name)
      .map(({ name }) => name),
  };
}

/**
 * A profile as it may leave the machine, or come to it: a secret that somebody else wrote down is
 * not taken, a command of somebody else's is not run, and files are this machine's own.
 */
export function portable({ service, url, credential }: Profile): Profile {
  const own = credential && withSecret(credential, undefined);
  return { service, url, ...(own ? { credential: own } : {}) };
}
