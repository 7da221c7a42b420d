import { isDeepStrictEqual } from 'node:util';
import type { AnyClient } from './any-client.ts';
import { type Connection, type ConnectOptions, connect } from './connect.ts';
import { createDebugTrace } from './debug.ts';
import type { Clock } from './domain/clock.ts';
import { Failure } from './domain/failure.ts';
import type { Embedded } from './embedded.ts';
import type { Store } from './engine/store.ts';
import type { Trace } from './http/transport.ts';
import type { Ledger } from './ledger/ledger.ts';
import { type Paths, pathsOf } from './paths.ts';
import { processRedactor } from './process-redactor.ts';
import { processVoice } from './process-voice.ts';
import {
  CREDENTIAL_VARIABLES,
  type Credential,
  parseToken,
  type ServiceName,
  secretOf,
} from './profiles/profile.ts';
import { ProfileStore } from './profiles/profile-store.ts';
import { findProject, type Project } from './profiles/project.ts';
import type { Environment, Secret, Selection } from './profiles/resolve.ts';
import type { SecretStore } from './secrets/secret-store.ts';
import type { AdminClient } from './services/admin/client.ts';
import type { AskUiClient } from './services/askui/client.ts';
import type { OnceOnlyClient } from './services/onceonly/client.ts';
import type { RetaiaClient } from './services/retaia/client.ts';
import type { Clocks } from './supervise/moment.ts';
import type { Terminal } from './terminal/terminal.ts';

