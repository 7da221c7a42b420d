import { isLoopback } from '../domain/private-url.ts';
import type { StoredSecret } from '../secrets/secret-store.ts';
import { chosenProfile, profileOf } from './chosen-profile.ts';
import { assertServed, type Environment, serviceInEnv, variable } from './environment.ts';
import {
  basePath,
  type ClientCredential,
  LOCAL,
  type Profile,
  parseBaseUrl,
  parseToken,
  type Scheme,
  SERVICES,
  type ServiceName,
  secretOf,
  storeWith,
} from './profile.ts';
import type { ProfileStore } from './profile-store.ts';
import type { Project } from './project.ts';
import { noDefault, noToken, tokenForProject, tokenWithoutUrl } from './resolve-failures.ts';

export type { Environment } from './environment.ts';

/** Where a command's requests go. */
export type Target = { readonly type: 'local'; readonly profile: typeof LOCAL } | HostedTarget;

export interface HostedTarget {
  readonly type: 'hosted';
  /** The profile's name, or the variable that stands in for one. */
  readonly profile: string;
  /** The service that is there, of which commands for another one may make use. */
  readonly service: ServiceName;
  /** Where the requests' paths begin. */
  readonly url: URL;
  /**
   * What is shown to the service, or what gets that from its token endpoint; undefined where it may
   * be that nothing has to be shown.
   */
  readonly secret: Secret | undefined;
  readonly authentication: Authentication;
  readonly network: Network;
}

/** A secret that was given, or one that is yet to be read. */
export type Secret =
  | { readonly given: string }
  | { readonly stored: StoredSecret; readonly profile: string };

/** What to do with the token: show it in one way or the other, or exchange it. */
export type Authentication = { readonly type: Scheme } | ClientCredential;

