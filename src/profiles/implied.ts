import { Failure } from '../domain/failure.ts';
import { serviceInEnv } from './environment.ts';
import { LOCAL, SERVICE_NAMES, type ServiceName, serves } from './profile.ts';
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
 * something leads to. The embedded one is leasectl's own, which answers for all of them.
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
    if (named === undefined) return serviceInEnv(selection.env) ?? service;
    if (serves(service, named)) return named;
    throw new Failure('usage', `Profile ${profile} is for ${service}, not for ${named}.`, {
      hint: 'Leave --service out, or name another profile.',
    });
  }
  if (named !== undefined) return named;
  const service = profile === LOCAL ? undefined : await onlyService(selection);
  return service ?? 'leasectl';
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
  const commands = named
    ? (serviceInEnv(selection.env) ?? (await selection.profiles.get(named)).service)
    : await onlyService(selection);
  if (commands === undefined) return undefined;
  const settings = await resolveSettings({ ...selection, service: commands });
  const { profile, service, url, authentication } = settings;
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

/**
 * The service of the only place that something leads to, or the one whose commands are led there.
 *
 * @returns undefined where nothing leads away from the embedded service
 */
async function onlyService(selection: AnySelection): Promise<ServiceName | undefined> {
  const said = serviceInEnv(selection.env);
  if (said !== undefined) return said;
  if (selection.env['LEASECTL_URL']) throw unknown('LEASECTL_URL does not say it');
  const found = new Map<string, ServiceName>();
  const services = new Set<ServiceName>();
  for (const commands of SERVICE_NAMES) {
    const { url, profile, service } = await resolveSettings({ ...selection, service: commands });
    if (!url) continue;
    found.set(profile?.value ?? url.source, commands);
    services.add(service);
  }
  const [service, ...others] = found.values();
  if (others.length === 0) return service;
  throw unknown(`there are profiles or tokens for ${[...services].join(', ')}`);
}

function unknown(why: string): Failure {
  return new Failure('usage', `Which service is meant is not known: ${why}.`, {
    hint: 'Name a profile, or the service: with --service, or beside LEASECTL_URL as LEASECTL_SERVICE.',
  });
}
