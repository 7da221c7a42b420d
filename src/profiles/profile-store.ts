import { readdirSync, utimesSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../domain/failure.ts';
import { readJsonFile } from '../files/json-file.ts';
import {
  createEmptyFile,
  createFile,
  isSystemError,
  moveFile,
  removeFile,
  removeLeftovers,
  replaceFile,
} from '../files/private-file.ts';
import { Defaults } from './defaults.ts';
import { namesTaken, nameTaken, noSuchProfile } from './name-failures.ts';
import {
  checkProfileName,
  isProfileName,
  LOCAL,
  type Profile,
  SERVICE_NAMES,
  type ServiceName,
  StoredProfile,
  servedBy,
  serves,
} from './profile.ts';

/*
 * config/
 *   profiles/NAME.json     one profile, with its secret or where that is
 *   defaults/SERVICE.json  {"profile": NAME}
 * state/
 *   profiles.lock          held by whoever changes any of that
 *   used/NAME              its time of change is when the profile was used last
 *   told/WHAT              something was told, and need not be told again
 *
 * Files are replaced whole, so that readers need no lock.
 */

export interface ProfileDirectories {
  /** Where the configuration lies, e.g. `~/.config/leasectl`. */
  readonly config: string;
  /** Where what can be lost lies, e.g. `~/.local/state/leasectl`. */
  readonly state: string;
}

/** A profile, or what is wrong with its file. */
export type ListedProfile =
  | { readonly name: string; readonly profile: Profile; readonly problem?: undefined }
  | { readonly name: string; readonly profile?: undefined; readonly problem: Failure };

export class ProfileStore {
  readonly #config: string;
  readonly #state: string;
  readonly #defaults: Defaults;

  constructor({ config, state }: ProfileDirectories) {
    this.#config = config;
    this.#state = state;
    this.#defaults = new Defaults(join(config, 'defaults'));
  }

  /** @throws Failure `usage` when there is no such profile, or its file is broken */
  async get(name: string): Promise<Profile> {
    const profile = await this.find(checkProfileName(name));
    if (profile) return profile;
    throw await noSuchProfile(name, await this.names());
  }

  /** As `get`, but undefined when there is no such profile. */
  async find(name: string): Promise<Profile | undefined> {
    return readJsonFile(this.#profileFile(name), StoredProfile);
  }

  /** All profiles by name, the broken ones too; those that others remove meanwhile are passed over. */
  async all(): Promise<ListedProfile[]> {
    const names = await this.names();
    const found = await Promise.all(names.map((name) => this.#listed(name)));
    return found.filter((entry) => entry !== undefined);
  }

  async #listed(name: string): Promise<ListedProfile | undefined> {
    try {
      const profile = await this.find(name);
      return profile && { name, profile };
    } catch (problem) {
      if (problem instanceof Failure) return { name, problem };
      throw problem;
    }
  }

  /**
   * Adds a profile, and makes it the default where none was chosen.
   *
   * @returns the services that it serves, and is not the default of
   * @throws Failure `usage` when the profile exists
   */
  add(name: string, profile: Profile): Promise<ServiceName[]> {
    return this.#alone(async () => {
      await this.#create(name, profile);
      return this.#defaults.offer(servedBy(profile.service), name);
    });
  }

  /**
   * Adds profiles, all of them or, when one of the names is taken, none.
   *
   * @param defaults the names of those that become their service's default where none was chosen
   * @param isTakenSkipped whether those whose names are taken are passed over instead
   * @returns the names that were added
   * @throws Failure `usage` when a name is taken
   */
  addAll(
    profiles: Readonly<Record<string, Profile>>,
    defaults: readonly string[],
    isTakenSkipped: boolean,
  ): Promise<string[]> {
    return this.#alone(async () => {
      const known = await this.names();
      const taken = Object.keys(profiles).filter((name) => known.includes(name));
      if (taken.length > 0 && !isTakenSkipped) throw namesTaken(taken);
      const added = Object.entries(profiles).filter(([name]) => !taken.includes(name));
      for (const [name, profile] of added) await this.#create(name, profile);
      const offered = added
        .filter(([name]) => defaults.includes(name))
        .map(([name, { service }]) => ({ name, services: servedBy(service) }))
        // Who serves several gets what is left.
        .sort((one, other) => one.services.length - other.services.length);
      for (const { name, services } of offered) await this.#defaults.offer(services, name);
      return added.map(([name]) => name);
    });
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
    change: (profile: Profile) => Profile,
  ): Promise<{ readonly before: Profile; readonly after: Profile }> {
    return this.#alone(async () => {
      const before = await this.get(name);
      const after = change(before);
      await replaceFile(this.#profileFile(name), contentOf(after));
      return { before, after };
    });
  }

  /**
   * Gives a profile another name, also where it is a default. Whoever is killed in between leaves it
   * under both, and no default without a profile.
   *
   * @throws Failure `usage` when there is no such profile, or one of the new name
   */
  rename(name: string, newName: string): Promise<Profile> {
    return this.#alone(async () => {
      const profile = await this.get(name);
      await this.#create(newName, profile);
      for (const service of await this.#defaults.servicesOf(name)) {
        await this.#defaults.choose(service, newName);
      }
      await moveFile(this.#usedFile(name), this.#usedFile(newName));
      await removeFile(this.#profileFile(name));
      return profile;
    });
  }

  /**
   * Removes a profile, also a broken one, and makes it nobody's default.
   *
   * @returns the profile, unless it was broken, and the services that it was the default of
   * @throws Failure `usage` when there is no such profile
   */
  remove(
    name: string,
  ): Promise<{ readonly profile: Profile | undefined; readonly orphaned: ServiceName[] }> {
    return this.#alone(async () => {
      if (!(await this.names()).includes(name)) await this.get(name);
      const profile = await this.get(name).catch(() => undefined);
      const orphaned = await this.#defaults.servicesOf(name);
      for (const service of orphaned) await this.#defaults.drop(service);
      await removeFile(this.#profileFile(name));
      await removeFile(this.#usedFile(name));
      return { profile, orphaned };
    });
  }

  /** Names in alphabetical order. */
  async names(): Promise<string[]> {
    try {
      const files = readdirSync(join(this.#config, 'profiles'));
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

  /** The first profile, by name, that serves a service; broken ones are passed over. */
  async firstOf(service: ServiceName): Promise<string | undefined> {
    for (const name of await this.names()) {
      const profile = await this.find(name).catch(() => undefined);
      if (profile && serves(profile.service, service)) return name;
    }
    return undefined;
  }

  /** The name of a service's default profile, or `local`; undefined where none was chosen. */
  defaultOf(service: ServiceName): Promise<string | undefined> {
    return this.#defaults.of(service);
  }

  /**
   * Makes a profile the default of what it serves, or `local` that of all services.
   *
   * @returns the profile; undefined for `local`
   * @throws Failure `usage` when there is no such profile
   */
  use(name: string): Promise<Profile | undefined> {
    return this.#alone(async () => {
      const profile = name === LOCAL ? undefined : await this.get(name);
      // `local` is written down: it was chosen, so that no profile added later takes its place.
      const services = profile ? servedBy(profile.service) : SERVICE_NAMES;
      for (const service of services) await this.#defaults.choose(service, name);
      return profile;
    });
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
    try {
      utimesSync(file, time, time);
    } catch {
      await createEmptyFile(file).catch(() => undefined);
    }
  }

  /** Whether this is the first time that something is to be told on this machine. */
  isNews(what: string): Promise<boolean> {
    return createEmptyFile(join(this.#state, 'told', what));
  }

  async #create(name: string, profile: Profile): Promise<void> {
    if (await createFile(this.#profileFile(checkProfileName(name)), contentOf(profile))) {
      // Of one that had this name before.
      await removeFile(this.#usedFile(name));
      return;
    }
    throw nameTaken(name);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const { exclusively } = await import('../sqlite/lock.ts');
    return exclusively(join(this.#state, 'profiles.lock'), async () => {
      // Of processes that were killed while they wrote: all others wait for this one.
      for (const directory of ['profiles', 'defaults']) {
        await removeLeftovers(join(this.#config, directory));
      }
      return work();
    });
  }

  #profileFile(name: string): string {
    return join(this.#config, 'profiles', `${name}.json`);
  }

  #usedFile(name: string): string {
    return join(this.#state, 'used', name);
  }
}

function contentOf(profile: Profile): string {
  return `${JSON.stringify(profile, null, 2)}\n`;
}
