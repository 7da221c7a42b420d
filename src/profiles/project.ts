import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { readJsonFile } from '../files/json-file.ts';
import { SERVICE_NAMES } from './profile.ts';

/** What a project calls its own, in each directory from where one is up to the repository's root. */
const NAME = '.leasectl.json';

/** Bytes. */
const LARGEST = 64 * 1024;

/** The commands that have a `--ttl`, which a project may choose. */
const TIMED = ['lease', 'run', 'extend', 'exec'] as const;

/**
 * What a project may say for whoever works in it. It comes with somebody's code: so it names no
 * address and no token, and a field that it does not know is refused.
 */
const Content = z.lazy(() =>
  z.strictObject({
    /** For each service the name of a profile. */
    profiles: z.optional(z.partialRecord(z.enum(SERVICE_NAMES), z.string())),
    /** For each command the `--ttl` that it has when none is given. */
    ttl: z.optional(z.partialRecord(z.enum(TIMED), z.string())),
    /** What keys begin with, unless they do already. */
    key_prefix: z.optional(z.string()),
  }),
);

export interface Project extends z.infer<typeof Content> {
  /** Its file, for messages. */
  readonly file: string;
}

/**
 * Finds the nearest project file: in the directory, or up to the root of the repository that it lies
 * in. Outside of one there is no telling whose a file further up is.
 *
 * @param exists whether there is such a file or directory
 * @throws Failure `usage` naming file, line and column when it is broken
 */
export async function findProject(
  directory: string,
  exists: (path: string) => boolean,
): Promise<Project | undefined> {
  const places = [directory];
  for (let place = directory; !exists(join(place, '.git')); place = dirname(place)) {
    if (dirname(place) === place) {
      places.splice(1);
      break;
    }
    places.push(dirname(place));
  }
  const file = places.map((place) => join(place, NAME)).find(exists);
  // It came with somebody's code.
  const content = file && (await readJsonFile(file, Content, LARGEST));
  return file && content ? { ...content, file } : undefined;
}

/** A key as the project means it. */
export function keyIn({ key_prefix: prefix = '' }: Project, key: string): string {
  return key.startsWith(prefix) ? key : prefix + key;
}

/** The `--ttl` that a project has for a command. */
export function ttlIn({ ttl }: Project, command: string): string | undefined {
  const timed = TIMED.find((name) => name === command);
  return timed && ttl?.[timed];
}
