import type { Clock } from './domain/clock.ts';
import { Redactor } from './domain/redactor.ts';
import type { Transport } from './http/transport.ts';
import type { LeaseAddress, Ledger } from './ledger/ledger.ts';
import { type Paths, pathsOf } from './paths.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import { type Environment, resolveTarget, type Target } from './profiles/resolve.ts';
import type { OnceOnlyClient } from './services/onceonly/client.ts';
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
  readonly target: Target;
  /** Where the ledger keeps the handle of a lease of this service. */
  readonly addressOf: (id: string) => LeaseAddress;
}

/** Loaded when it is needed: looking at a lease needs no randomness. */
function crypto() {
  return process.getBuiltinModule('node:crypto');
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
  async onceOnly(options: ConnectOptions): Promise<Connection<OnceOnlyClient>> {
    const service = 'onceonly';
    const { env, profiles } = this;
    const target = await resolveTarget({ service, flag: options.profile, env, profiles });
    const { createOnceOnlyClient } = await import('./services/onceonly/client.ts');
    const client = createOnceOnlyClient({
      transport: await this.#transportTo(target, service, options),
      honoursIdempotencyKey: target.type === 'local',
      clean: (text) => this.redactor.clean(text),
    });
    const location = target.type === 'local' ? this.#paths.leases : target.url.href;
    const addressOf = (id: string) => ({ service, profile: target.profile, location, id });
    return { client, target, addressOf };
  }

  /** Releases what was opened; to be called once, at the end. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  async #transportTo(
    target: Target,
    service: string,
    { timeout, version }: ConnectOptions,
  ): Promise<Transport> {
    if (target.type === 'local') return this.#embeddedService();
    const { createKyTransport } = await import('./http/ky-transport.ts');
    return createKyTransport({
      service,
      baseUrl: target.url,
      authorization: `Bearer ${this.redactor.add(target.token)}`,
      userAgent: `leasectl/${version}`,
      timeout,
    });
  }

  async #embeddedService(): Promise<Transport> {
    const [
      { createEngine },
      { openSqliteStore },
      { onceOnlyRoutes },
      { createInProcessTransport },
    ] = await Promise.all([
      import('./engine/engine.ts'),
      import('./store/sqlite/sqlite-store.ts'),
      import('./services/onceonly/routes.ts'),
      import('./server/in-process.ts'),
    ]);
    const store = openSqliteStore({ file: this.#paths.leases });
    this.#closers.push(() => store.close());
    const engine = createEngine({
      store,
      newHandle: () => `lease_${crypto().randomBytes(16).toString('hex')}`,
      monthlyLimit: MONTHLY_LIMIT,
    });
    return createInProcessTransport(onceOnlyRoutes(engine));
  }

  async #openLedger(): Promise<Ledger> {
    const { openLedger } = await import('./ledger/ledger.ts');
    const ledger = openLedger(this.#paths.handles, this.now);
    this.#closers.push(() => ledger.close());
    return ledger;
  }
}
