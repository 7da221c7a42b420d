import type { Clock } from './domain/clock.ts';
import { Redactor } from './domain/redactor.ts';
import type { Access } from './engine/access.ts';
import type { Engine } from './engine/engine.ts';
import type { Kind } from './engine/lease.ts';
import type { Store } from './engine/store.ts';
import type { Route } from './http/route.ts';
import { KNOWS_ACQUISITIONS, type Transport } from './http/transport.ts';
import type { LeaseAddress, Ledger } from './ledger/ledger.ts';
import { type Paths, pathsOf } from './paths.ts';
import type { Profile, ServiceName } from './profiles/profile.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import {
  type Environment,
  type HostedTarget,
  resolveTarget,
  type Target,
} from './profiles/resolve.ts';
import type { AskUiClient } from './services/askui/client.ts';
import type { OnceOnlyClient } from './services/onceonly/client.ts';
import type { RetaiaClient } from './services/retaia/client.ts';
import type { Clocks } from './supervise/moment.ts';
import { Terminal } from './terminal/terminal.ts';

/** Acquisitions that the embedded service grants in a month: a number nobody meets by hand. */
const MONTHLY_LIMIT = 1_000_000_000;

export interface ConnectOptions {
  /** Of `--profile`. */
  readonly profile: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly version: string;
}

/** A service ready to be asked. */
export interface Connection<Client> {
  readonly client: Client;
  /** The same for calls of one attempt each, which may take so many milliseconds. */
  readonly within: (milliseconds: number) => Promise<Client>;
  readonly target: Target;
  /** Where the ledger keeps the handle of a lease of this service. */
  readonly addressOf: (id: string) => LeaseAddress;
}

/** What every client is made with. */
interface ClientPort {
  readonly transport: Transport;
  readonly knowsAcquisitions: () => boolean;
  readonly clean: (text: string) => string;
}

const HANDLE_PREFIXES: Readonly<Record<Kind, string>> = {
  key: 'lease',
  job: 'lock',
  runner_job: 'ack',
};

interface Dialect {
  /** What the base URL of a profile for this service ends with. */
  readonly basePath: string;
  readonly routesOf: (engine: Engine) => readonly Route[];
}

/** How the embedded service speaks as each service. */
const ROUTES: Readonly<Record<ServiceName, () => Promise<Dialect>>> = {
  onceonly: async () => {
    const { onceOnlyRoutes } = await import('./services/onceonly/routes.ts');
    return { basePath: '', routesOf: onceOnlyRoutes };
  },
  retaia: async () => {
    const { BASE_PATH, retaiaRoutes } = await import('./services/retaia/routes.ts');
    return { basePath: BASE_PATH, routesOf: retaiaRoutes };
  },
  askui: async () => {
    const { askUiRoutes } = await import('./services/askui/routes.ts');
    return { basePath: '', routesOf: askUiRoutes };
  },
};

/** Loaded when it is needed: looking at a lease needs no randomness. */
function crypto() {
  return process.getBuiltinModule('node:crypto');
}

function randomHex(bytes: number): string {
  return crypto().randomBytes(bytes).toString('hex');
}

/**
 * The composition root: the one place that knows the real clock, environment, paths and random
 * source, and which implementation stands behind which port. What a command does not use is not
 * loaded.
 */
export class Context {
  readonly env: Environment;
  readonly now: Clock = () => Date.now();
  readonly terminal: Terminal;
  readonly redactor = new Redactor();
  readonly profiles: ProfileStore;
  readonly #paths: Paths;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #ledger: Promise<Ledger> | undefined;
  #opened: Promise<Store> | undefined;

