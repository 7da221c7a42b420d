import { Failure } from '../domain/failure.ts';
import { LOCAL, SERVICES, type ServiceName } from './profile.ts';
import type { Selection } from './resolve.ts';

/*
 * Why there is no telling what a command talks to, or nothing to show there.
 */

/** @param actual the service of the profile that was chosen for a command of another one */
export async function otherService(
  name: string,
  actual: ServiceName,
  { service, profiles }: Selection,
): Promise<Failure> {
  const suitable = (await profiles.defaultOf(service)) ?? (await profiles.firstOf(service));
  const message = `Profile ${name} is for ${actual}; this is a command for ${service}.`;
  return new Failure('usage', message, {
    hint: `Name one that is: --profile ${suitable ?? LOCAL}`,
    service,
  });
}

export function noToken(
  { service, env }: Pick<Selection, 'service' | 'env'>,
  url: URL,
  source: string,
  edit: string | undefined,
): Failure {
  const { baseUrl, tokenVariable = '' } = SERVICES[service];
  const unused = env[tokenVariable] ? `${tokenVariable} is for ${baseUrl} only. ` : '';
  const store =
    edit ??
    `leasectl profile add NAME --service ${service} --url ${url.href.replace(/\/$/, '')} --token-stdin`;
  return new Failure('unauthorized', `No token for ${url.origin} (${source}).`, {
    hint: `${unused}Set LEASECTL_TOKEN, or store one: ${store}`,
    service,
  });
}

/** A project comes with somebody's code, which must not decide where a token goes. */
export function tokenForProject(profile: string, file: string): Failure {
  return new Failure('usage', `LEASECTL_TOKEN is set, but only ${file} says what it is for.`, {
    hint: `If it is for profile ${profile}, say so: LEASECTL_PROFILE=${profile}, or --profile ${profile}`,
  });
}

export function tokenWithoutUrl(): Failure {
  return new Failure('usage', 'LEASECTL_TOKEN is set, but nothing says where to send it.', {
    hint: 'Set LEASECTL_URL or LEASECTL_PROFILE too; --profile local uses the embedded service.',
  });
}

/** @param first a profile of the service */
export function noDefault(service: ServiceName, first: string): Failure {
  return new Failure('usage', `There are profiles for ${service}, but none is its default.`, {
    hint: `Choose one: leasectl profile use ${first}; or the embedded service: leasectl profile use ${LOCAL}`,
    service,
  });
}