type EmbeddedPlace = Pick<ConnectOptions, 'database' | 'namespace'>;

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
  readonly redactor = processRedactor;
  readonly profiles: ProfileStore;
  readonly paths: Paths;
  readonly #closers: (() => void | Promise<void>)[] = [];
  #isDryRun = false;
  #ledger: Promise<Ledger> | undefined;
  #opened: Promise<Store> | undefined;
  #project: Promise<Project | undefined> | undefined;
  #trace: Promise<Trace | undefined> | undefined;

  constructor(process: NodeJS.Process) {
    this.env = process.env;
    this.terminal = processVoice.terminal;
    this.paths = pathsOf(process.env);
    this.profiles = new ProfileStore(this.paths);
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
    return connect(this, 'onceonly', options, async (port) => {
      const { createOnceOnlyClient } = await import('./services/onceonly/client.ts');
      return createOnceOnlyClient(port);
    });
  }

  /** @throws Failure as `onceOnly` */
  retaia(options: ConnectOptions): Promise<Connection<RetaiaClient>> {
    return connect(this, 'retaia', options, async (port) => {
      const { createRetaiaClient } = await import('./services/retaia/client.ts');
      return createRetaiaClient(port);
    });
  }

  /** @throws Failure as `onceOnly` */
  askUi(options: ConnectOptions): Promise<Connection<AskUiClient>> {
    return connect(this, 'askui', options, async (port) => {
      const { createAskUiClient } = await import('./services/askui/client.ts');
      return createAskUiClient(port);
    });
  }

  /** @throws Failure as `onceOnly` */
  admin(options: ConnectOptions): Promise<Connection<AdminClient>> {
    return connect(this, 'leasectl', options, async (port) => {
      const { createAdminClient } = await import('./services/admin/client.ts');
      return createAdminClient(port);
    });
  }

  /** For requests that leasectl knows nothing of. @throws Failure as `onceOnly` */
  anyService(service: ServiceName, options: ConnectOptions): Promise<Connection<AnyClient>> {
    return connect(this, service, options, async (port) => {
      const { createAnyClient } = await import('./any-client.ts');
      return createAnyClient(service, port);
    });
  }

  /** From now on the ledger is only looked at. */
  beginDryRun(): void {
    this.#isDryRun = true;
  }

  /** The clocks of this machine, for what has to be kept up in time. */
  async clocks(): Promise<Clocks> {
    const { systemClocks } = await import('./supervise/moment.ts');
    return systemClocks;
  }

  /** What a namespace has of the embedded service, in its own database unless another is named. */
  async embedded({ database, namespace }: EmbeddedPlace): Promise<Embedded> {
    const [{ engineOn }, { DEFAULT_NAMESPACE }] = await Promise.all([
      import('./engines.ts'),
      import('./engine/store.ts'),
    ]);
    const own = namespace ?? DEFAULT_NAMESPACE;
    const store = (await this.#store(database)).within(own);
    return { engine: engineOn(store), store, namespace: own };
  }

  newUuid(): string {
    return crypto().randomUUID();
  }

  /** Where what a command works with under a lease is kept while it runs. */
  get workDirectory(): string {
    return this.paths.work;
  }

  /** The project that this command is run in, if there is one. */
  project(): Promise<Project | undefined> {
    this.#project ??= this.#findProject();
    return this.#project;
  }

  /** What is told of each request and its answer, where LEASECTL_DEBUG asks for that. */
  trace(): Promise<Trace | undefined> {
    this.#trace ??= createDebugTrace(this);
    return this.#trace;
  }

  /** What decides what a command talks to. */
  async selection(service: ServiceName, flag: string | undefined): Promise<Selection> {
    return { service, ...(await this.selectionOfAny(flag)) };
  }

  /** The same where a command is for no service of its own. */
  async selectionOfAny(flag: string | undefined): Promise<Omit<Selection, 'service'>> {
    const { env, profiles } = this;
    return { flag, env, profiles, project: await this.project() };
  }

  /** Where the secrets of profiles are. */
  async secrets(): Promise<SecretStore> {
    const { createSecretStore } = await import('./secrets/secret-store.ts');
    return createSecretStore({
      env: this.env,
      withhold: CREDENTIAL_VARIABLES,
      newId: () => this.newUuid(),
    });
  }

  /**
   * Forgets what a profile does not go by any more: the access token that was got with a credential,
   * and its secret; unless a profile still has them.
   *
   * @throws Failure when the keyring does not do it
   */
  async forgetCredential(name: string, credential: Credential): Promise<void> {
    const secret = secretOf(credential);
    if (secret === undefined) return;
    const others = (await this.profiles.all()).map(({ profile }) => profile?.credential);
    const isInUse = others.some((other) => isDeepStrictEqual(other, credential));
    if (credential.type === 'oauth2' && !isInUse) {
      const { forgetTokens } = await import('./hosted.ts');
      const read = () => this.readSecret({ stored: secret, profile: name });
      await forgetTokens(this.paths.tokens, credential, read);
    }
    if (others.some((other) => isDeepStrictEqual(secretOf(other), secret))) return;
    await (await this.secrets()).forget(secret);
  }

  /**
   * Reads a secret.
   *
   * @param most milliseconds that this may take, where that is less than it usually may
   * @throws Failure as the secret store; `usage` when what it is cannot travel in a header
   */
  async readSecret(secret: Secret, most?: number): Promise<string> {
    if ('given' in secret) return this.redactor.addCredential(secret.given);
    const { stored, profile } = secret;
    const isHere = typeof stored === 'string';
    const value = isHere ? stored : await (await this.secrets()).read(stored, profile, most);
    return this.redactor.addCredential(parseToken(value, `Profile ${profile}`));
  }

  onClose(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Releases what was opened; to be called once, at the end. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  /**
   * The directory that this command is run in.
   *
   * @throws Failure `usage` when it was removed
   */
  directory(): string {
    try {
      return process.cwd();
    } catch (error) {
      throw new Failure('usage', 'The directory that this is run in does not exist any more.', {
        hint: 'Change to another one.',
        cause: error,
      });
    }
  }

  /** The same; undefined when it was removed. */
  presentDirectory(): string | undefined {
    try {
      return process.cwd();
    } catch {
      return undefined;
    }
  }

  async #findProject(): Promise<Project | undefined> {
    const { existsSync } = process.getBuiltinModule('node:fs');
    const directory = this.presentDirectory();
    return directory === undefined ? undefined : findProject(directory, existsSync);
  }

  #store(database: string | undefined): Promise<Store> {
    this.#opened ??= this.#openStore(database);
    return this.#opened;
  }

  async #openStore(database: string | undefined): Promise<Store> {
    const { openStore } = await import('./open-store.ts');
    const store = await openStore({
      location: database ?? this.paths.leases,
      isAlone: true,
      env: this.env,
      remember: (secret) => this.redactor.addCredential(secret),
    });
    this.#closers.push(() => store.close());
    return store;
  }

  async #openLedger(): Promise<Ledger> {
    const { openLedger } = await import('./ledger/ledger.ts');
    const file = this.paths.handles;
    const open = () => openLedger(file, this.now);
    const ledger = this.#isDryRun
      ? (await import('./ledger/unwritten.ts')).unwritten(file, open)
      : open();
    this.#closers.push(() => ledger.close());
    return ledger;
  }
}