  constructor(process: NodeJS.Process) {
    this.env = process.env;
    this.terminal = new Terminal(process);
    this.#paths = pathsOf(process.env);
    this.profiles = new ProfileStore(this.#paths.config);
  }

  newIdempotencyKey(): string {
    return crypto().randomUUID();
  }

  /** The handles of this machine. */
  ledger(): Promise<Ledger> {
    this.#ledger ??= this.#openLedger();
    return this.#ledger;
  }

  /** @throws Failure as `resolveTarget`, and when the embedded service's database cannot be used */
  onceOnly(options: ConnectOptions): Promise<Connection<OnceOnlyClient>> {
    return this.#connect('onceonly', options, async (port) => {
      const { createOnceOnlyClient } = await import('./services/onceonly/client.ts');
      return createOnceOnlyClient(port);
    });
  }

  /** @throws Failure as `onceOnly` */
  retaia(options: ConnectOptions): Promise<Connection<RetaiaClient>> {
    return this.#connect('retaia', options, async (port) => {
      const { createRetaiaClient } = await import('./services/retaia/client.ts');
      return createRetaiaClient(port);
    });
  }

  /** @throws Failure as `onceOnly` */
  askUi(options: ConnectOptions): Promise<Connection<AskUiClient>> {
    return this.#connect('askui', options, async (port) => {
      const { createAskUiClient } = await import('./services/askui/client.ts');
      return createAskUiClient(port);
    });
  }

  /** The clocks of this machine, for what has to be kept up in time. */
  async clocks(): Promise<Clocks> {
    const { systemClocks } = await import('./supervise/moment.ts');
    return systemClocks;
  }

  /** The embedded service's engine: for its administration, beside what the services offer. */
  async engine(): Promise<Engine> {
    const { createEngine } = await import('./engine/engine.ts');
    const newHandle = (kind: Kind) => `${HANDLE_PREFIXES[kind]}_${randomHex(16)}`;
    return createEngine({ store: await this.#store(), newHandle, monthlyLimit: MONTHLY_LIMIT });
  }

  /** Who may ask the embedded service, where it is served. */
  async access(): Promise<Access> {
    const { createAccess } = await import('./engine/access.ts');
    const hash = (secret: string) => crypto().createHash('sha256').update(secret).digest('hex');
    return createAccess({
      store: await this.#store(),
      newSecret: () => this.newSecret(),
      hash,
    });
  }

  /** Makes so many ids, by index: random, short, and sorted in the order of their making. */
  newIds(prefix: string, count: number): (index: number) => string {
    const time = this.now().toString(36).padStart(9, '0');
    const random = crypto().randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0');
    // The last digits tell those apart that are made together.
    const digits = (count - 1).toString(36).length;
    return (index) => `${prefix}_${time}${random}${index.toString(36).padStart(digits, '0')}`;
  }

  newUuid(): string {
    return crypto().randomUUID();
  }

  /** 256 random bits, as text. */
  newSecret(): string {
    return crypto().randomBytes(32).toString('base64url');
  }

  /** Where what a command works with under a lease is kept while it runs. */
  get workDirectory(): string {
    return this.#paths.work;
  }

  /** Forgets the access token that was got for a profile which is no more. */
  async forgetTokens({ credential }: Profile): Promise<void> {
    if (credential?.type !== 'oauth2') return;
    const { forgetTokens } = await import('./hosted.ts');
    await forgetTokens(this.#paths.tokens, credential);
  }

  /** Releases what was opened; to be called once, at the end. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  async #connect<Client>(
    service: ServiceName,
    options: ConnectOptions,
    createClient: (port: ClientPort) => Promise<Client>,
  ): Promise<Connection<Client>> {
    const { env, profiles } = this;
    const target = await resolveTarget({ service, flag: options.profile, env, profiles });
    const transport =
      target.type === 'local'
        ? await this.#embeddedService(service)
        : await this.#hostedService(service, target, options);
    let knowsAcquisitions = target.type === 'local';
    const port: ClientPort = {
      transport: async (request, send) => {
        const answer = await transport(request, send);
        knowsAcquisitions ||= KNOWS_ACQUISITIONS in answer.headers;
        return answer;
      },
      knowsAcquisitions: () => knowsAcquisitions,
      clean: (text) => this.redactor.clean(text),
    };
    const within = (timeout: number) => {
      // Whoever has so little time tries again by himself: one attempt gets all of it.
      const transport: Transport = (request, send) =>
        port.transport(request, { ...send, repeatable: false, share: 1, timeout });
      return createClient({ ...port, transport });
    };
    const location = target.type === 'local' ? this.#paths.leases : target.url.href;
    const addressOf = (id: string) => ({ service, profile: target.profile, location, id });
    return { client: await createClient(port), within, target, addressOf };
  }

  async #hostedService(
    service: ServiceName,
    target: HostedTarget,
    { timeout, version }: ConnectOptions,
  ): Promise<Transport> {
    const { createHostedTransport } = await import('./hosted.ts');
    const { transport, close } = await createHostedTransport(target, {
      service,
      userAgent: `leasectl/${version}`,
      timeout,
      tokens: this.#paths.tokens,
      now: this.now,
      remember: (secret) => this.redactor.add(secret),
    });
    this.#closers.push(close);
    return transport;
  }

  async #embeddedService(service: ServiceName): Promise<Transport> {
    const [engine, { createInProcessTransport }, { basePath, routesOf }] = await Promise.all([
      this.engine(),
      import('./server/in-process.ts'),
      ROUTES[service](),
    ]);
    return createInProcessTransport(routesOf(engine), { basePath, caller: this.#user() });
  }

  /** Who runs this, for others to know whom to ask. */
  #user(): string {
    const { hostname } = process.getBuiltinModule('node:os');
    // In a container the user may have no name.
    const name = this.env['USER'] || this.env['LOGNAME'] || `uid-${process.getuid?.()}`;
    return `${name}@${hostname()}`;
  }

  #store(): Promise<Store> {
    this.#opened ??= this.#openStore();
    return this.#opened;
  }

  async #openStore(): Promise<Store> {
    const { openSqliteStore } = await import('./store/sqlite/sqlite-store.ts');
    const store = openSqliteStore({ file: this.#paths.leases });
    this.#closers.push(() => store.close());
    return store;
  }

  async #openLedger(): Promise<Ledger> {
    const { openLedger } = await import('./ledger/ledger.ts');
    const ledger = openLedger(this.#paths.handles, this.now);
    this.#closers.push(() => ledger.close());
    return ledger;
  }
}
