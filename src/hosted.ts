import type { Clock } from './domain/clock.ts';
import type { Carrier } from './http/carrier.ts';
import { createKyTransport, type KyTransportOptions } from './http/ky-transport.ts';
import type { Transport } from './http/transport.ts';
import { type ClientCredential, secretOf } from './profiles/profile.ts';
import type { Environment, HostedTarget } from './profiles/resolve.ts';

export interface HostedOptions
  extends Pick<KyTransportOptions, 'service' | 'userAgent' | 'timeout' | 'trace'> {
  /** The target's, once it is read; undefined where none is shown. */
  readonly secret: string | undefined;
  /**
   * Reads it once more, in so many milliseconds, where it may be another by now; undefined where it
   * is not.
   */
  readonly readAgain: ((timeout: number) => Promise<string | undefined>) | undefined;
  /** Directory of access tokens. */
  readonly tokens: string;
  readonly now: Clock;
  /** Names proxies, and who is trusted. */
  readonly env: Environment;
  /** Told every secret that travels; hands it back. */
  readonly remember: (secret: string) => string;
}

export interface HostedTransport {
  readonly transport: Transport;
  readonly close: () => Promise<void>;
}

/**
 * Speaks to a hosted service, with the authentication that its profile says.
 *
 * @throws Failure as `createCarrier`, and `usage` for URLs to which no token may be sent
 */
export async function createHostedTransport(
  target: HostedTarget,
  hosted: HostedOptions,
): Promise<HostedTransport> {
  const { url: baseUrl, authentication } = target;
  const { secret, readAgain, service, userAgent, timeout, trace, remember } = hosted;
  const carrier = await carrierTo(target, hosted);
  const close = async () => carrier?.close();
  const options = { service, baseUrl, userAgent, timeout, trace, fetch: carrier?.fetch };
  if (secret === undefined) return { transport: createKyTransport(options), close };
  remember(secret);
  if (authentication.type === 'oauth2') {
    return withTokens(authentication, options, { ...hosted, secret }, close);
  }
  const show = (value: string) =>
    authentication.type === 'bearer'
      ? `Bearer ${remember(value)}`
      : `Basic ${remember(Buffer.from(remember(value)).toString('base64'))}`;
  const authorization = show(secret);
  if (!readAgain) return { transport: createKyTransport({ ...options, authorization }), close };
  const { createRereader, withAuthorizer } = await import('./http/authorizer.ts');
  const authorizer = createRereader(authorization, async (most) => {
    const read = await readAgain(most);
    return read === undefined ? undefined : show(read);
  });
  return { transport: withAuthorizer(createKyTransport(options), authorizer, timeout), close };
}

/** Shows the service access tokens, which a client gets for its secret. */
async function withTokens(
  authentication: ClientCredential,
  options: KyTransportOptions,
  { secret, service, timeout, tokens, now, remember }: HostedOptions & { secret: string },
  close: () => Promise<void>,
): Promise<HostedTransport> {
  const [{ withAuthorizer }, { createClientCredentials }] = await Promise.all([
    import('./http/authorizer.ts'),
    import('./tokens/client-credentials.ts'),
  ]);
  const transport = createKyTransport(options);
  const credential = clientOf(authentication);
  const credentials = createClientCredentials({
    ...credential,
    clientSecret: secret,
    command: commandOf(authentication),
    service,
    directory: tokens,
    timeout,
    now,
    transport: createKyTransport({ ...options, baseUrl: credential.tokenUrl }),
    remember,
  });
  return {
    transport: withAuthorizer(transport, credentials, timeout),
    close: async () => {
      await credentials.close();
      await close();
    },
  };
}

/** What carries requests where Node's own way will not do. Most commands need none of it. */
async function carrierTo(
  { url, authentication, network }: HostedTarget,
  { env, remember }: HostedOptions,
): Promise<Carrier | undefined> {
  const isUsual =
    !Object.values(network).some(Boolean) &&
    !Object.keys(env).some((name) => /^(https|all)_proxy$/i.test(name));
  if (isUsual) return undefined;
  const { createCarrier } = await import('./http/carrier.ts');
  const others = authentication.type === 'oauth2' ? [new URL(authentication.token_url)] : [];
  return createCarrier({ url, others, env, files: network, remember });
}

/**
 * Removes the access token that was got for a client which is no longer used.
 *
 * @param read reads its secret; one that a command prints is not needed
 */
export async function forgetTokens(
  tokens: string,
  stored: ClientCredential,
  read: () => Promise<string>,
): Promise<void> {
  const { removeTokens } = await import('./tokens/token-cache.ts');
  const command = commandOf(stored);
  const secret = command === undefined ? await read() : { command };
  removeTokens(tokens, { ...clientOf(stored), secret });
}

function clientOf({ client_id: clientId, token_url, scope }: ClientCredential) {
  return { tokenUrl: new URL(token_url), clientId, scope };
}

function commandOf(credential: ClientCredential): string | undefined {
  const secret = secretOf(credential);
  return typeof secret === 'object' && 'command' in secret ? secret.command : undefined;
}