/** Files that a connection needs. */
export interface Network {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface Selection {
  /** The one that the command is for. */
  readonly service: ServiceName;
  /** Of `--profile`. */
  readonly flag: string | undefined;
  readonly env: Environment;
  readonly profiles: ProfileStore;
  readonly project: Project | undefined;
}

/** A value, and what said it. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: string;
}

/** What a command would talk to, as far as it is said anywhere. */
export interface Settings {
  /** A profile's name, or `local`; undefined where the environment stands in for one. */
  readonly profile: Sourced<string> | undefined;
  /** The service that is there: that which the command is for, or one that serves it, too. */
  readonly service: ServiceName;
  /** Where that is; undefined for the embedded service. */
  readonly url: Sourced<URL> | undefined;
  readonly secret: Sourced<Secret> | undefined;
  readonly authentication: Authentication;
  readonly network: Network;
  /** Which variable hides the profile's own secret. */
  readonly hidden: string | undefined;
  /** Which variable has a token that is not used, for the project chose the embedded service. */
  readonly unused: string | undefined;
}

/**
 * Finds what a command talks to. The profile is that of the flag, of `LEASECTL_PROFILE`, of the
 * project, or the service's default; `LEASECTL_URL`, `LEASECTL_SERVICE` and `LEASECTL_TOKEN` stand
 * over what it says.
 * Without any of them the service's own token variable leads to the hosted service, and nothing at
 * all to the embedded one.
 *
 * @throws Failure `usage` for a profile or a URL that is unknown, broken or another service's, for a
 *   variable that is empty, and for a token that is none
 */
export async function resolveSettings(selection: Selection): Promise<Settings> {
  const { service, env } = selection;
  const { baseUrl, tokenVariable = '' } = SERVICES[service];
  const chosen = await chosenProfile(selection);
  // Whatever the environment says: who names the embedded service gets it.
  if (chosen?.value === LOCAL && chosen.isNamed) return embedded(service, chosen);
  const stored = chosen && chosen.value !== LOCAL ? await profileOf(chosen, selection) : undefined;
  const urlInEnv = variable(env, 'LEASECTL_URL');
  const actual = serviceInEnv(env) ?? stored?.service ?? service;
  assertServed(service, actual);
  const vendorToken = variable(env, tokenVariable);
  // Who chose the embedded service does not leave it for a variable that is there for other tools.
  const implied = chosen?.value === LOCAL ? undefined : vendorToken && baseUrl;
  const url =
    urlOf(urlInEnv, 'LEASECTL_URL') ??
    (stored && chosen && urlOf(stored.url, `profile ${chosen.value}`)) ??
    urlOf(implied, tokenVariable);
  const isOfProject = chosen !== undefined && chosen.source === selection.project?.file;
  if (!url) {
    if (variable(env, 'LEASECTL_TOKEN')) throw tokenWithoutUrl();
    if (!chosen) await assertNoneStored(selection);
    const unused = isOfProject && vendorToken ? tokenVariable : undefined;
    return { ...embedded(service, chosen ?? { value: LOCAL, source: 'built-in' }), unused };
  }
  if (isOfProject && !urlInEnv && variable(env, 'LEASECTL_TOKEN'))
    throw tokenForProject(chosen.value, chosen.source);
  const given = givenToken(actual, env, url.value, urlInEnv !== undefined);
  const own = storedSecret(stored, url.value, chosen?.value ?? '');
  const credential = stored?.credential;
  const usual = { type: SERVICES[actual].schemes[0] };
  const isShown = credential?.type !== 'oauth2' && stored?.service === actual;
  return {
    profile: chosen?.value === LOCAL ? undefined : chosen,
    service: actual,
    url,
    secret: given ?? own,
    // A token that is given is shown as the profile shows its own, or as the service usually wants.
    authentication: credential === undefined || (given && !isShown) ? usual : credential,
    network: stored && isSameOrigin(stored.url, url.value) ? networkOf(stored) : {},
    hidden: given && own && given.source,
    unused: undefined,
  };
}

/**
 * As {@link resolveSettings}, with all that a request needs.
 *
 * @throws Failure as it does; `unauthorized` when there is no token that may be sent there
 */
export async function resolveTarget(selection: Selection): Promise<Resolved> {
  const settings = await resolveSettings(selection);
  const { profile, service, url, secret, authentication, network } = settings;
  const notice = noticeOf(settings);
  if (!url) return { target: { type: 'local', profile: LOCAL }, used: undefined, notice };
  const used = profile?.value;
  const name = used ?? url.source;
  if (!secret && needsToken(service, url.value, authentication.type)) {
    const edit = used && storeWith(used, authentication.type);
    throw noToken({ service, env: selection.env }, url.value, name, edit);
  }
  const target: HostedTarget = {
    type: 'hosted',
    profile: name,
    service,
    url: requestUrl(url.value, service, selection.service),
    secret: secret?.value,
    authentication,
    network,
  };
  return { target, used, notice };
}

/**
 * Whether nothing is answered there without a token. As long as it has none, what leasectl serves is
 * for its own machine only, and asks for none.
 */
export function needsToken(
  service: ServiceName,
  url: URL,
  type: Authentication['type'] | undefined,
): boolean {
  return service !== 'leasectl' || !isLoopback(url.hostname) || type === 'oauth2';
}

/** Where the paths of a command's requests begin at the service that is there. */
export function requestUrl(url: URL, actual: ServiceName, commands: ServiceName): URL {
  const path = basePath(actual, commands);
  return path ? new URL(url.href.replace(/\/$/, '') + path) : url;
}

export interface Resolved {
  readonly target: Target;
  /** The profile that has a part in it, if one has. */
  readonly used: string | undefined;
  /** What people should know of how it came about, as a sentence. */
  readonly notice: string | undefined;
}

function noticeOf({ profile, hidden, unused }: Settings): string | undefined {
  if (hidden) return `${hidden} is used instead of the token of profile ${profile?.value}.`;
  if (!unused) return undefined;
  return `${unused} is not used: ${profile?.source} chooses the embedded service.`;
}

function embedded(service: ServiceName, profile: Sourced<string>): Settings {
  const authentication = { type: SERVICES[service].schemes[0] };
  return {
    profile,
    service,
    url: undefined,
    secret: undefined,
    authentication,
    network: {},
    hidden: undefined,
    unused: undefined,
  };
}

function urlOf(text: string | undefined, source: string): Sourced<URL> | undefined {
  if (!text) return undefined;
  const where = source.startsWith('profile ') ? `The URL of ${source}` : source;
  return { value: parseBaseUrl(text, where), source };
}

/** The token in a variable, if there is one that may be sent to the URL. */
function givenToken(
  service: ServiceName,
  env: Environment,
  url: URL,
  isUrlInEnv: boolean,
): Sourced<Secret> | undefined {
  const { baseUrl, tokenVariable } = SERVICES[service];
  // The service's own variable is for the service's own address, or one that stands beside it.
  const isVendors = isUrlInEnv || (baseUrl !== undefined && url.origin === new URL(baseUrl).origin);
  const candidates = ['LEASECTL_TOKEN', ...(isVendors && tokenVariable ? [tokenVariable] : [])];
  for (const source of candidates) {
    const given = variable(env, source);
    if (given) return { value: { given: parseToken(given, source) }, source };
  }
  return undefined;
}

/** The profile's secret, unless the address is no longer the one that it was stored for. */
function storedSecret(
  stored: Profile | undefined,
  url: URL,
  profile: string,
): Sourced<Secret> | undefined {
  const secret = secretOf(stored?.credential);
  if (secret === undefined || stored?.credential?.origin !== url.origin) return undefined;
  return { value: { stored: secret, profile }, source: `profile ${profile}` };
}

/** Only there a profile's files are for: nobody else is to be trusted, or to learn who asks. */
function isSameOrigin(stored: string, url: URL): boolean {
  return new URL(stored).origin === url.origin;
}

/** The files that a profile names for its connections. */
export function networkOf(
  stored: Pick<Profile, 'ca_file' | 'client_cert' | 'client_key'>,
): Network {
  const { ca_file: caFile, client_cert: certFile, client_key: keyFile } = stored;
  return { caFile, certFile, keyFile };
}

/**
 * Whoever stored profiles of a service shares its leases: those must not be taken on this machine's
 * disk because a default is missing.
 */
async function assertNoneStored({ service, profiles }: Selection): Promise<void> {
  const first = await profiles.firstOf(service);
  if (first === undefined) return;
  throw noDefault(service, first);
}
