import type { Context } from './context.ts';
import { monotonic } from './domain/clock.ts';
import { Failure } from './domain/failure.ts';
import { KNOWS_ACQUISITIONS, type Transport } from './http/transport.ts';
import type { LeaseAddress } from './ledger/ledger.ts';
import { LOCAL, type ServiceName } from './profiles/profile.ts';
import {
  type HostedTarget,
  type Resolved,
  resolveTarget,
  type Secret,
  type Target,
} from './profiles/resolve.ts';
import { sourceOf } from './secrets/secret-store.ts';
import type { Progress } from './terminal/progress.ts';
import { withProgress } from './with-progress.ts';

export interface ConnectOptions {
  /** Of `--profile`. */
  readonly profile: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly version: string;
  /** Whether requests are only told, with a `DryRun`, and nothing is written down. */
  readonly isDryRun?: boolean | undefined;
  /** Told what people should know of how the connection came about. */
  readonly notice?: (message: string) => void;
  /** Shows that the token is waited for, which others may have to be asked for, and the service. */
  readonly progress?: Progress | undefined;
  /** Whether the command shows by itself that it waits for the service. */
  readonly showsCalls?: boolean;
  /** Whether a token is tried: then no other one will do that is stored by the time it is refused. */
  readonly isTrial?: boolean;
  /** The embedded service's database, instead of what a profile leads to. */
  readonly database?: string | undefined;
  /** What it has there; only who opens the database may choose. */
  readonly namespace?: string | undefined;
}

/** A service ready to be asked. */
export interface Connection<Client> {
  readonly client: Client;
  /** The same for calls of one attempt each, which may take so many milliseconds. */
  readonly within: (milliseconds: number) => Promise<Client>;
  readonly target: Target;
  /** Whether it is leasectl's own service, embedded or served. */
  readonly isOurs: boolean;
  /** Where the ledger keeps the handle of a lease of this service. */
  readonly addressOf: (id: string) => LeaseAddress;
}

/** What every client is made with. */
export interface ClientPort {
  readonly transport: Transport;
  readonly knowsAcquisitions: () => boolean;
  readonly clean: (text: string) => string;
}

/**
 * Connects to what a command talks to.
 *
 * @throws Failure as `resolveTarget`, and when the embedded service's database, or the stored secret,
 *   cannot be used
 */
export async function connect<Client>(
  context: Context,
  service: ServiceName,
  options: ConnectOptions,
  createClient: (port: ClientPort) => Promise<Client>,
): Promise<Connection<Client>> {
  const { target, used, notice } =
    options.database === undefined
      ? await resolveTarget(await context.selection(service, options.profile))
      : DATABASE;
  if (target.type === 'hosted' && options.namespace !== undefined) throw namespaceOfToken();
  if (notice) options.notice?.(notice);
  if (options.isDryRun) context.beginDryRun();
  else if (used !== undefined) await context.profiles.touch(used, context.now());
  return connectTo(context, target, service, options, createClient);
}

const DATABASE: Resolved = {
  target: { type: 'local', profile: LOCAL },
  used: undefined,
  notice: undefined,
};

function namespaceOfToken(): Failure {
  return new Failure('usage', 'A service that is asked takes the namespace of the token.', {
    hint: 'Leave --namespace out, or work on the database itself: --database',
  });
}

/** As {@link connect}, to what is known already. */
export async function connectTo<Client>(
  context: Context,
  target: Target,
  service: ServiceName,
  options: ConnectOptions,
  createClient: (port: ClientPort) => Promise<Client>,
): Promise<Connection<Client>> {
  const transport = await transportTo(context, target, service, options);
  const isOurs = target.type === 'local' || target.service === 'leasectl';
  let knowsAcquisitions = isOurs;
  const port: ClientPort = {
    transport: async (request, send) => {
      const answer = await transport(request, send);
      knowsAcquisitions ||= KNOWS_ACQUISITIONS in answer.headers;
      return answer;
    },
    knowsAcquisitions: () => knowsAcquisitions,
    clean: (text) => context.redactor.clean(text),
  };
  const within = (timeout: number) => {
    // Whoever has so little time tries again by himself: one attempt gets all of it.
    const transport: Transport = (request, send) =>
      port.transport(request, { ...send, repeatable: false, share: 1, timeout });
    return createClient({ ...port, transport });
  };
  const location = locationOf(context, target);
  const addressOf = (id: string) => ({ service, profile: target.profile, location, id });
  return { client: await createClient(port), within, target, isOurs, addressOf };
}

/** Where a target is, as the ledger names it. */
export function locationOf(context: Context, target: Target): string {
  return target.type === 'local' ? context.paths.leases : target.url.href;
}

async function transportTo(
  context: Context,
  target: Target,
  service: ServiceName,
  options: ConnectOptions,
): Promise<Transport> {
  const { timeout, version, isDryRun, progress, showsCalls, isTrial } = options;
  const userAgent = `leasectl/${version}`;
  if (isDryRun) {
    const { createDryTransport } = await import('./dry-transport.ts');
    return createDryTransport(target, { service, userAgent, redactor: context.redactor });
  }
  if (target.type === 'local') {
    const { createEmbeddedTransport } = await import('./embedded.ts');
    return createEmbeddedTransport(
      service,
      await context.embedded(options),
      () => userOf(context.env),
      await context.trace(),
    );
  }
  const { createHostedTransport } = await import('./hosted.ts');
  const begun = monotonic();
  const secret = target.secret && (await readSecret(context, target.secret, timeout, progress));
  const { transport, close } = await createHostedTransport(target, {
    secret,
    readAgain: isTrial ? undefined : readerAgain(context, target),
    service,
    userAgent,
    // Both together have the time of one call.
    timeout: Math.max(1, timeout - Math.floor(monotonic() - begun)),
    tokens: context.paths.tokens,
    now: context.now,
    env: context.env,
    trace: await context.trace(),
    remember: (value) => context.redactor.addCredential(value),
  });
  context.onClose(close);
  return withProgress(transport, target.url.host, showsCalls ? undefined : progress);
}

/** Where others have to be asked for the secret, that is shown. */
function readSecret(
  context: Context,
  secret: Secret,
  most: number,
  progress: Progress | undefined,
): Promise<string> {
  const read = () => context.readSecret(secret, most);
  const source = 'stored' in secret ? sourceOf(secret.stored) : 'file';
  if (!progress || source === 'file') return read();
  return progress.during(source === 'keyring' ? 'the keyring' : 'the token command', read);
}

/** What is given stays as it is; where a secret is stored, another one may be by now. */
function readerAgain(context: Context, { secret, authentication, url }: HostedTarget) {
  if (!secret || 'given' in secret) return undefined;
  return async (most: number) => {
    const { readAgain } = await import('./read-again.ts');
    return readAgain(context, secret, { type: authentication.type, origin: url.origin }, most);
  };
}

/** Who runs this, for others to know whom to ask. */
export function userOf(env: Context['env']): string {
  const { hostname } = process.getBuiltinModule('node:os');
  return `${userNameOf(env)}@${hostname()}`;
}

export function userNameOf(env: Context['env']): string {
  return env['USER'] || env['LOGNAME'] || accountName();
}

/** In a container the account may have no name. */
function accountName(): string {
  const { userInfo } = process.getBuiltinModule('node:os');
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}
