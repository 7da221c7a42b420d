import { Failure } from '../domain/failure.ts';
import { isPrivate } from '../domain/private-url.ts';
import {
  type Credential,
  type Profile,
  parseBaseUrl,
  parseClientId,
  SCHEMES,
  SERVICES,
  type ServiceName,
  secretOf,
  withSecret,
} from './profile.ts';

export const AUTHENTICATIONS = [...SCHEMES, 'oauth2'] as const;

/** What a profile is to be, as a user says it. What is left out stays as it is, or is as usual. */
export interface Wishes {
  readonly url?: string | undefined;
  readonly auth?: (typeof AUTHENTICATIONS)[number] | undefined;
  readonly clientId?: string | undefined;
  /** Empty for none: the service decides. */
  readonly scope?: string | undefined;
  readonly tokenUrl?: string | undefined;
  /** Of this and the other files: empty for none. */
  readonly caFile?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
}

/**
 * A profile as wished. Its credential has no secret, unless the current one goes on being sent to
 * nobody but whom it was stored for.
 *
 * @param current the profile to change, if there is one
 * @param isSecretGiven whether a new secret comes with the wishes
 * @throws Failure `usage` for a URL or an authentication that cannot be
 */
export function draftOf(
  service: ServiceName,
  wishes: Wishes,
  current: Profile | undefined,
  isSecretGiven: boolean,
): Profile {
  const text = wishes.url ?? current?.url ?? SERVICES[service].baseUrl;
  if (text === undefined) throw noUrl(service);
  const url = parsePrivateUrl(text, '--url');
  const credential = credentialOf(service, wishes, url, current, isSecretGiven);
  const files = {
    ca_file: wishes.caFile ?? current?.ca_file,
    client_cert: wishes.clientCert ?? current?.client_cert,
    client_key: wishes.clientKey ?? current?.client_key,
  };
  if (!files.client_cert !== !files.client_key) {
    throw new Failure('usage', 'A client certificate needs its key, and a key its certificate.', {
      hint: 'Give both: --client-cert FILE --client-key FILE.',
    });
  }
  const { credential: _, ca_file, client_cert, client_key, ...rest } = current ?? {};
  const given = Object.entries(files).filter(([, file]) => file);
  return {
    // What a later leasectl wrote into its file stays.
    ...rest,
    service,
    url: withoutSlash(url),
    ...(credential ? { credential } : {}),
    ...Object.fromEntries(given),
  };
}

function credentialOf(
  service: ServiceName,
  wishes: Wishes,
  url: URL,
  stored: Profile | undefined,
  isSecretGiven: boolean,
): Credential | undefined {
  const current = stored?.credential;
  const { schemes } = SERVICES[service];
  const { clientId } = wishes;
  const usual = clientId === undefined ? (current?.type ?? schemes[0]) : 'oauth2';
  const type = wishes.auth ?? usual;
  if (type !== 'oauth2' && !schemes.includes(type)) {
    throw new Failure('usage', `${service} knows no ${type} authentication.`, {
      hint: `It takes ${[...schemes, 'oauth2'].join(' or ')}.`,
    });
  }
  if (type !== 'oauth2' && (clientId ?? wishes.scope ?? wishes.tokenUrl) !== undefined) {
    throw new Failure('usage', 'Only an OAuth 2.0 client has an id, a scope and a token URL.', {
      hint: 'Give --client-id and no other --auth, or leave them out.',
    });
  }
  const isWished = isSecretGiven || wishes.auth !== undefined || clientId !== undefined;
  if (current === undefined && !isWished) return undefined;
  const own = type === 'oauth2' ? clientOf(service, wishes, url, current, stored?.url) : { type };
  const credential: Credential = { ...own, origin: url.origin };
  const secret = current && isSameAddressee(current, credential) ? secretOf(current) : undefined;
  return secret === undefined || isSecretGiven ? credential : withSecret(credential, secret);
}

function clientOf(
  service: ServiceName,
  wishes: Wishes,
  url: URL,
  current: Credential | undefined,
  currentUrl: string | undefined,
) {
  const known = current?.type === 'oauth2' ? current : undefined;
  const clientId = wishes.clientId ?? known?.client_id;
  if (clientId === undefined) {
    throw new Failure('usage', '--client-id is needed for an OAuth 2.0 client.', {
      hint: 'Give the id that your OAuth 2.0 server knows it by, and its secret with --client-secret-stdin.',
    });
  }
  const usual = usualTokenUrl(service, withoutSlash(url));
  // One that was the usual at the old address is at the new one, too.
  const hasOwn = known !== undefined && known.token_url !== usualTokenUrl(service, currentUrl);
  const tokenUrl = wishes.tokenUrl ?? (hasOwn ? known.token_url : usual);
  if (!tokenUrl) {
    throw new Failure('usage', `--token-url is needed: ${service} has no token endpoint.`, {
      hint: 'Give the URL where your OAuth 2.0 server hands out tokens.',
    });
  }
  const scope = wishes.scope ?? known?.scope;
  // Those of an import were written by somebody else.
  if (scope !== undefined && !/^[\x20-\x7e]*$/.test(scope)) {
    throw new Failure('usage', 'The scope is no list of visible ASCII characters.', {
      hint: 'Give the names that your OAuth 2.0 server knows, separated by spaces.',
    });
  }
  return {
    type: 'oauth2' as const,
    client_id: parseClientId(clientId, '--client-id'),
    token_url: parsePrivateUrl(tokenUrl, '--token-url').href,
    ...(scope ? { scope } : {}),
  };
}

/** Whether a secret that was stored for one credential may be sent where the other sends it. */
export function isSameAddressee(one: Credential, other: Credential): boolean {
  const places = (credential: Credential) => [
    credential.origin,
    credential.type === 'oauth2' ? new URL(credential.token_url).origin : 'shown',
  ];
  return places(one).join() === places(other).join();
}

/** Where a client gets tokens if nobody says so. */
export function usualTokenUrl(service: ServiceName, url: string | undefined): string | undefined {
  const { tokenPath } = SERVICES[service];
  return url && tokenPath && url.replace(/\/$/, '') + tokenPath;
}

/** As `parseBaseUrl`. @throws Failure `usage` where a secret would travel unencrypted, too */
export function parsePrivateUrl(text: string, flag: string): URL {
  const url = parseBaseUrl(text, flag);
  if (isPrivate(url)) return url;
  throw new Failure('usage', `${flag}: nothing is sent to ${url.origin} unencrypted.`, {
    hint: 'Use an https:// URL; plain http is for loopback addresses only.',
  });
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/$/, '');
}

function noUrl(service: ServiceName): Failure {
  const example =
    service === 'leasectl' ? 'https://leases.example.com' : 'https://media.example.com/api/v1';
  return new Failure('usage', `--url is needed: ${service} has no address of its own.`, {
    hint: `Give the base URL of your server, for example ${example}`,
  });
}
