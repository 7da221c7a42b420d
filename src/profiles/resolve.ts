import { Failure } from '../domain/failure.ts';
import {
  type ClientCredential,
  LOCAL,
  type Profile,
  parseBaseUrl,
  parseToken,
  type Scheme,
  SERVICES,
  type ServiceName,
} from './profile.ts';
import type { ProfileStore } from './profile-store.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a command's requests go. */
export type Target = { readonly type: 'local'; readonly profile: typeof LOCAL } | HostedTarget;

export interface HostedTarget {
  readonly type: 'hosted';
  /** The profile's name, or the variable that stands in for one. */
  readonly profile: string;
  readonly url: URL;
  /** Secret: what is shown to the service, or what gets that from its token endpoint. */
  readonly token: string;
  readonly authentication: Authentication;
}

/** What to do with the token: show it in one way or the other, or exchange it. */
export type Authentication = { readonly type: Scheme } | ClientCredential;

export interface Selection {
  readonly service: ServiceName;
  /** Of `--profile`. */
  readonly flag: string | undefined;
  readonly env: Environment;
  readonly profiles: ProfileStore;
}

/**
 * Finds what a command talks to. The profile is that of the flag, of `LEASECTL_PROFILE`, or the
 * service's default; `LEASECTL_URL` and `LEASECTL_TOKEN` stand over what it says. Without any of
 * them the service's own token variable leads to the hosted service, and nothing at all to the
 * embedded one.
 *
 * @throws Failure `usage` for a profile that is unknown, broken or another service's, and for a token that is none;
 *   `unauthorized` when there is no token that may be sent there
 */
export async function resolveTarget(selection: Selection): Promise<Target> {
  const { service, flag, env, profiles } = selection;
  const { baseUrl, tokenVariable = '' } = SERVICES[service];
  const named = flag ?? (env['LEASECTL_PROFILE'] || undefined);
  if (named === LOCAL) return { type: 'local', profile: LOCAL };

  const chosen = named ?? (await profiles.defaultOf(service));
  const name = chosen === LOCAL ? undefined : chosen;
  const stored = name === undefined ? undefined : await profiles.get(name);
  if (name !== undefined && stored && stored.service !== service) {
    throw await otherService(name, stored.service, selection);
  }
  const urlInEnv = env['LEASECTL_URL'] || undefined;
  const vendorToken = env[tokenVariable] || undefined;
  // Who chose the embedded service does not leave it for a variable that is there for other tools.
  const implied = chosen === LOCAL ? undefined : vendorToken && baseUrl;
  const urlText = urlInEnv ?? stored?.url ?? implied;
  if (!urlText) {
    if (env['LEASECTL_TOKEN']) throw tokenWithoutUrl();
    return { type: 'local', profile: LOCAL };
  }

  const source = urlInEnv ? 'LEASECTL_URL' : (name ?? tokenVariable);
  const url = parseBaseUrl(urlText, urlInEnv ? source : `The URL of profile ${source}`);
  // The service's own variable is for the service's own address, or one that stands beside it.
  const isVendors =
    urlInEnv !== undefined || (baseUrl !== undefined && url.origin === new URL(baseUrl).origin);
  const variable =
    isVendors && tokenVariable && !env['LEASECTL_TOKEN'] ? tokenVariable : 'LEASECTL_TOKEN';
  const proof = givenToken(selection, variable, stored) ?? storedToken(stored, url, source);
  if (proof) return { type: 'hosted', profile: name ?? source, url, ...proof };
  const unused = vendorToken ? `${tokenVariable} is for ${baseUrl} only. ` : '';
  throw new Failure('unauthorized', `No token for ${url.origin} (${source}).`, {
    hint: `${unused}Set LEASECTL_TOKEN, or store one: leasectl profile add NAME --service ${service} --url ${url.href.replace(/\/$/, '')} --token-stdin`,
    service,
  });
}

interface Proof {
  readonly token: string;
  readonly authentication: Authentication;
}

/** The token in a variable, to be shown as the profile shows its own, or as the service usually wants. */
function givenToken(
  { service, env }: Selection,
  variable: string,
  stored: Profile | undefined,
): Proof | undefined {
  const given = env[variable];
  if (!given) return undefined;
  const own = stored?.credential?.type;
  const type = own === undefined || own === 'oauth2' ? SERVICES[service].schemes[0] : own;
  return { token: parseToken(given, variable), authentication: { type } };
}

/** The profile's token, unless the address is no longer the one that it was stored for. */
function storedToken(stored: Profile | undefined, url: URL, name: string): Proof | undefined {
  const credential = stored?.credential;
  if (credential?.origin !== url.origin) return undefined;
  return credential.type === 'oauth2'
    ? { token: credential.client_secret, authentication: credential }
    : {
        token: parseToken(credential.token, `Profile ${name}`),
        authentication: { type: credential.type },
      };
}

/** @param actual the service of the profile that was chosen for a command of another one */
async function otherService(
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

function tokenWithoutUrl(): Failure {
  return new Failure('usage', 'LEASECTL_TOKEN is set, but nothing says where to send it.', {
    hint: 'Set LEASECTL_URL or LEASECTL_PROFILE too; --profile local uses the embedded service.',
  });
}
