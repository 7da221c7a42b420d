import { Failure } from '../domain/failure.ts';
import {
  LOCAL,
  type Profile,
  parseBaseUrl,
  parseToken,
  SERVICES,
  type ServiceName,
} from './profile.ts';
import type { ProfileStore } from './profile-store.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a command's requests go. */
export type Target =
  | { readonly type: 'local'; readonly profile: typeof LOCAL }
  | {
      readonly type: 'hosted';
      /** The profile's name, or the variable that stands in for one. */
      readonly profile: string;
      readonly url: URL;
      readonly token: string;
    };

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
 * @throws Failure `usage` for a profile that is unknown or broken, and for a token that is none;
 *   `unauthorized` when there is no token that may be sent there
 */
export async function resolveTarget({ service, flag, env, profiles }: Selection): Promise<Target> {
  const { baseUrl, tokenVariable } = SERVICES[service];
  const named = flag ?? (env['LEASECTL_PROFILE'] || undefined);
  if (named === LOCAL) return { type: 'local', profile: LOCAL };

  const chosen = named ?? (await profiles.defaultOf(service));
  const name = chosen === LOCAL ? undefined : chosen;
  const stored = name === undefined ? undefined : await profiles.get(name);
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
  const isVendors = urlInEnv !== undefined || url.origin === new URL(baseUrl).origin;
  const variable = isVendors && !env['LEASECTL_TOKEN'] ? tokenVariable : 'LEASECTL_TOKEN';
  const given = env[variable];
  const token = given ? parseToken(given, variable) : storedToken(stored, url, source);
  if (token) return { type: 'hosted', profile: name ?? source, url, token };
  const unused = vendorToken ? `${tokenVariable} is for ${baseUrl} only. ` : '';
  throw new Failure('unauthorized', `No token for ${url.origin} (${source}).`, {
    hint: `${unused}Set LEASECTL_TOKEN, or store one: leasectl profile add NAME --service ${service} --url ${url.origin} --token-stdin`,
    service,
  });
}

/** The profile's token, unless the address is no longer the one that it was stored for. */
function storedToken(stored: Profile | undefined, url: URL, name: string): string | undefined {
  if (stored?.credential?.origin !== url.origin) return undefined;
  return parseToken(stored.credential.token, `Profile ${name}`);
}

function tokenWithoutUrl(): Failure {
  return new Failure('usage', 'LEASECTL_TOKEN is set, but nothing says where to send it.', {
    hint: 'Set LEASECTL_URL or LEASECTL_PROFILE too; --profile local uses the embedded service.',
  });
}
