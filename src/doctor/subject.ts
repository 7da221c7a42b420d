import type { Context } from '../context.ts';
import { type Profile, type ServiceName, secretOf } from '../profiles/profile.ts';
import {
  type Authentication,
  type Environment,
  type Network,
  networkOf,
  type Secret,
  type Settings,
  type Sourced,
} from '../profiles/resolve.ts';
import { resolutionsOf } from './resolutions.ts';

/** A hosted service that commands would talk to. */
export interface Subject {
  /** A profile's name, or the variables that stand in for one. */
  readonly name: string;
  /** The profile that says where it is; undefined where a variable does. */
  readonly profile: string | undefined;
  readonly url: URL;
  /** Whether it is what leasectl serves. */
  readonly isLeasectl: boolean;
  readonly network: Network;
  /** How to ask it; more than one where nothing says which service it is. */
  readonly ways: readonly Way[];
  /** Whether there is a token, but nothing says that it is for this address and no other. */
  readonly isTokenUnclear: boolean;
}

export interface Way {
  readonly service: ServiceName;
  readonly secret: Secret;
  readonly authentication: Authentication;
}

/** The service of a stored profile, as the profile alone says. */
export function subjectOf(name: string, profile: Profile): Subject {
  const { service, url, credential } = profile;
  const secret = secretOf(credential);
  // It is not sent to another origin: that is told of as the profile's.
  const isSendable = credential?.origin === new URL(url).origin;
  const ways =
    credential && secret !== undefined && isSendable
      ? [{ service, secret: { stored: secret, profile: name }, authentication: credential }]
      : [];
  return {
    name,
    profile: name,
    url: new URL(url),
    isLeasectl: service === 'leasectl',
    network: networkOf(profile),
    ways,
    isTokenUnclear: false,
  };
}

/** The stored profiles' services; those that cannot be read are told of elsewhere. */
export async function storedSubjects({ profiles }: Context): Promise<Subject[]> {
  const found = (await profiles.names()).map(async (name) => {
    const profile = await profiles.get(name).catch(() => undefined);
    return profile ? [subjectOf(name, profile)] : [];
  });
  return (await Promise.all(found)).flat();
}

/** What the environment leads to beside them, or with another URL or token than theirs. */
export async function environmentSubjects(context: Context): Promise<Subject[]> {
  const resolutions = (await resolutionsOf(context)).flatMap(({ service, settings }) =>
    settings?.url && !isGuess(service, settings, context.env)
      ? [{ settings, url: settings.url }]
      : [],
  );
  const given = resolutions.flatMap(({ settings, url }) =>
    settings.secret && 'given' in settings.secret.value
      ? [{ variable: settings.secret.source, url }]
      : [],
  );
  const groups = new Map<string, Subject>();
  for (const { settings, url } of resolutions) {
    const sources = variablesIn(settings);
    if (sources.length === 0) continue;
    const { profile, service, secret, authentication, network } = settings;
    const isOfProfile = sources.length === 1 || Object.values(network).some(Boolean);
    const name = [...(profile && isOfProfile ? [profile.value] : []), ...sources].join(' ');
    const isTokenUnclear = secret !== undefined && !isClear(secret.source, url, given);
    const way =
      secret && !isTokenUnclear ? [{ service, secret: secret.value, authentication }] : [];
    const known = groups.get(name)?.ways ?? [];
    // What serves several services is asked once.
    const ways = known.some((other) => other.service === service) ? known : [...known, ...way];
    groups.set(name, {
      name,
      profile: undefined,
      url: url.value,
      isLeasectl: service === 'leasectl',
      network,
      ways,
      isTokenUnclear,
    });
  }
  return [...groups.values()];
}

/** Whether nothing but that a command may be for it says that what leasectl serves is at a URL. */
function isGuess(commands: ServiceName, { url, profile }: Settings, env: Environment): boolean {
  const isSaid = profile !== undefined || env['LEASECTL_SERVICE'] !== undefined;
  return commands === 'leasectl' && url?.source === 'LEASECTL_URL' && !isSaid;
}

/**
 * Whether a variable's token may be tried at a URL. A command is for one service, and so is the token
 * that the user set for it; here all services are looked at, and it must not be shown to the others.
 */
function isClear(
  variable: string,
  url: Sourced<URL>,
  given: readonly { readonly variable: string; readonly url: Sourced<URL> }[],
): boolean {
  const isElsewhere = given.some(
    (other) => other.variable === variable && other.url.value.origin !== url.value.origin,
  );
  const isOthers = given.some(
    (other) => other.url.source === 'LEASECTL_URL' && other.variable !== variable,
  );
  return !isElsewhere && !(url.source === 'LEASECTL_URL' && isOthers);
}

/** The variables that have a part in it. */
function variablesIn({ url, secret }: Settings): string[] {
  const sources = [url?.source, secret?.source].filter((source) => source !== undefined);
  return [...new Set(sources)].filter((source) => /^[A-Z_]+$/.test(source));
}
