import { Failure } from '../domain/failure.ts';
import { LOCAL, SERVICE_NAMES, type ServiceName } from './profile.ts';
import { resolveSettings, type Selection } from './resolve.ts';

/*
 * Commands that are for no service of their own: which one is meant then.
 */

type AnySelection = Omit<Selection, 'service'>;

/** A hosted service that something leads to. */
export interface HostedPlace {
  /** The profile's name, or the variable that stands in for one. */
  readonly profile: string;
  readonly service: ServiceName;
  readonly url: string;
  /** What an access token is asked for, where the profile says it. */
  readonly scopes: readonly string[] | undefined;
}

/**
 * The service that a request is for: the profile's, the one that is named, or the only one that
 * something leads to.
 *
 * @param named by the user, beside a profile
 * @throws Failure `usage` when there is no telling, or profile and name contradict one another
 */
export async function serviceOf(
  selection: AnySelection,
  named: ServiceName | undefined,
): Promise<ServiceName> {
  const profile = profileIn(selection);
  if (profile !== undefined && profile !== LOCAL) {
    const { service } = await selection.profiles.get(profile);
    if (named === undefined || named === service) return service;
    throw new Failure('usage', `Profile ${profile} is for ${service}, not for ${named}.`, {
      hint: 'Leave --service out, or name another profile.',
    });
  }
  if (named !== undefined) return named;
  const service = profile === LOCAL ? undefined : await onlyService(selection);
  if (service !== undefined) return service;
  throw unknown('the embedded service speaks as all of them');
}

/**
 * The place that a profile stands for, or the only one that something leads to; undefined for the
 * embedded service.
 *
 * @throws Failure `usage` when there is no such profile, or no telling
 */
export async function placeOf(selection: AnySelection): Promise<HostedPlace | undefined> {
  const named = profileIn(selection);
  if (named === LOCAL) return undefined;
  const service = named
    ? (await selection.profiles.get(named)).service
    : await onlyService(selection);
  if (service === undefined) return undefined;
  const { profile, url, authentication } = await resolveSettings({ ...selection, service });
  if (!url) return undefined;
  const scope = authentication.type === 'oauth2' ? authentication.scope : undefined;
  return {
    profile: profile?.value ?? url.source,
    service,
    url: url.value.href.replace(/\/$/, ''),
    scopes: scope?.split(' '),
  };
}

function profileIn({ flag, env }: AnySelection): string | undefined {
  return flag ?? (env['LEASECTL_PROFILE'] || undefined);
}

/** @returns undefined where nothing leads away from the embedded service */
async function onlyService(selection: AnySelection): Promise<ServiceName | undefined> {
  if (selection.env['LEASECTL_URL']) throw unknown('LEASECTL_URL does not say it');
  const found: ServiceName[] = [];
  for (const service of SERVICE_NAMES) {
    const { url } = await resolveSettings({ ...selection, service });
    if (url) found.push(service);
  }
  const [service, ...others] = found;
  if (others.length === 0) return service;
  throw unknown(`there are profiles or tokens for ${found.join(', ')}`);
}

function unknown(why: string): Failure {
  return new Failure('usage', `Which service is meant is not known: ${why}.`, {
    hint: 'Name a profile, or the service where there is a flag --service for it.',
  });
}
