import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { Failure } from '../domain/failure.ts';
import { readJsonFile } from '../files/json-file.ts';
import { createFile, isSystemError, removeFile, replaceFile } from '../files/private-file.ts';
import { checkProfileName, isProfileName, Profile, type ServiceName } from './profile.ts';

/*
 * config/
 *   profiles/NAME.json     one profile, with its token
 *   defaults/SERVICE.json  {"profile": NAME}
 *
 * A file for each thing that changes on its own: then parallel writers need no lock to lose nothing.
 */

const Default = z.object({ profile: z.string() });

export class ProfileStore {
  readonly #directory: string;

  /** @param directory where the configuration lies, e.g. `~/.config/leasectl` */
  constructor(directory: string) {
    this.#directory = directory;
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
  async add(name: string, profile: Profile): Promise<void> {
    const content = `${JSON.stringify(profile, null, 2)}\n`;
    if (await createFile(this.#profileFile(checkProfileName(name)), content)) return;
    throw new Failure('usage', `There is a profile ${name} already.`, {
      hint: `Remove it first with leasectl profile remove ${name}, or take another name.`,
    });
  }

  /**
   * Removes a profile, and makes it nobody's default.
   *
   * @returns the services that it was the default of
   * @throws Failure `usage` when there is no such profile
   */
  async remove(name: string, services: readonly ServiceName[]): Promise<ServiceName[]> {
    if (!(await removeFile(this.#profileFile(checkProfileName(name))))) await this.get(name);
    const orphaned: ServiceName[] = [];
    for (const service of services) {
      if ((await this.defaultOf(service)) !== name) continue;
      await this.clearDefault(service);
      orphaned.push(service);
    }
    return orphaned;
  }

  /** Names in alphabetical order. */
  async names(): Promise<string[]> {
    try {
      const files = await readdir(join(this.#directory, 'profiles'));
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

  async setDefault(service: ServiceName, name: string): Promise<void> {
    await replaceFile(this.#defaultFile(service), defaultContent(name));
  }

  /** Chooses a default where there is none yet. @returns whether it did */
  async setFirstDefault(service: ServiceName, name: string): Promise<boolean> {
    return createFile(this.#defaultFile(service), defaultContent(name));
  }

  async clearDefault(service: ServiceName): Promise<void> {
    await removeFile(this.#defaultFile(service));
  }

  #profileFile(name: string): string {
    return join(this.#directory, 'profiles', `${name}.json`);
  }

  #defaultFile(service: ServiceName): string {
    return join(this.#directory, 'defaults', `${service}.json`);
  }
}

function defaultContent(profile: string): string {
  return `${JSON.stringify({ profile })}\n`;
}
