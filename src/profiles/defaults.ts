import { join } from 'node:path';
import * as z from 'zod/mini';
import { readJsonFile } from '../files/json-file.ts';
import { createFile, removeFile, replaceFile } from '../files/private-file.ts';
import { SERVICE_NAMES, type ServiceName } from './profile.ts';

const Default = z.lazy(() => z.object({ profile: z.string() }));

/** Which profile each service has where none is named: a file for each. */
export class Defaults {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined where none was chosen. */
  async of(service: ServiceName): Promise<string | undefined> {
    return (await readJsonFile(this.#file(service), Default))?.profile;
  }

  /** The services that a profile is the default of. */
  async servicesOf(name: string): Promise<ServiceName[]> {
    const defaults = await Promise.all(
      SERVICE_NAMES.map(async (service) => ({ service, name: await this.of(service) })),
    );
    return defaults.filter((chosen) => chosen.name === name).map(({ service }) => service);
  }

  choose(service: ServiceName, name: string): Promise<void> {
    return replaceFile(this.#file(service), contentOf(name));
  }

  /** Chooses one where none was chosen. @returns the services for which another one was */
  async offer(services: readonly ServiceName[], name: string): Promise<ServiceName[]> {
    const taken: ServiceName[] = [];
    for (const service of services) {
      if (!(await createFile(this.#file(service), contentOf(name)))) taken.push(service);
    }
    return taken;
  }

  async drop(service: ServiceName): Promise<void> {
    await removeFile(this.#file(service));
  }

  #file(service: ServiceName): string {
    return join(this.#directory, `${service}.json`);
  }
}

function contentOf(profile: string): string {
  return `${JSON.stringify({ profile })}\n`;
}
