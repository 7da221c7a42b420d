import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import { readJsonFile } from '../files/json-file.ts';
import {
  createFile,
  isSystemError,
  removeFile,
  removeLeftovers,
  replaceFile,
} from '../files/private-file.ts';
import {
  checkProfileName,
  isProfileName,
  LOCAL,
  Profile,
  SERVICE_NAMES,
  type ServiceName,
} from './profile.ts';

/*
 * config/
 *   profiles/NAME.json     one profile, with its secret or where that is
 *   defaults/SERVICE.json  {"profile": NAME}
 * state/
 *   profiles.lock          held by whoever changes any of that
 *   used/NAME              its time of change is when the profile was used last
 *
 * Files are replaced whole, so that readers need no lock.
 */

const Default = z.object({ profile: z.string() });

export interface ProfileDirectories {
  /** Where the configuration lies, e.g. `~/.config/leasectl`. */
  readonly config: string;
  /** Where what can be lost lies, e.g. `~/.local/state/leasectl`. */
  readonly state: string;
}

export class ProfileStore {
  readonly #config: string;
  readonly #state: string;

  constructor({ config, state }: ProfileDirectories) {
    this.#config = config;
    this.#state = state;
  }

  /** @throws Failure `usage` when there is no such profile, or its file is broken */
  async get(name: string): Promise<Profile> {
    const profile = await readJsonFile(this.#profileFile(checkProfileName(name)), Profile);
    if (profile) return profile;
    throw new Failure('usage', `There is no profile ${name}.`, {
      hint: 'See those there are with leasectl profile list, or make it with leasectl profile add.',
    });
  }

  /** @throws Failure `usage` when the profile exists */
  add(name: string, profile: Profile): Promise<void> {
    return this.#alone(() => this.#create(name, profile));
  }

  /**
   * Changes a profile: of what others change at the same time nothing is lost.
   *
   * @param change gets the profile as it is now
   * @returns the profile as it was, and as it is
   * @throws Failure `usage` when there is no such profile
   */
  change(
    name: string,
    change: (profile: Profile) => Profile | Promise<Profile>,
  ): Promise<{ readonly before: Profile; readonly after: Profile }> {
    return this.#alone(async () => {
      const before = await this.get(name);
      const after = await change(before);
      await replaceFile(this.#profileFile(name), contentOf(after));
      return { before, after };
    });
  }

  /**
   * Gives a profile another name, also where it is a default.
   *
   * @throws Failure `usage` when there is no such profile, or one of the new name
   */
  rename(name: string, newName: string): Promise<void> {
    return this.#alone(async () => {
      await this.#create(newName, await this.get(name));
      const services = await this.#servicesOf(name);
      for (const service of services) await this.#writeDefault(service, newName);
      await removeFile(this.#profileFile(name));
    });
  }

  /**
   * Removes a profile, and makes it nobody's default.
   *
   * @returns the services that it was the default of
   * @throws Failure `usage` when there is no such profile
   */
  remove(name: string): Promise<ServiceName[]> {
    return this.#alone(async () => {
      if (!(await removeFile(this.#profileFile(checkProfileName(name))))) await this.get(name);
      await removeFile(this.#usedFile(name));
      const orphaned = await this.#servicesOf(name);
      for (const service of orphaned) await removeFile(this.#defaultFile(service));
      return orphaned;
    });
  }

  /** Names in alphabetical order. */
  async names(): Promise<string[]> {
    try {
      const files = await readdir(join(this.#config, 'profiles'));
      return files
        .filter((file) => file.endsWith('.json'))
        .map((file) => file.slice(0, -'.json'.length))
        .filter(isProfileName)
        .sort();
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return [];
      throw error;
    }
  }

  /** The first profile, by name, of a service; broken ones are passed over. */
  async firstOf(service: ServiceName): Promise<string | undefined> {
    for (const name of await this.names()) {
      const profile = await this.get(name).catch(() => undefined);
      if (profile?.service === service) return name;
    }
    return undefined;
  }

  /** The name of a service's default profile, or `local`; undefined where none was chosen. */
  async defaultOf(service: ServiceName): Promise<string | undefined> {
    return (await readJsonFile(this.#defaultFile(service), Default))?.profile;
  }

  /**
   * Makes a profile its service's default, or `local` that of all services.
   *
   * @throws Failure `usage` when there is no such profile
   */
  use(name: string): Promise<void> {
    return this.#alone(async () => {
      // `local` is written down: it was chosen, so that no profile added later takes its place.
      const services = name === LOCAL ? SERVICE_NAMES : [(await this.get(name)).service];
      for (const service of services) await this.#writeDefault(service, name);
    });
  }

  /** Chooses a default where there is none yet. @returns whether it did */
  setFirstDefault(service: ServiceName, name: string): Promise<boolean> {
    return this.#alone(() => createFile(this.#defaultFile(service), defaultContent(name)));
  }

  /** When a profile was used last, in milliseconds since 1970. */
  async lastUseOf(name: string): Promise<number | undefined> {
    const found = await stat(this.#usedFile(name)).catch(() => undefined);
    return found && Math.round(found.mtimeMs);
  }

  /** Notes that a profile is used. Not to know it hinders nobody: so nothing is thrown. */
  async touch(name: string, now: number): Promise<void> {
    const file = this.#usedFile(name);
    const time = new Date(now);
    await utimes(file, time, time)
      .catch(() => createFile(file, ''))
      .catch(() => undefined);
  }

  /** Whether this is the first time that something is to be told on this machine. */
  isNews(what: string): Promise<boolean> {
    return createFile(join(this.#state, 'told', what), '');
  }

  async #create(name: string, profile: Profile): Promise<void> {
    if (await createFile(this.#profileFile(checkProfileName(name)), contentOf(profile))) return;
    throw new Failure('usage', `There is a profile ${name} already.`, {
      hint: `Change it with leasectl profile edit ${name}, or take another name.`,
    });
  }

  async #servicesOf(name: string): Promise<ServiceName[]> {
    const defaults = await Promise.all(
      SERVICE_NAMES.map(async (service) => ({ service, name: await this.defaultOf(service) })),
    );
    return defaults.filter((chosen) => chosen.name === name).map(({ service }) => service);
  }

  async #writeDefault(service: ServiceName, name: string): Promise<void> {
    await replaceFile(this.#defaultFile(service), defaultContent(name));
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const { exclusively } = await import('../sqlite/lock.ts');
    return exclusively(join(this.#state, 'profiles.lock'), async () => {
      // Of processes that were killed while they wrote: all others wait for this one.
      await removeLeftovers(join(this.#config, 'profiles'));
      return work();
    });
  }

  #profileFile(name: string): string {
    return join(this.#config, 'profiles', `${name}.json`);
  }

  #defaultFile(service: ServiceName): string {
    return join(this.#config, 'defaults', `${service}.json`);
  }

  #usedFile(name: string): string {
    return join(this.#state, 'used', name);
  }
}

function contentOf(profile: Profile): string {
  return `${JSON.stringify(profile, null, 2)}\n`;
}

function defaultContent(profile: string): string {
  return `${JSON.stringify({ profile })}\n`;
}
