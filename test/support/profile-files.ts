import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** What a profile's file holds. */
export function profileFile({ configDirectory }: Sandbox, name: string) {
  const file = join(configDirectory, 'profiles', `${name}.json`);
  return Object(JSON.parse(readFileSync(file, 'utf8')));
}

/** The names of the files of all profiles, whatever else lies there. */
export function profileFiles({ configDirectory }: Sandbox): string[] {
  const directory = join(configDirectory, 'profiles');
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
