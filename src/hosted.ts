import type { Clock } from './domain/clock.ts';
import { createKyTransport, type KyTransportOptions } from './http/ky-transport.ts';
import type { Transport } from './http/transport.ts';
import type { ClientCredential } from './profiles/profile.ts';
import type { HostedTarget } from './profiles/resolve.ts';

export interface HostedOptions
  extends Pick<KyTransportOptions, 'service' | 'userAgent' | 'timeout' | 'trace'> {
  /** The target's, once it is read. */
  readonly secret: string;
  /** Directory of access tokens. */
  readonly tokens: string;
  readonly now: Clock;
  /** Told every secret that travels; hands it back. */
  readonly remember: (secret: string) => string;
}

export interface HostedTransport {
  readonly transport: Transport;
  readonly close: () => Promise<void>;
}

/** Speaks to a hosted service, with the authentication that its profile says. */
export async function createHostedTransport(
  { url: baseUrl, authentication }: HostedTarget,
  { secret, service, userAgent, timeout, tokens, now, remember, trace }: HostedOptions,
): Promise<HostedTransport> {
  const options = { service, baseUrl, userAgent, timeout, trace };
  remember(secret);
  if (authentication.type !== 'oauth2') {
    const shown =
      authentication.type === 'bearer'
        ? `Bearer ${secret}`
        : `Basic ${remember(Buffer.from(secret).toString('base64'))}`;
    const transport = createKyTransport({ ...options, authorization: shown });
    return { transport, close: async () => undefined };
  }
  const [{ withAuthorizer }, { createClientCredentials }] = await Promise.all([
    import('./http/authorizer.ts'),
    import('./tokens/client-credentials.ts'),
  ]);
  const transport = createKyTransport(options);
  const credential = credentialOf(authentication, secret);
  const credentials = createClientCredentials({
    ...credential,
    service,
    directory: tokens,
    now,
    transport: createKyTransport({ ...options, baseUrl: credential.tokenUrl }),
    remember,
  });
  return {
    transport: withAuthorizer(transport, credentials),
    close: () => credentials.close(),
  };
}

/** Removes the access token that was got for a client which is no longer used. */
export async function forgetTokens(
  tokens: string,
  stored: ClientCredential,
  secret: string,
): Promise<void> {
  const { removeTokens } = await import('./tokens/token-cache.ts');
  removeTokens(tokens, credentialOf(stored, secret));
}

function credentialOf(stored: ClientCredential, clientSecret: string) {
  const { client_id: clientId, token_url, scope } = stored;
  return { tokenUrl: new URL(token_url), clientId, clientSecret, scope };
}
